//! Who causes a footprint: every part of it, by the way that leads to it from the system
//! (sections 7 and E9.1).

use serde::Serialize;

use super::super::classes::{
    AnyApiServer, AnyEdgeComponent, AnyEdgeDevice, AnyJob, AnyServer, Device, EdgeUsagePattern,
    Emitter, Kind, Network, Path, Phase, Place, Storage, UsageJourneyStep,
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
    /// An object whose footprint can't be computed is left out; [`Engine::problems`] tells why.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`], and nothing else.
    pub fn of(engine: &Engine) -> Result<Self, Failure> {
        let mut split = Self::default();
        for emitter in engine.emitters() {
            let (rows, components) = (split.rows.len(), split.components.len());
            match split.add(emitter) {
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(_) => {
                    split.rows.truncate(rows);
                    split.components.truncate(components);
                }
                Ok(()) => {}
            }
        }
        split.rows.retain(|row| row.value != 0.0);
        Ok(split)
    }

    fn add(&mut self, emitter: Emitter<'_>) -> Result<(), Failure> {
        let rows = &mut self.rows;
        match emitter {
            Emitter::Server(server) => split_server(server, rows),
            Emitter::Storage(storage) => split_storage(storage, rows),
            Emitter::Api(api) => split_api_server(api.server(), rows),
            Emitter::Network(network) => split_network(network, rows),
            Emitter::Device(device) => split_device(device, rows),
            Emitter::EdgeDevice(device) => {
                split_edge_device(device, rows)?;
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
        }
    }

    /// Bytes of memory that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.rows) + size_of_val(&*self.components)
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
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

fn ratio(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// What a server's jobs ask of it, in instances of the resource that is short.
struct Demand<'e> {
    /// For each hour, what one request in progress asks for, by job.
    jobs: Vec<(At<'e, AnyJob>, Series)>,
    all: Series,
}

fn demand<'e>(server: At<'e, AnyServer>) -> Result<Option<Demand<'e>>, Failure> {
    let (Some(ram_need), Some(compute_need), Some(n)) = (
        server.ram_need()?,
        server.compute_need()?,
        server.nb_of_instances()?,
    ) else {
        return Ok(None);
    };
    let (ram, compute) = (
        server.available_ram()? as f32,
        server.available_compute()? as f32,
    );
    let compute_binds = compute_need.with(&ram_need, |of_compute, of_ram| {
        f32::from(u8::from(of_compute / compute >= of_ram / ram))
    })?;
    let mut jobs = Vec::new();
    let mut all = n.filled_with(0.0);
    for job in server.jobs() {
        let Some(requests) = job.hourly_avg_occurrences_across()? else {
            continue;
        };
        let of_compute = (job.compute_needed().total() / f64::from(compute)) as f32;
        let of_ram = (job.ram_needed().total() / f64::from(ram)) as f32;
        let choose = |binds: f32, of_compute: f32, of_ram: f32| {
            if binds == 1.0 { of_compute } else { of_ram }
        };
        let mut each = compute_binds.map(|binds| choose(binds, of_compute, of_ram));
        if let Some(service) = job.service() {
            let of_compute = (service.base_compute() / f64::from(compute)) as f32;
            let of_ram = (service.base_ram() / f64::from(ram)) as f32;
            if let Some(volume) = service.total_job_volume()? {
                let standing = compute_binds
                    .with(&n, |binds, n| choose(binds, of_compute, of_ram) * n)?
                    .with(&volume, ratio)?;
                each.add(&standing)?;
            }
        }
        all.add(&each.with(&requests, |each, requests| each * requests)?)?;
        jobs.push((job, each));
    }
    Ok(Some(Demand { jobs, all }))
}

fn split_server(server: At<'_, AnyServer>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let (Some(manufacturing), Some(idle), Some(load)) = (
        server.manufacturing_footprint()?,
        server.idle_use_footprint()?,
        server.load_use_footprint()?,
    ) else {
        return Ok(());
    };
    let Some(demand) = demand(server)? else {
        return Ok(());
    };
    let provisioned = match server.server_type() {
        Strategy::OnPremise => Some(provisioned_shares(server, &demand)?),
        Strategy::Autoscaling | Strategy::Serverless => None,
    };
    let streams = [
        (Stream::Provisioned, Phase::Manufacturing, &manufacturing),
        (Stream::Provisioned, Phase::Use, &idle),
        (Stream::Dynamic, Phase::Use, &load),
    ];
    for (i, (job, each)) in demand.jobs.iter().enumerate() {
        // Of each request in progress, its share of all demand.
        let share = each.with(&demand.all, ratio)?;
        let cells = cells(*job)?;
        for (stream, phase, footprint) in streams {
            let of_request = share.with(footprint, |share, footprint| share * footprint)?;
            for cell in &cells {
                let value = match (stream, &provisioned) {
                    (Stream::Provisioned, Some(shares)) => {
                        footprint.sum() * shares[i] * cell.flat_share
                    }
                    _ => cell
                        .requests
                        .as_ref()
                        .map_or(0.0, |requests| dot(requests, &of_request)),
                };
                let row = cell.row(server.index(), stream, phase, job.index(), value);
                cell.add(row, rows);
            }
        }
    }
    Ok(())
}

