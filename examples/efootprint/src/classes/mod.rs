//! The classes of an e-footprint system, a file for each family.

mod boavizta;
mod declare;
mod edge_components;
mod edge_devices;
mod edge_groups;
mod edge_needs;
mod edge_usage;
mod environment;
mod external_apis;
mod jobs;
mod servers;
mod services;
mod system;
mod web_usage;

pub use self::boavizta::*;
pub use self::edge_components::*;
pub use self::edge_devices::*;
pub use self::edge_groups::*;
pub use self::edge_needs::*;
pub use self::edge_usage::*;
pub use self::environment::*;
pub use self::external_apis::*;
pub use self::jobs::*;
pub use self::servers::*;
pub use self::services::*;
pub use self::system::*;
pub use self::web_usage::*;

use self::declare::classes;
pub(crate) use self::edge_components::Kind;
pub(crate) use self::edge_usage::{Path, UsedInPatterns};
pub(crate) use self::jobs::Place;
pub(crate) use self::system::Emitter;
use crate::Model;
use crate::error::{DefectKind, Fault};

classes! {
    System, UsagePattern, UsageJourney, UsageJourneyStep,
    Job, GPUJob, Server, GPUServer, Storage,
    Device, Network, Country,
    VideoStreaming, VideoStreamingJob,
    BoaviztaCloudServer,
    EcoLogitsGenAIExternalAPI, EcoLogitsGenAIExternalAPIJob, EcoLogitsGenAIExternalAPIServer,
    EcoLogitsVideoGenExternalAPI, EcoLogitsVideoGenExternalAPIJob, EcoLogitsVideoGenExternalAPIServer,
    EdgeUsagePattern, EdgeUsageJourney, EdgeFunction,
    RecurrentServerNeed,
    RecurrentEdgeDeviceNeed, RecurrentEdgeComponentNeed, RecurrentEdgeStorageNeed,
    RecurrentEdgeProcess, RecurrentEdgeProcessRAMNeed, RecurrentEdgeProcessCPUNeed, RecurrentEdgeProcessStorageNeed,
    RecurrentEdgeWorkload, RecurrentEdgeWorkloadNeed,
    EdgeDevice, EdgeComputer, EdgeAppliance,
    EdgeRAMComponent, EdgeCPUComponent, EdgeWorkloadComponent, EdgeStorage,
    EdgeComputerRAMComponent, EdgeComputerCPUComponent, EdgeApplianceComponent,
    EdgeDeviceGroup,
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Checks what takes more than one object to see, and names object and attribute where something is
/// wrong.
pub(crate) fn check(model: &Model) -> Result<(), (&Object, &'static str, Fault)> {
    for object in &model.objects {
        let checked = match object {
            Object::RecurrentEdgeComponentNeed(need) => {
                need.check(model).map_err(|fault| ("recurrent_need", fault))
            }
            Object::BoaviztaCloudServer(server) => server.check(),
            Object::VideoStreamingJob(job) => job.check(),
            Object::EcoLogitsGenAIExternalAPI(api) => api.check(),
            Object::EcoLogitsVideoGenExternalAPI(api) => api.check(),
            _ => Ok(()),
        };
        checked.map_err(|(attribute, fault)| (object, attribute, fault))?;
    }
    // These need their API to be sound.
    for object in &model.objects {
        if let Object::EcoLogitsVideoGenExternalAPIJob(job) = object {
            job.check(model.get(job.external_api))
                .map_err(|(attribute, fault)| (object, attribute, fault))?;
        }
    }
    match edge_groups::circular(model) {
        Some(group) => {
            let text = "leads back to a group it started from; take one of the sub-groups out";
            Err((
                group,
                "sub_group_counts",
                Fault::new(DefectKind::CircularReference, text),
            ))
        }
        None => Ok(()),
    }
}
