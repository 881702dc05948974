//! Objects with a footprint of their own.

use std::collections::HashSet;

use super::{
    AnyApi, AnyEdgeDevice, AnyJob, AnyServer, Category, Device, Network, Object, Phase, Storage,
    System,
};
use crate::engine::{At, Engine, Failure, Problem};
use crate::objects::Target;
use crate::series::Hours;

/// An object with a footprint of its own.
#[derive(Clone, Copy)]
pub(crate) enum Emitter<'e> {
    Server(At<'e, AnyServer>),
    Storage(At<'e, Storage>),
    Api(At<'e, AnyApi>),
    Network(At<'e, Network>),
    Device(At<'e, Device>),
    EdgeDevice(At<'e, AnyEdgeDevice>),
}

impl<'e> Emitter<'e> {
    pub(crate) fn category(self) -> Category {
        match self {
            Self::Server(_) => Category::Servers,
            Self::Storage(_) => Category::Storage,
            Self::Api(_) => Category::ExternalAPIs,
            Self::Network(_) => Category::Network,
            Self::Device(_) => Category::Devices,
            Self::EdgeDevice(_) => Category::EdgeDevices,
        }
    }

    /// The object's place in the file.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::Server(server) => server.index(),
            Self::Storage(storage) => storage.index(),
            Self::Api(api) => api.index(),
            Self::Network(network) => network.index(),
            Self::Device(device) => device.index(),
            Self::EdgeDevice(device) => device.index(),
        }
    }

    /// The server or API that it is best computed together with, or itself.
    pub(crate) fn group(self) -> usize {
        match self {
            Self::Storage(storage) => {
                let mut servers = storage.users::<AnyServer>();
                servers.next().map_or(storage.index(), At::index)
            }
            other => other.index(),
        }
    }

    /// The object, with its parts and what is asked of them: all that its footprint is made of.
    pub(crate) fn with_parts(self) -> Vec<usize> {
        let mut places = vec![self.index()];
        if let Self::EdgeDevice(device) = self {
            for component in device.components() {
                places.push(component.index());
                places.extend(component.needs().map(At::index));
            }
        }
        places
    }

    /// What it emits in a phase of life, unless that is missing.
    pub(crate) fn emission(self, engine: &EngineOfAll, phase: Phase) -> Result<Hours, Failure> {
        let object = &engine.model().objects[self.index()];
        told(object, phase, self.footprint(phase))
    }

    /// Its footprint in a phase of life.
    fn footprint(self, phase: Phase) -> Result<Hours, Failure> {
        match (self, phase) {
            (Self::Server(server), Phase::Manufacturing) => server.manufacturing_footprint(),
            (Self::Server(server), Phase::Use) => server.use_footprint(),
            (Self::Storage(storage), Phase::Manufacturing) => storage.manufacturing_footprint(),
            (Self::Api(api), phase) => match (api.server(), phase) {
                (server, Phase::Manufacturing) => server.manufacturing_footprint(),
                (server, Phase::Use) => server.use_footprint(),
            },
            (Self::Network(network), Phase::Use) => network.use_footprint(),
            (Self::Device(device), Phase::Manufacturing) => device.manufacturing_footprint(),
            (Self::Device(device), Phase::Use) => device.use_footprint(),
            (Self::EdgeDevice(device), Phase::Manufacturing) => device.manufacturing_footprint(),
            (Self::EdgeDevice(device), Phase::Use) => device.use_footprint(),
            (Self::Storage(_), Phase::Use) | (Self::Network(_), Phase::Manufacturing) => Ok(None),
        }
    }
}

/// A footprint, if it is a number.
pub(crate) fn told(
    object: &Object,
    phase: Phase,
    footprint: Result<Hours, Failure>,
) -> Result<Hours, Failure> {
    match footprint {
        Ok(Some(hours)) if !hours.sum().is_finite() => {
            let (attribute, phase) = match phase {
                Phase::Manufacturing => ("instances_manufacturing_footprint", "manufacturing"),
                Phase::Use => ("use_footprint", "use"),
            };
            let what = format!("a footprint of {phase}");
            Err(Problem::beyond_numbers(object, attribute, &what).into())
        }
        footprint => footprint,
    }
}

/// What is missing of what a file's systems emit: a result is complete where nothing is.
pub(crate) fn missing(engine: &EngineOfAll) -> Result<Vec<Failure>, Failure> {
    let mut missing = Vec::new();
    for system in engine.all::<System>() {
        missing.extend(system.check_objects().err());
    }
    let emitters = emitters(engine);
    let look_at =
        |emitter: &Emitter<'_>| Phase::ALL.map(|phase| emitter.emission(engine, phase).err());
    engine.for_all(&emitters, look_at, |failures| {
        missing.extend(failures.into_iter().flatten());
        engine.check()
    })?;
    match missing.contains(&Failure::Cancelled) {
        true => Err(Failure::Cancelled),
        false => Ok(missing),
    }
}

/// The engine of all classes.
type EngineOfAll = Engine<<System as Target>::Object>;

/// What of the file's systems has a footprint, each object once.
pub(crate) fn emitters(engine: &EngineOfAll) -> Vec<Emitter<'_>> {
    let mut known = HashSet::new();
    let emitters = engine.all::<System>().flat_map(At::<System>::emitters);
    emitters
        .filter(|emitter| known.insert(emitter.index()))
        .collect()
}

/// Keeps all footprints as far as there is room, for who comes back to them: two of each object
/// that emits, and what each job moves over networks. Some are longer than the inputs.
pub(crate) fn keep_footprints(engine: &EngineOfAll) {
    engine.keep(3 * emitters(engine).len() + engine.all::<AnyJob>().count());
}
