//! Who causes a footprint: every part of it, by the way that leads to it from the system
//! (sections 7 and E9.1).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::super::classes::{
    AnyApi, AnyApiServer, AnyEdgeComponent, AnyEdgeDevice, AnyJob, AnyServer, Device,
    EdgeUsagePattern, Emitter, Kind, Path, Phase, Place, Storage, UsageJourneyStep, UsedInPatterns,
};
use super::super::values::Strategy;
use super::{At, Engine, Failure, Hours, Series};

/// A part of the footprint of an object over the whole period, and the way that leads to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The object whose footprint it is a part of.
    pub source: u32,
    /// What kind of part it is.
    pub stream: Stream,
    /// The phase of life.
    pub phase: Phase,
    /// In kg.
    pub value: f64,
    /// The objects on the way.
    pub way: Way,
}

/// The objects between a source and its country, by their place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Way {
    /// The job.
    pub job: Option<u32>,
    /// The need of a component.
    pub component_need: Option<u32>,
    /// The need of a server.
    pub server_need: Option<u32>,
    /// The need of a device.
    pub device_need: Option<u32>,
    /// The function of a device.
    pub function: Option<u32>,
    /// The step of a journey.
    pub step: Option<u32>,
    /// The journey.
    pub journey: u32,
    /// The usage pattern.
    pub pattern: u32,
    /// The country.
    pub country: u32,
}

impl Row {
    /// The objects from the source to the country.
    pub fn chain(&self) -> impl Iterator<Item = u32> {
        let Way {
            job,
            component_need,
            server_need,
            device_need,
            function,
            step,
            journey,
            pattern,
            country,
        } = self.way;
        let between = [
            job,
            component_need,
            server_need,
            device_need,
            function,
            step,
        ];
        let above = [journey, pattern, country].map(Some);
        let chain = [Some(self.source)].into_iter().chain(between).chain(above);
        chain.flatten()
    }
}

/// Why a part of a footprint is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Instances stand ready.
    Provisioned,
    /// Instances work.
    Dynamic,
    /// Storage holds what was written.
    Retention,
    /// Storage holds nothing that was written.
    Baseline,
    /// There is but one reason.
    Single,
}

/// The footprints of a file's systems, split.
#[derive(Debug, Default)]
pub struct Attribution {
    /// The parts.
    pub rows: Vec<Row>,
    /// What the components of devices contribute, in kg.
    pub components: Vec<Component>,
}

/// What a component contributes to the footprint of its device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// The device, by its place in the file.
    pub device: u32,
    /// The component.
    pub component: u32,
    /// The phase of life.
    pub phase: Phase,
    /// In kg.
    pub value: f64,
}