/// Each job's part of the instances that stand on premise: of the first, by demand in all hours that
/// need it; of the second, in those that need two; and so on.
fn provisioned_shares(server: At<'_, AnyServer>, demand: &Demand<'_>) -> Result<Vec<f64>, Failure> {
    let (Some(n), Some(raw)) = (server.nb_of_instances()?, server.raw_nb_of_instances()?) else {
        return Ok(Vec::new());
    };
    // In hours that need so many instances, the sum of demand: of all, and of each job.
    let tiers = f64::from(n.max()).round_ties_even() as usize;
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
    let all = by_tier(&demand.all);
    let count = demand.jobs.len() as f64;
    let shares = demand.jobs.iter().map(|(job, each)| {
        let Some(requests) = job.hourly_avg_occurrences_across()? else {
            return Ok(0.0);
        };
        let of_job = by_tier(&each.with(&requests, |each, requests| each * requests)?);
        // The instances that no hour needs go by the whole period.
        let of_period = if all[0] == 0.0 {
            1.0 / count
        } else {
            of_job[0] / all[0]
        };
        let of_tiers = all.iter().zip(&of_job).skip(1);
        let of_tiers = of_tiers.map(|(&all, &job)| if all == 0.0 { of_period } else { job / all });
        let idle_tiers = (tiers + 1 - all.len()) as f64;
        Ok((of_tiers.sum::<f64>() + idle_tiers * of_period) / tiers.max(1) as f64)
    });
    shares.collect()
}

fn split_storage(storage: At<'_, Storage>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let (Some(written), Some(retention), Some(baseline), Some(server)) = (
        storage.written()?,
        storage.retention_footprint()?,
        storage.baseline_footprint()?,
        storage.server()?,
    ) else {
        return Ok(());
    };
    let of_terabyte = retention.with(&written, ratio)?;
    let volume = |job: At<'_, AnyJob>| -> Result<f64, Failure> {
        Ok(job
            .hourly_avg_occurrences_across()?
            .map_or(0.0, |requests| requests.sum()))
    };
    let jobs: Vec<_> = server.jobs().collect();
    let volumes = jobs
        .iter()
        .map(|job| volume(*job))
        .collect::<Result<Vec<_>, _>>()?;
    let all: f64 = volumes.iter().sum();
    for (job, volume) in jobs.iter().zip(volumes) {
        let share = if all == 0.0 {
            1.0 / jobs.len() as f64
        } else {
            volume / all
        };
        let of_job = job.hourly_avg_occurrences_across()?;
        for cell in cells(*job)? {
            if let Some((requests, of_job)) = cell.requests.as_ref().zip(of_job.as_ref()) {
                // What a place wrote is kept for as long as others go on writing.
                let requests = &of_job.with(requests, |_, requests| requests)?;
                let kept = storage.kept(&job.hourly_data_stored_by(requests)?);
                let row = cell.row(
                    storage.index(),
                    Stream::Retention,
                    Phase::Manufacturing,
                    job.index(),
                    dot(&kept, &of_terabyte),
                );
                cell.add(row, rows);
            }
            let row = cell.row(
                storage.index(),
                Stream::Baseline,
                Phase::Manufacturing,
                job.index(),
                baseline.sum() * share * cell.flat_share,
            );
            cell.add(row, rows);
        }
    }
    Ok(())
}

fn split_api_server(server: At<'_, AnyApiServer>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for job in server.jobs() {
        for cell in cells(job)? {
            let requests = cell
                .requests
                .as_ref()
                .map_or(0.0, |requests| requests.sum());
            let request = server.of_request_in_progress(job)?;
            for (phase, value) in [
                (Phase::Manufacturing, request.embodied),
                (Phase::Use, request.usage),
            ] {
                let value = value * requests;
                let row = cell.row(server.index(), Stream::Single, phase, job.index(), value);
                cell.add(row, rows);
            }
        }
    }
    Ok(())
}

fn split_network(network: At<'_, Network>, rows: &mut Vec<Row>) -> Result<(), Failure> {
    for job in network.jobs() {
        for place in job.places() {
            if place.pattern().network() != network {
                continue;
            }
            let data = job.hourly_data_transferred_at(&place)?;
            let footprint = data.map(|data| network.footprint_of_data(&data, place.pattern()));
            let cell = Cell {
                place,
                requests: None,
                flat_share: 1.0,
            };
            let value = footprint.map_or(0.0, |footprint| footprint.sum());
            let row = cell.row(
                network.index(),
                Stream::Single,
                Phase::Use,
                job.index(),
                value,
            );
            cell.add(row, rows);
        }
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
