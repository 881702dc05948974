//! Servers and their storage.

use crate::model::class::class;
use crate::model::relations::Ref;
use crate::model::values::{
    CarbonIntensity, CpuCores, Gpus, Mass, MassPerGpu, MassPerStored, OrEmpty, Power, PowerPerGpu,
    Ram, RamPerGpu, Ratio, Scalar, ServerType, Stored, Time,
};

class! {
    /// A server.
    Server {
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        server_type: ServerType,
        idle_power: Scalar<Power>,
        ram: Scalar<Ram>,
        compute: Scalar<CpuCores>,
        power_usage_effectiveness: Scalar<Ratio>,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        utilization_rate: Scalar<Ratio>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<CpuCores>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
        storage: Ref<Storage>,
    }
}

class! {
    /// A server whose size is a number of GPUs.
    GPUServer {
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        server_type: ServerType,
        compute: Scalar<Gpus>,
        power_usage_effectiveness: Scalar<Ratio>,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        utilization_rate: Scalar<Ratio>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<Gpus>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
        storage: Ref<Storage>,
        gpu_power: Scalar<PowerPerGpu>,
        gpu_idle_power: Scalar<PowerPerGpu>,
        ram_per_gpu: Scalar<RamPerGpu>,
        carbon_footprint_manufacturing_without_gpu: Scalar<Mass>,
        carbon_footprint_manufacturing_per_gpu: Scalar<MassPerGpu>,
    }
}

class! {
    /// The storage of a server.
    Storage {
        power: Option<Scalar<Power>> = None,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        carbon_footprint_manufacturing_per_storage_capacity: Scalar<MassPerStored>,
        storage_capacity: Scalar<Stored>,
        data_replication_factor: Scalar<Ratio>,
        data_storage_duration: Scalar<Time>,
        base_storage_need: Scalar<Stored>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
    }
}
