//! Which classes there are: a line for each, with the module that has it.

use super::declare::{Answers, Category, Column, classes};
use crate::engine::{self, Attribute, Computed};
use crate::objects::{self, AnyClass, AnyObject, AttributeFault, Ids, ObjectReading, Target};

classes! {
    system::System,
    web_usage::UsagePattern,
    web_usage::UsageJourney,
    web_usage::UsageJourneyStep,
    jobs::Job,
    jobs::GPUJob,
    servers::Server,
    servers::GPUServer,
    servers::Storage,
    environment::Device,
    environment::Network,
    environment::Country,
    services::VideoStreaming,
    services::VideoStreamingJob,
    servers::BoaviztaCloudServer,
    external_apis::EcoLogitsGenAIExternalAPI,
    external_apis::EcoLogitsGenAIExternalAPIJob,
    external_apis::EcoLogitsGenAIExternalAPIServer,
    external_apis::EcoLogitsVideoGenExternalAPI,
    external_apis::EcoLogitsVideoGenExternalAPIJob,
    external_apis::EcoLogitsVideoGenExternalAPIServer,
    edge_usage::EdgeUsagePattern,
    edge_usage::EdgeUsageJourney,
    edge_usage::EdgeFunction,
    edge_usage::RecurrentServerNeed,
    edge_needs::RecurrentEdgeDeviceNeed,
    edge_needs::RecurrentEdgeComponentNeed,
    edge_needs::RecurrentEdgeStorageNeed,
    edge_needs::RecurrentEdgeProcess,
    edge_needs::RecurrentEdgeProcessRAMNeed,
    edge_needs::RecurrentEdgeProcessCPUNeed,
    edge_needs::RecurrentEdgeProcessStorageNeed,
    edge_needs::RecurrentEdgeWorkload,
    edge_needs::RecurrentEdgeWorkloadNeed,
    edge_devices::EdgeDevice,
    edge_devices::EdgeComputer,
    edge_devices::EdgeAppliance,
    edge_components::EdgeRAMComponent,
    edge_components::EdgeCPUComponent,
    edge_components::EdgeWorkloadComponent,
    edge_components::EdgeStorage,
    edge_components::EdgeComputerRAMComponent,
    edge_components::EdgeComputerCPUComponent,
    edge_components::EdgeApplianceComponent,
    edge_groups::EdgeDeviceGroup,
}

/// The inputs of an e-footprint system.
pub type Model = objects::Model<Object>;

/// One object of a model.
pub type ObjectView<'m> = objects::ObjectView<'m, Object>;

/// Computes the values of a model.
pub type Engine = engine::Engine<Object>;