impl Attribution {
    /// Splits the footprints.
    ///
    /// An object whose footprint can't be computed is left out; the [`Footprint`] tells why.
    ///
    /// [`Footprint`]: crate::model::footprint::Footprint
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`], and nothing else.
    pub fn of(engine: &Engine) -> Result<Self, Failure> {
        // Each footprint is looked at by every job.
        engine.keep_footprints();
        let mut split = Self::default();
        let emitters = engine.emitters();
        let networks = emitters
            .iter()
            .filter(|emitter| matches!(emitter, Emitter::Network(_)));
        let networks: HashSet<_> = networks.map(|network| network.index()).collect();
        let places: HashSet<_> = emitters.iter().map(|emitter| emitter.index()).collect();
        let emits = |place: usize| places.contains(&place);
        // All that a job causes comes together: it is computed from the same requests.
        for server in engine.all::<AnyServer>() {
            let (mut server_s, mut storage_s) = (None, None);
            if emits(server.index()) {
                server_s = unless_impossible(Provision::of(server))?.flatten();
                storage_s = unless_impossible(Keeping::of(server.storage()))?.flatten();
            }
            for job in server.jobs() {
                let Some(cells) = unless_impossible(cells(job))? else {
                    continue;
                };
                let rows = &mut split.rows;
                if let Some(provision) = &server_s {
                    unless_impossible(provision.split(job, &cells, rows))?;
                }
                if let Some(keeping) = &storage_s {
                    unless_impossible(keeping.split(job, &cells, rows))?;
                }
                unless_impossible(split_networks(&networks, job, &cells, rows))?;
            }
        }
        for api in engine.all::<AnyApi>() {
            for job in api.server().jobs() {
                let Some(cells) = unless_impossible(cells(job))? else {
                    continue;
                };
                let rows = &mut split.rows;
                if emits(api.index()) {
                    unless_impossible(split_api_server(api.server(), job, &cells, rows))?;
                }
                unless_impossible(split_networks(&networks, job, &cells, rows))?;
            }
        }
        for emitter in emitters {
            let (rows, components) = (split.rows.len(), split.components.len());
            let done = match emitter {
                Emitter::Device(device) => split_device(device, &mut split.rows),
                Emitter::EdgeDevice(device) => split.add_edge_device(device),
                _ => Ok(()),
            };
            if unless_impossible(done)?.is_none() {
                split.rows.truncate(rows);
                split.components.truncate(components);
            }
        }
        split.rows.retain(|row| row.value != 0.0);
        split.rows.shrink_to_fit();
        Ok(split)
    }

    fn add_edge_device(&mut self, device: At<'_, AnyEdgeDevice>) -> Result<(), Failure> {
        split_edge_device(device, &mut self.rows)?;
        for component in device.components() {
            for (phase, footprint) in [
                (
                    Phase::Manufacturing,
                    device.manufacturing_footprint_by(component)?,
                ),
                (Phase::Use, device.use_footprint_by(component)?),
            ] {
                self.components.push(Component {
                    device: device.index() as u32,
                    component: component.index() as u32,
                    phase,
                    value: footprint.map_or(0.0, |footprint| footprint.sum()),
                });
            }
        }
        Ok(())
    }

    /// Bytes of memory that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.rows) + size_of_val(&*self.components)
    }
}

/// A value, or none where the system asks for something impossible.
fn unless_impossible<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Cancelled) => Err(Failure::Cancelled),
        Err(_) => Ok(None),
    }
}

/// A place that starts a job, with what it starts.
struct Cell<'e> {
    place: Place<'e>,
    /// Requests in progress.
    requests: Hours,
    /// Its part of all the job's requests.
    flat_share: f64,
}

/// The places that start a job.
fn cells<'e>(job: At<'e, AnyJob>) -> Result<Vec<Cell<'e>>, Failure> {
    let all = job
        .hourly_avg_occurrences_across()?
        .map_or(0.0, |all| all.sum());
    let places = job.places();
    let count = places.len() as f64;
    let cells = places.into_iter().map(|place| {
        let requests = job.hourly_avg_occurrences_at(&place)?;
        let of_all = requests.as_ref().map_or(0.0, |requests| requests.sum());
        Ok(Cell {
            place,
            requests,
            flat_share: if all == 0.0 {
                1.0 / count
            } else {
                of_all / all
            },
        })
    });
    cells.collect()
}

impl Cell<'_> {
    /// The row of a part with that value, of a job's source.
    fn row(&self, source: usize, stream: Stream, phase: Phase, job: usize, value: f64) -> Row {
        let mut way = match self.place {
            Place::Step {
                pattern,
                journey,
                step,
                ..
            } => Way {
                step: Some(step.index() as u32),
                journey: journey.index() as u32,
                pattern: pattern.index() as u32,
                country: pattern.of().country().index() as u32,
                ..Way::default()
            },
            // All ways to the need together; they are told apart after.
            Place::Need { pattern, need, .. } => Way {
                server_need: Some(need.index() as u32),
                pattern: pattern.index() as u32,
                country: pattern.of().country().index() as u32,
                ..Way::default()
            },
        };
        way.job = Some(job as u32);
        Row {
            source: source as u32,
            stream,
            phase,
            value,
            way,
        }
    }

    /// Adds a part, by each way that leads to its place.
    fn add(&self, row: Row, rows: &mut Vec<Row>) {
        match self.place {
            Place::Step { .. } => rows.push(row),
            Place::Need { pattern, need, .. } => {
                add_by_paths(row, need.paths(), pattern, rows);
            }
        }
    }
}

/// Adds a part of a pattern's footprint, as much of it by each path as the path is listed.
fn add_by_paths<'e>(
    row: Row,
    paths: impl Iterator<Item = Path<'e>>,
    pattern: At<'e, EdgeUsagePattern>,
    rows: &mut Vec<Row>,
) {
    let paths: Vec<_> = paths.filter(|path| path.pattern == pattern).collect();
    let all: f64 = paths.iter().map(|path| path.times).sum();
    for path in paths {
        rows.push(Row {
            value: row.value * path.times / all,
            way: Way {
                function: Some(path.function.index() as u32),
                journey: path.journey.index() as u32,
                pattern: pattern.index() as u32,
                country: pattern.of().country().index() as u32,
                ..row.way
            },
            ..row
        });
    }
}

/// The sum over time of a product, where both have hours.
fn dot(a: &Series, b: &Series) -> f64 {
    let (a, b) = a.overlap(b);
    let length = a.len().min(b.len());
    // Several sums at once: one has to wait for itself at every step.
    let (a, a_rest) = a[..length].as_chunks::<8>();
    let (b, b_rest) = b[..length].as_chunks::<8>();
    let mut sums = [0.0_f64; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += f64::from(a[i]) * f64::from(b[i]);
        }
    }
    let rest = a_rest
        .iter()
        .zip(b_rest)
        .map(|(&a, &b)| f64::from(a) * f64::from(b));
    sums.iter().sum::<f64>() + rest.sum::<f64>()
}

fn ratio(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// What a server's jobs ask of it, in instances of the resource that is short.
struct Demand<'e> {
    /// The server's compute and RAM.
    compute: f64,
    ram: f64,
    /// For each hour, whether compute is short: 1, or else RAM: 0.
    compute_binds: Series,
    /// Instances.
    n: Arc<Series>,
    all: Series,
    server: At<'e, AnyServer>,
}

impl<'e> Demand<'e> {
    fn of(server: At<'e, AnyServer>) -> Result<Option<Self>, Failure> {
        let (Some(ram_need), Some(compute_need), Some(n)) = (
            server.ram_need()?,
            server.compute_need()?,
            server.nb_of_instances()?,
        ) else {
            return Ok(None);
        };
        let (ram, compute) = (server.available_ram()?, server.available_compute()?);
        let (of_ram, of_compute) = (ram as f32, compute as f32);
        let compute_binds = compute_need.with(&ram_need, |compute_need, ram_need| {
            f32::from(u8::from(compute_need / of_compute >= ram_need / of_ram))
        })?;
        let all = n.filled_with(0.0);
        let mut demand = Self {
            compute,
            ram,
            compute_binds,
            n,
            all,
            server,
        };
        for job in server.jobs() {
            if let Some(of_job) = demand.of_job(job)? {
                demand.all.add(&of_job)?;
            }
        }
        Ok(Some(demand))
    }

    /// For each hour, what one request in progress asks for.
    fn of_request(&self, job: At<'e, AnyJob>) -> Result<Series, Failure> {
        let choose = |binds: f32, of_compute: f32, of_ram: f32| {
            if binds == 1.0 { of_compute } else { of_ram }
        };
        let of_compute = (job.compute_needed().total() / self.compute) as f32;
        let of_ram = (job.ram_needed().total() / self.ram) as f32;
        let mut each = self
            .compute_binds
            .map(|binds| choose(binds, of_compute, of_ram));
        if let Some(service) = job.service() {
            let of_compute = (service.base_compute() / self.compute) as f32;
            let of_ram = (service.base_ram() / self.ram) as f32;
            if let Some(volume) = service.total_job_volume()? {
                let standing = self
                    .compute_binds
                    .with(&self.n, |binds, n| choose(binds, of_compute, of_ram) * n)?
                    .with(&volume, ratio)?;
                each.add(&standing)?;
            }
        }
        Ok(each)
    }

    /// For each hour, what the job asks for.
    fn of_job(&self, job: At<'e, AnyJob>) -> Result<Option<Series>, Failure> {
        let Some(requests) = job.hourly_avg_occurrences_across()? else {
            return Ok(None);
        };
        let each = self.of_request(job)?;
        Ok(Some(
            each.with(&requests, |each, requests| each * requests)?,
        ))
    }

    /// Each job's part of the instances that stand on premise: of the first, by demand in all
    /// hours that need it; of the second, in those that need two; and so on.
    fn provisioned_shares(&self) -> Result<Vec<f64>, Failure> {
        let Some(raw) = self.server.raw_nb_of_instances()? else {
            return Ok(Vec::new());
        };
        // In hours that need so many instances, the sum of demand: of all, and of each job.
        let tiers = f64::from(self.n.max()).round_ties_even() as usize;
        let tier_of = |raw: f32| (raw.max(0.0).ceil() as usize).min(tiers);
        let used = f64::from(raw.max()).ceil().max(0.0) as usize;
        let by_tier = |series: &Series| {
            let mut sums = vec![0.0; used.min(tiers) + 1];
            let (raw, series) = raw.overlap(series);
            for (&raw, &value) in raw.iter().zip(series) {
                sums[tier_of(raw)] += f64::from(value);
            }
            // What needs three instances needs the first and the second too.
            for tier in (0..sums.len() - 1).rev() {
                sums[tier] += sums[tier + 1];
            }
            sums
        };
        let all = by_tier(&self.all);
        let count = self.server.jobs().count() as f64;
        let shares = self.server.jobs().map(|job| {
            let Some(of_job) = self.of_job(job)? else {
                return Ok(0.0);
            };
            let of_job = by_tier(&of_job);
            // The instances that no hour needs go by the whole period.
            let of_period = if all[0] == 0.0 {
                1.0 / count
            } else {
                of_job[0] / all[0]
            };
            let of_tiers = all.iter().zip(&of_job).skip(1);
            let of_tiers =
                of_tiers.map(|(&all, &job)| if all == 0.0 { of_period } else { job / all });
            let idle_tiers = (tiers + 1 - all.len()) as f64;
            Ok((of_tiers.sum::<f64>() + idle_tiers * of_period) / tiers.max(1) as f64)
        });
        shares.collect()
    }
}

/// How a server's footprint is split.
struct Provision<'e> {
    demand: Demand<'e>,
    manufacturing: Arc<Series>,
    idle: Arc<Series>,
    load: Arc<Series>,
    /// On premise, each job's part of the instances, by the job's place in the file.
    shares: Option<HashMap<usize, f64>>,
}

impl<'e> Provision<'e> {
    fn of(server: At<'e, AnyServer>) -> Result<Option<Self>, Failure> {
        let (Some(manufacturing), Some(idle), Some(load)) = (
            server.manufacturing_footprint()?,
            server.idle_use_footprint()?,
            server.load_use_footprint()?,
        ) else {
            return Ok(None);
        };
        let Some(demand) = Demand::of(server)? else {
            return Ok(None);
        };
        let shares = match server.server_type() {
            Strategy::OnPremise => {
                let jobs = server.jobs().map(At::index);
                Some(jobs.zip(demand.provisioned_shares()?).collect())
            }
            Strategy::Autoscaling | Strategy::Serverless => None,
        };
        Ok(Some(Self {
            demand,
            manufacturing,
            idle,
            load,
            shares,
        }))
    }

    fn split(
        &self,
        job: At<'e, AnyJob>,
        cells: &[Cell<'e>],
        rows: &mut Vec<Row>,
    ) -> Result<(), Failure> {
        let streams = [
            (
                Stream::Provisioned,
                Phase::Manufacturing,
                &self.manufacturing,
            ),
            (Stream::Provisioned, Phase::Use, &self.idle),
            (Stream::Dynamic, Phase::Use, &self.load),
        ];
        // Of each request in progress, its share of all demand.
        let share = self.demand.of_request(job)?.with(&self.demand.all, ratio)?;
        for (stream, phase, footprint) in streams {
            let of_request = share.with(footprint, |share, footprint| share * footprint)?;
            for cell in cells {
                let value = match (stream, &self.shares) {
                    (Stream::Provisioned, Some(shares)) => {
                        let share = shares.get(&job.index()).copied().unwrap_or(0.0);
                        footprint.sum() * share * cell.flat_share
                    }
                    _ => cell
                        .requests
                        .as_ref()
                        .map_or(0.0, |requests| dot(requests, &of_request)),
                };
                let server = self.demand.server.index();
                cell.add(cell.row(server, stream, phase, job.index(), value), rows);
            }
        }
        Ok(())
    }
}

/// How a storage's footprint is split.
struct Keeping<'e> {
    storage: At<'e, Storage>,
    /// In kg, of each terabyte that was written and is kept.
    of_terabyte: Series,
    /// In kg, of what is there besides.
    baseline: f64,
    /// Requests of all jobs, and how many jobs there are.
    requests: f64,
    jobs: usize,
}

impl<'e> Keeping<'e> {
    fn of(storage: At<'e, Storage>) -> Result<Option<Self>, Failure> {
        let (Some(written), Some(retention), Some(baseline), Some(server)) = (
            storage.written()?,
            storage.retention_footprint()?,
            storage.baseline_footprint()?,
            storage.server()?,
        ) else {
            return Ok(None);
        };
        let mut requests = 0.0;
        for job in server.jobs() {
            requests += requests_of(job)?;
        }
        Ok(Some(Self {
            storage,
            of_terabyte: retention.with(&written, ratio)?,
            baseline: baseline.sum(),
            requests,
            jobs: server.jobs().count(),
        }))
    }

    fn split(
        &self,
        job: At<'e, AnyJob>,
        cells: &[Cell<'e>],
        rows: &mut Vec<Row>,
    ) -> Result<(), Failure> {
        let share = match self.requests {
            0.0 => 1.0 / self.jobs as f64,
            all => requests_of(job)? / all,
        };
        let of_job = job.hourly_avg_occurrences_across()?;
        for cell in cells {
            let mut add = |stream: Stream, value: f64| {
                let phase = Phase::Manufacturing;
                let row = cell.row(self.storage.index(), stream, phase, job.index(), value);
                cell.add(row, rows);
            };
            if let Some((requests, of_job)) = cell.requests.as_ref().zip(of_job.as_ref()) {
                // What a place wrote is kept for as long as others go on writing.
                let requests = of_job.with(requests, |_, requests| requests)?;
                let kept = self.storage.kept(&job.hourly_data_stored_by(&requests)?);
                add(Stream::Retention, dot(&kept, &self.of_terabyte));
            }
            add(Stream::Baseline, self.baseline * share * cell.flat_share);
        }
        Ok(())
    }
}

/// Hours of requests in progress.
fn requests_of(job: At<'_, AnyJob>) -> Result<f64, Failure> {
    Ok(job
        .hourly_avg_occurrences_across()?
        .map_or(0.0, |requests| requests.sum()))
}

fn split_api_server<'e>(
    server: At<'e, AnyApiServer>,
    job: At<'e, AnyJob>,
    cells: &[Cell<'e>],
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let request = server.of_request_in_progress(job)?;
    for cell in cells {
        let requests = cell
            .requests
            .as_ref()
            .map_or(0.0, |requests| requests.sum());
        for (phase, value) in [
            (Phase::Manufacturing, request.embodied),
            (Phase::Use, request.usage),
        ] {
            let value = value * requests;
            let row = cell.row(server.index(), Stream::Single, phase, job.index(), value);
            cell.add(row, rows);
        }
    }
    Ok(())
}

fn split_networks<'e>(
    networks: &HashSet<usize>,
    job: At<'e, AnyJob>,
    cells: &[Cell<'e>],
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let of_request = job.data_of_request_in_progress()?;
    for cell in cells {
        let (pattern, requests) = (cell.place.pattern(), &cell.requests);
        let network = pattern.network();
        if !networks.contains(&network.index()) {
            continue;
        }
        let data = of_request * requests.as_ref().map_or(0.0, |requests| requests.sum());
        let value = data * network.footprint_of_megabyte(pattern);
        cell.add(
            cell.row(
                network.index(),
                Stream::Single,
                Phase::Use,
                job.index(),
                value,
            ),
            rows,
        );
    }
    Ok(())
}

fn split_device(device: At<'_, Device>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for pattern in device.usage_patterns() {
        let country = pattern.of().country();
        let hourly_use = device.hourly_energy() * pattern.of().carbon_intensity();
        let hourly_manufacturing = device.hourly_manufacturing_footprint()?;
        for (journey, _) in pattern.journeys() {
            for step in journey.steps() {
                let step: At<'_, UsageJourneyStep> = step.step;
                let at_step = step.hourly_avg_occurrences(pattern, journey)?;
                let hours = at_step.map_or(0.0, |at_step| at_step.sum());
                for (phase, of_hour) in [
                    (Phase::Manufacturing, hourly_manufacturing),
                    (Phase::Use, hourly_use),
                ] {
                    rows.push(Row {
                        source: device.index() as u32,
                        stream: Stream::Single,
                        phase,
                        value: hours * of_hour,
                        way: Way {
                            step: Some(step.index() as u32),
                            journey: journey.index() as u32,
                            pattern: pattern.index() as u32,
                            country: country.index() as u32,
                            ..Way::default()
                        },
                    });
                }
            }
        }
    }
    Ok(())
}

fn split_edge_device(device: At<'_, AnyEdgeDevice>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for pattern in device.usage_patterns() {
        let components = device.components();
        let (needed, unused): (Vec<At<'_, AnyEdgeComponent>>, Vec<_>) = components
            .iter()
            .partition(|component| component.usage_patterns().contains(&pattern));
        for component in &needed {
            split_component(device, *component, components.len(), pattern, rows)?;
        }
        if unused.is_empty() && !components.is_empty() {
            continue;
        }
        // What nothing is asked of is carried by all that is asked of the device.
        let structure = device
            .structure_footprint(pattern)?
            .map_or(0.0, |series| series.sum());
        let share = match components.len() {
            0 => 1.0,
            all => unused.len() as f64 / all as f64,
        };
        let mut pool = structure * share;
        for component in unused {
            let footprint = component.unused_footprint(pattern)?;
            pool += device.number() * footprint.map_or(0.0, |footprint| footprint.sum());
        }
        carry(device, &needed, pattern, pool, rows);
    }
    Ok(())
}

/// Splits the footprint of one component of a device in one pattern by the needs of it.
fn split_component<'e>(
    device: At<'e, AnyEdgeDevice>,
    component: At<'e, AnyEdgeComponent>,
    components: usize,
    pattern: At<'e, EdgeUsagePattern>,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let number = device.number() as f32;
    let structure_share = 1.0 / components as f32;
    let (Some(own), Some(structure), devices) = (
        component.manufacturing_footprint(pattern)?,
        device.structure_footprint(pattern)?,
        pattern.deployments()?,
    ) else {
        return Ok(());
    };
    let manufacturing = own.with(&structure, |own, structure| {
        number * own + structure_share * structure
    })?;
    let standing = if component.kind() == Kind::Storage {
        devices.filled_with(0.0)
    } else {
        let hourly = component.standing_power()? / 1000.0 * pattern.of().carbon_intensity();
        devices.times(hourly * device.number())
    };
    let by_load = match component.use_footprint(pattern)? {
        Some(used) => used.with(&standing, |used, standing| number * used - standing)?,
        None => devices.filled_with(0.0),
    };
    let needs = component.needs_in(pattern);
    let count = needs.len() as f32;
    let levels = needs
        .iter()
        .map(|need| need.level(pattern))
        .collect::<Result<Vec<_>, _>>()?;
    let all = super::sum(levels.iter().cloned().map(Ok))?;
    for (need, level) in needs.iter().zip(levels) {
        let (Some(level), Some(all)) = (level, &all) else {
            continue;
        };
        let share = level.with(
            all,
            |level, all| if all == 0.0 { 1.0 / count } else { level / all },
        )?;
        for (phase, value) in [
            (Phase::Manufacturing, dot(&manufacturing, &share)),
            (
                Phase::Use,
                standing.sum() / f64::from(count) + dot(&by_load, &share),
            ),
        ] {
            let all: f64 = need.times(pattern);
            for (device_need, path) in need.paths().filter(|(_, path)| path.pattern == pattern) {
                rows.push(Row {
                    source: device.index() as u32,
                    stream: Stream::Single,
                    phase,
                    value: value * path.times / all,
                    way: Way {
                        component_need: Some(need.index() as u32),
                        device_need: Some(device_need.index() as u32),
                        ..way_of(&path)
                    },
                });
            }
        }
    }
    Ok(())
}

/// Splits what the unused parts of a device took among all that is asked of it.
fn carry<'e>(
    device: At<'e, AnyEdgeDevice>,
    needed: &[At<'e, AnyEdgeComponent>],
    pattern: At<'e, EdgeUsagePattern>,
    pool: f64,
    rows: &mut Vec<Row>,
) {
    let needs: Vec<_> = needed
        .iter()
        .flat_map(|component| component.needs_in(pattern))
        .collect();
    let server_needs = device.server_needs();
    let server_needs: Vec<_> = server_needs
        .filter(|need| need.usage_patterns().contains(&pattern))
        .collect();
    let share = pool / (needs.len() + server_needs.len()) as f64;
    let mut add = |value: f64, way: Way| {
        rows.push(Row {
            source: device.index() as u32,
            stream: Stream::Single,
            phase: Phase::Manufacturing,
            value,
            way,
        });
    };
    for need in needs {
        let all: f64 = need.times(pattern);
        for (device_need, path) in need.paths().filter(|(_, path)| path.pattern == pattern) {
            let way = Way {
                component_need: Some(need.index() as u32),
                device_need: Some(device_need.index() as u32),
                ..way_of(&path)
            };
            add(share * path.times / all, way);
        }
    }
    for need in server_needs {
        let all: f64 = need.times(pattern);
        for path in need.paths().filter(|path| path.pattern == pattern) {
            let way = Way {
                server_need: Some(need.index() as u32),
                ..way_of(&path)
            };
            add(share * path.times / all, way);
        }
    }
}

fn way_of(path: &Path<'_>) -> Way {
    Way {
        function: Some(path.function.index() as u32),
        journey: path.journey.index() as u32,
        pattern: path.pattern.index() as u32,
        country: path.pattern.of().country().index() as u32,
        ..Way::default()
    }
}
