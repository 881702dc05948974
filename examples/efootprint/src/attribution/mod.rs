//! Who causes a footprint: every part of it, by the way that leads to it from the system
//! (sections 7 and E9.1).

mod devices;
mod servers;
mod storages;

use std::collections::HashSet;

use serde::Serialize;

use self::devices::{split_device, split_edge_device};
use self::servers::Provision;
use self::storages::Keeping;
use crate::classes::{
    AnyApi, AnyApiServer, AnyEdgeDevice, AnyJob, AnyServer, Coordinate, EdgeUsagePattern, Emitter,
    Engine, Path, Phase, emitters, keep_footprints,
};
use crate::engine::{At, Failure};
use crate::series::Hours;

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
    /// Whether something is left out that can't be computed.
    pub incomplete: bool,
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
    /// [`Footprint`]: crate::footprint::Footprint
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`], and nothing else.
    pub fn of(engine: &Engine) -> Result<Self, Failure> {
        // Each footprint is looked at by every job.
        keep_footprints(engine);
        let mut split = Self::default();
        let emitters = emitters(engine);
        let networks = emitters
            .iter()
            .filter(|emitter| matches!(emitter, Emitter::Network(_)));
        let networks: HashSet<_> = networks.map(|network| network.index()).collect();
        let places: HashSet<_> = emitters.iter().map(|emitter| emitter.index()).collect();
        let emits = |place: usize| places.contains(&place);
        // All that a job causes comes together: it is computed from the same requests.
        for server in engine.all::<AnyServer>() {
            let (mut provision, mut keeping) = (None, None);
            if emits(server.index()) {
                provision = split.unless_impossible(Provision::of(server))?.flatten();
                keeping = split
                    .unless_impossible(Keeping::of(server.storage()))?
                    .flatten();
            }
            for job in server.jobs() {
                let of_server = provision.iter().map(|provision| provision.parts_of(job));
                let of_storage = keeping.iter().map(|keeping| keeping.parts_of(job));
                split.add_job(job, of_server.chain(of_storage), &networks)?;
            }
        }
        for api in engine.all::<AnyApi>() {
            for job in api.server().jobs() {
                let parts = emits(api.index()).then(|| parts_of_api_server(api.server(), job));
                split.add_job(job, parts.into_iter(), &networks)?;
            }
        }
        for emitter in emitters {
            split.all_or_nothing(|split| match emitter {
                Emitter::Device(device) => split_device(device, &mut split.rows),
                Emitter::EdgeDevice(device) => split.add_edge_device(device),
                _ => Ok(()),
            })?;
        }
        split.incomplete |= split.rows.iter().any(|row| !row.value.is_finite());
        split
            .rows
            .retain(|row| row.value.is_finite() && row.value != 0.0);
        split.rows.shrink_to_fit();
        Ok(split)
    }

    /// A value, or none where the system asks for something impossible.
    fn unless_impossible<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Cancelled) => Err(Failure::Cancelled),
            Err(_) => {
                self.incomplete = true;
                Ok(None)
            }
        }
    }

    /// Adds what can be computed, and nothing of what can't.
    fn all_or_nothing(
        &mut self,
        add: impl FnOnce(&mut Self) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (rows, components) = (self.rows.len(), self.components.len());
        let done = add(self);
        if self.unless_impossible(done)?.is_none() {
            self.rows.truncate(rows);
            self.components.truncate(components);
        }
        Ok(())
    }

    /// Adds the parts of footprints that a job causes, and what it moves over networks.
    fn add_job<'a, 'e: 'a>(
        &mut self,
        job: At<'e, AnyJob>,
        parts: impl Iterator<Item = Result<Vec<Part<'a, 'e>>, Failure>>,
        networks: &HashSet<usize>,
    ) -> Result<(), Failure> {
        let mut known = Vec::new();
        for parts in parts {
            known.extend(self.unless_impossible(parts)?.into_iter().flatten());
        }
        self.all_or_nothing(|split| split_job(job, &known, networks, &mut split.rows))
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

/// A place that starts a job, with what it starts.
struct Cell<'e> {
    place: Coordinate<'e>,
    /// Requests in progress.
    requests: Hours,
    /// Its part of all the job's requests.
    flat_share: f64,
}

/// What a place causes of a part, in kg.
type OfCell<'a, 'e> = Box<dyn Fn(&Cell<'e>) -> Result<f64, Failure> + 'a>;

/// A part of a footprint that a job causes, to be split by the places that start the job.
struct Part<'a, 'e> {
    source: usize,
    stream: Stream,
    phase: Phase,
    of_cell: OfCell<'a, 'e>,
}

impl<'a, 'e> Part<'a, 'e> {
    fn new(
        source: usize,
        stream: Stream,
        phase: Phase,
        of_cell: impl Fn(&Cell<'e>) -> Result<f64, Failure> + 'a,
    ) -> Self {
        Self {
            source,
            stream,
            phase,
            of_cell: Box::new(of_cell),
        }
    }
}

/// Splits what a job causes by the places that start it: one after the other, for there may be
/// more than memory has room for the requests of.
fn split_job<'e>(
    job: At<'e, AnyJob>,
    parts: &[Part<'_, 'e>],
    networks: &HashSet<usize>,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let all = requests_of(job)?;
    let count = job.places().len() as f64;
    let moved = job.data_of_request_in_progress()?;
    for (place, requests) in job.hourly_avg_occurrences_by_place() {
        let requests = requests?;
        let of_place = requests.as_ref().map_or(0.0, |requests| requests.sum());
        let flat_share = match all {
            0.0 => 1.0 / count,
            all => of_place / all,
        };
        let cell = Cell {
            place,
            requests,
            flat_share,
        };
        for part in parts {
            let value = (part.of_cell)(&cell)?;
            let row = cell.row(part.source, part.stream, part.phase, job.index(), value);
            cell.add(row, rows);
        }
        let pattern = place.pattern();
        let network = pattern.network();
        if networks.contains(&network.index()) {
            let value = moved * of_place * network.footprint_of_megabyte(pattern);
            let (source, stream) = (network.index(), Stream::Single);
            let row = cell.row(source, stream, Phase::Use, job.index(), value);
            cell.add(row, rows);
        }
    }
    Ok(())
}

impl Cell<'_> {
    /// The row of a part with that value, of a job's source.
    fn row(&self, source: usize, stream: Stream, phase: Phase, job: usize, value: f64) -> Row {
        let mut way = match self.place {
            Coordinate::Step {
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
            Coordinate::Need { pattern, need, .. } => Way {
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
            Coordinate::Step { .. } => rows.push(row),
            Coordinate::Need { pattern, need, .. } => {
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

fn ratio(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Hours of requests in progress.
fn requests_of(job: At<'_, AnyJob>) -> Result<f64, Failure> {
    Ok(job
        .hourly_avg_occurrences_across()?
        .map_or(0.0, |requests| requests.sum()))
}

/// What a job causes of the footprint of other people's server.
fn parts_of_api_server<'e>(
    server: At<'e, AnyApiServer>,
    job: At<'e, AnyJob>,
) -> Result<Vec<Part<'e, 'e>>, Failure> {
    let request = server.of_request_in_progress(job)?;
    let of = |phase, value: f64| {
        let of_cell = move |cell: &Cell<'e>| {
            let requests = cell.requests.as_ref();
            Ok(value * requests.map_or(0.0, |requests| requests.sum()))
        };
        Part::new(server.index(), Stream::Single, phase, of_cell)
    };
    Ok(vec![
        of(Phase::Manufacturing, request.embodied),
        of(Phase::Use, request.usage),
    ])
}
