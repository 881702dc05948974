//! What a file describes, and its footprint.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    AnyApi, AnyApiServer, AnyEdgeDevice, AnyEdgeDeviceNeed, AnyJob, AnyServer, AnyUsagePattern,
    Device, EdgeUsagePattern, Network, Storage, UsagePattern,
};
use crate::classes::declare::class;
use crate::engine::{At, Failure, ProblemKind, attributes, computed};
use crate::objects::references::List;
use crate::series::{Hours, sum};
use crate::units::measure::KG;

class! {
    /// What a file describes. Patterns listed twice count once.
    System {
        usage_patterns: List<UsagePattern>,
        edge_usage_patterns: List<EdgeUsagePattern>,
    }
}

computed! {
    System: SYSTEM;
}

attributes! {
    SYSTEM of System {
        only "4.12" objects_validation [KG]
            = "no object is part of another system too" => |system| system.check_objects();
        "4.12" total_footprint [KG]
            = "sum over the objects of the system of manufacturing and use footprint" =>
            |system| system.total_footprint();
    }
}

/// What objects with a footprint are counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[allow(missing_docs)]
pub enum Category {
    Servers,
    Storage,
    ExternalAPIs,
    Network,
    Devices,
    EdgeDevices,
}

impl Category {
    /// All of them, in the order of the specification.
    pub const ALL: [Self; 6] = [
        Self::Servers,
        Self::Storage,
        Self::ExternalAPIs,
        Self::Network,
        Self::Devices,
        Self::EdgeDevices,
    ];
}

/// A phase of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[allow(missing_docs)]
pub enum Phase {
    Manufacturing,
    Use,
}

impl Phase {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Manufacturing, Self::Use];
}

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
                let mut servers = storage.referrers::<AnyServer>();
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

    /// Its footprint in a phase of life.
    pub(crate) fn footprint(self, phase: Phase) -> Result<Hours, Failure> {
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

impl<'e> At<'e, AnyApi> {
    pub(crate) fn server(self) -> At<'e, AnyApiServer> {
        match self.get() {
            AnyApi::EcoLogitsGenAIExternalAPI(api) => self.at(self.at(api).get().server).of(),
            AnyApi::EcoLogitsVideoGenExternalAPI(api) => self.at(self.at(api).get().server).of(),
        }
    }
}

impl<'e> At<'e, AnyJob> {
    /// The API, if other people do the job.
    pub(crate) fn api(self) -> Option<At<'e, AnyApi>> {
        match self.get() {
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => {
                Some(self.at(self.at(job).get().external_api).of())
            }
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => {
                Some(self.at(self.at(job).get().external_api).of())
            }
            AnyJob::Job(_) | AnyJob::GPUJob(_) | AnyJob::VideoStreamingJob(_) => None,
        }
    }
}

impl<'e> At<'e, System> {
    fn patterns(self) -> impl Iterator<Item = At<'e, AnyUsagePattern>> {
        let system = self.get();
        let web = system
            .usage_patterns
            .iter()
            .map(move |pattern| self.at(*pattern).of());
        web.chain(
            system
                .edge_usage_patterns
                .iter()
                .map(move |pattern| self.at(*pattern).of()),
        )
    }

    /// What of the system has a footprint, each object once.
    pub(crate) fn emitters(self) -> Vec<Emitter<'e>> {
        let mut emitters = BTreeMap::new();
        let mut add = |emitter: Emitter<'e>| {
            emitters.insert((emitter.category(), emitter.index()), emitter);
        };
        let mut jobs = Vec::new();
        for pattern in self.patterns() {
            add(Emitter::Network(pattern.network()));
            match pattern.get() {
                AnyUsagePattern::UsagePattern(pattern) => {
                    let pattern = self.at(pattern);
                    let devices = &pattern.get().devices;
                    devices
                        .iter()
                        .for_each(|device| add(Emitter::Device(self.at(*device))));
                    jobs.extend(pattern.jobs());
                }
                AnyUsagePattern::EdgeUsagePattern(pattern) => {
                    let pattern = self.at(pattern);
                    let needs = pattern
                        .functions()
                        .flat_map(|function| function.get().recurrent_edge_device_needs.iter());
                    needs.for_each(|need| {
                        let need: At<'e, AnyEdgeDeviceNeed> = self.at(*need);
                        add(Emitter::EdgeDevice(need.edge_device()));
                    });
                    jobs.extend(pattern.jobs());
                }
            }
        }
        jobs.sort_unstable_by_key(|job| job.index());
        jobs.dedup();
        for job in jobs {
            if let Some(server) = job.server() {
                add(Emitter::Server(server));
                add(Emitter::Storage(server.storage()));
            }
            if let Some(api) = job.api() {
                add(Emitter::Api(api));
            }
        }
        emitters.into_values().collect()
    }

    /// Whether its objects are its own.
    fn check_objects(self) -> Result<(), Failure> {
        for other in self.all::<System>().filter(|other| *other != self) {
            self.check_cancelled()?;
            let places: HashSet<_> = other
                .emitters()
                .iter()
                .map(|emitter| emitter.index())
                .collect();
            let mut own = self.emitters().into_iter().map(Emitter::index);
            if let Some(shared) = own.find(|place| places.contains(place)) {
                let detail = format!(
                    "has the object `{}` in common with the system “{}”; give each its own.",
                    self.id_at(shared),
                    other.name()
                );
                return Err(self
                    .problem(ProblemKind::WrongLink, "total_footprint", detail)
                    .into());
            }
        }
        Ok(())
    }

    fn total_footprint(self) -> Result<Hours, Failure> {
        self.check_objects()?;
        let emitters = self.emitters().into_iter();
        sum(emitters.flat_map(|emitter| Phase::ALL.map(|phase| emitter.footprint(phase))))
    }
}
