//! Which classes there are: a line for each.

use super::declare::classes;
use super::*;
use crate::engine::{self, Attribute, Computed};
use crate::objects::{
    self, AnyClass, AnyObject, AttributeFault, Change, Ids, ObjectReading, Target,
};

classes! {
    System,
    UsagePattern,
    UsageJourney,
    UsageJourneyStep,
    Job,
    GPUJob,
    Server,
    GPUServer,
    Storage,
    Device,
    Network,
    Country,
    VideoStreaming,
    VideoStreamingJob,
    BoaviztaCloudServer,
    EcoLogitsGenAIExternalAPI,
    EcoLogitsGenAIExternalAPIJob,
    EcoLogitsGenAIExternalAPIServer,
    EcoLogitsVideoGenExternalAPI,
    EcoLogitsVideoGenExternalAPIJob,
    EcoLogitsVideoGenExternalAPIServer,
    EdgeUsagePattern,
    EdgeUsageJourney,
    EdgeFunction,
    RecurrentServerNeed,
    RecurrentEdgeDeviceNeed,
    RecurrentEdgeComponentNeed,
    RecurrentEdgeStorageNeed,
    RecurrentEdgeProcess,
    RecurrentEdgeProcessRAMNeed,
    RecurrentEdgeProcessCPUNeed,
    RecurrentEdgeProcessStorageNeed,
    RecurrentEdgeWorkload,
    RecurrentEdgeWorkloadNeed,
    EdgeDevice,
    EdgeComputer,
    EdgeAppliance,
    EdgeRAMComponent,
    EdgeCPUComponent,
    EdgeWorkloadComponent,
    EdgeStorage,
    EdgeComputerRAMComponent,
    EdgeComputerCPUComponent,
    EdgeApplianceComponent,
    EdgeDeviceGroup,
}

/// The inputs of an e-footprint system.
pub type Model = objects::Model<Object>;

/// One object of a model.
pub type ObjectView<'m> = objects::ObjectView<'m, Object>;

/// Computes the values of a model.
pub type Engine = engine::Engine<Object>;
