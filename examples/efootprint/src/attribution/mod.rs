//! Attribution of a footprint: every part of it, by the way that leads to it from the system
//! (sections 7 and E9.1).

mod apis;
mod devices;
mod jobs;
mod rows;
mod servers;
mod storages;

use std::collections::{HashMap, HashSet};

use self::apis::parts_of_api_server;
use self::devices::{split_device, split_edge_device};
use self::jobs::{Part, split_job};
pub use self::rows::{Row, Stream, Way};
use self::servers::Provision;
use self::storages::Keeping;
use crate::classes::{
    AnyApi, AnyEdgeDevice, AnyJob, AnyServer, Emitter, Engine, Phase, emitters, keep_footprints,
    missing,
};
use crate::engine::{At, Failure};

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

/// How far parts may be from the whole, which is computed another way.
const ROUNDING: f64 = 1e-3;

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
                // What jobs cause of these is split above.
                Emitter::Server(_)
                | Emitter::Storage(_)
                | Emitter::Api(_)
                | Emitter::Network(_) => Ok(()),
            })?;
        }
        split.incomplete = !missing(engine)?.is_empty() || split.lacks_something(engine)?;
        split
            .rows
            .retain(|row| row.value.is_finite() && row.value != 0.0);
        split.rows.shrink_to_fit();
        Ok(split)
    }

    /// Whether parts and footprints differ by more than rounding: the diagram has no flow for what no
    /// way leads to, or for less than nothing.
    fn lacks_something(&self, engine: &Engine) -> Result<bool, Failure> {
        let mut sums: HashMap<(u32, Phase), f64> = HashMap::new();
        let mut negative = 0.0;
        for row in self.rows.iter().filter(|row| row.value.is_finite()) {
            *sums.entry((row.source, row.phase)).or_default() += row.value;
            negative += row.value.min(0.0);
        }
        let (mut total, mut differences) = (0.0, 0.0);
        for emitter in emitters(engine) {
            let source = match emitter {
                Emitter::Api(api) => api.server().index(),
                other => other.index(),
            };
            for phase in Phase::ALL {
                let of = match emitter.emission(engine, phase) {
                    Ok(hours) => hours.map_or(0.0, |hours| hours.sum()),
                    Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                    Err(_) => continue,
                };
                let split = sums.get(&(source as u32, phase)).copied().unwrap_or(0.0);
                total += of.abs();
                differences += (of - split).abs();
            }
        }
        Ok(differences - negative > ROUNDING * total)
    }

    /// A value, or none where the system asks for something impossible.
    fn unless_impossible<T>(&mut self, result: Result<T, Failure>) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Cancelled) => Err(Failure::Cancelled),
            // What is missing for it is told where it is missing.
            Err(_) => Ok(None),
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
        if job.places().is_empty() {
            return Ok(());
        }
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
