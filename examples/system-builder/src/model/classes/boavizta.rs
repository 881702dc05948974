//! Cloud servers of Boavizta's catalogue.

use super::Storage;
use crate::model::class::class;
use crate::model::relations::Ref;
use crate::model::values::{
    CarbonIntensity, CpuCores, OrEmpty, Power, Ram, Ratio, Scalar, ServerType, Text, Time,
};

class! {
    /// A server whose manufacturing, power, RAM and cores follow from provider and instance type.
    BoaviztaCloudServer {
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        server_type: ServerType,
        idle_power: Scalar<Power>,
        power_usage_effectiveness: Scalar<Ratio>,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        utilization_rate: Scalar<Ratio>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<CpuCores>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
        storage: Ref<Storage>,
        provider: Text,
        instance_type: Text,
        impact_url: Option<Box<str>> = None,
    }
}
