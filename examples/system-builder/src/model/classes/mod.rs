//! The classes of an e-footprint system, a file for each family.

mod boavizta;
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
pub use self::web_usage::*;

use super::Model;
use super::class::classes;
use super::error::Fault;

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

impl Object {
    /// Checks what takes more than one object to see, once all are linked.
    pub(super) fn check(&self, model: &Model) -> Result<(), (&'static str, Fault)> {
        match self {
            Self::RecurrentEdgeComponentNeed(need) => {
                need.check(model).map_err(|fault| ("recurrent_need", fault))
            }
            _ => Ok(()),
        }
    }
}
