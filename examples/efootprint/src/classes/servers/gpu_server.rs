//! Servers whose size is a number of GPUs.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyServer, SERVER, ServerSize, Storage};
use crate::engine::At;
use crate::objects::Ref;
use crate::units::measure::{GB_RAM, KG, WATT};
use crate::values::{
    CarbonIntensity, Gpus, Mass, MassPerGpu, OrEmpty, PowerPerGpu, Ram, RamPerGpu, Ratio, Scalar,
    ServerType, Time,
};

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

impl Answers for GPUServer {
    const CATEGORY: Option<Category> = Some(Category::Servers);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[GPU_SERVER, SERVER];
}

attributes! {
    GPU_SERVER of AnyServer {
        "4.9" carbon_footprint_manufacturing [KG]
            = "that without GPUs + number of GPUs × that of a GPU" =>
            |server| server.sizing().map(|size| size.manufacturing);
        "4.9" power [WATT]
            = "number of GPUs × power of a GPU" => |server| server.sizing().map(|size| size.power);
        "4.9" idle_power [WATT]
            = "number of GPUs × idle power of a GPU" => |server| server.sizing().map(|size| size.idle_power);
        "4.9" ram [GB_RAM]
            = "number of GPUs × RAM of a GPU" => |server| server.sizing().map(|size| size.ram);
    }
}

impl At<'_, GPUServer> {
    pub(super) fn sizing(self) -> ServerSize {
        let server = self.get();
        let gpus = server.compute.gpus();
        ServerSize {
            manufacturing: server.carbon_footprint_manufacturing_without_gpu.kg()
                + gpus * server.carbon_footprint_manufacturing_per_gpu.kg_per_gpu(),
            power: gpus * server.gpu_power.watts_per_gpu(),
            idle_power: gpus * server.gpu_idle_power.watts_per_gpu(),
            ram: gpus * server.ram_per_gpu.gb_per_gpu(),
            compute: gpus,
        }
    }
}
