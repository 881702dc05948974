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
use super::{At, Engine, Failure, Hours};
use crate::model::classes::{
    AnyApi, AnyApiServer, AnyEdgeDevice, AnyJob, AnyServer, EdgeUsagePattern, Emitter, Path, Phase,
    Place,
};

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
            let (mut provision, mut keeping) = (None, None);
            if emits(server.index()) {
                provision = split.unless_impossible(Provision::of(server))?.flatten();
                keeping = split
                    .unless_impossible(Keeping::of(server.storage()))?
                    .flatten();
            }
            for job in server.jobs() {
                let Some(cells) = split.unless_impossible(cells(job))? else {
                    continue;
                };
                if let Some(provision) = &provision {
                    let done = provision.split(job, &cells, &mut split.rows);
                    split.unless_impossible(done)?;
                }
                if let Some(keeping) = &keeping {
                    let done = keeping.split(job, &cells, &mut split.rows);
                    split.unless_impossible(done)?;
                }
                let done = split_networks(&networks, job, &cells, &mut split.rows);
                split.unless_impossible(done)?;
            }
        }
        for api in engine.all::<AnyApi>() {
            for job in api.server().jobs() {
                let Some(cells) = split.unless_impossible(cells(job))? else {
                    continue;
                };
                if emits(api.index()) {
                    let done = split_api_server(api.server(), job, &cells, &mut split.rows);
                    split.unless_impossible(done)?;
                }
                let done = split_networks(&networks, job, &cells, &mut split.rows);
                split.unless_impossible(done)?;
            }
        }
        for emitter in emitters {
            let (rows, components) = (split.rows.len(), split.components.len());
            let done = match emitter {
                Emitter::Device(device) => split_device(device, &mut split.rows),
                Emitter::EdgeDevice(device) => split.add_edge_device(device),
                _ => Ok(()),
            };
            if split.unless_impossible(done)?.is_none() {
                split.rows.truncate(rows);
                split.components.truncate(components);
            }
        }
        split.rows.retain(|row| row.value != 0.0);
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

fn ratio(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
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
