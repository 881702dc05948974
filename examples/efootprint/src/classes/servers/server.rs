//! Servers whose parts a file gives.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{SERVER, ServerSize, Storage};
use crate::engine::At;
use crate::objects::Ref;
use crate::values::{
    CarbonIntensity, CpuCores, Mass, OrEmpty, Power, Ram, Ratio, Scalar, ServerType, Time,
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

impl Answers for Server {
    const CATEGORY: Option<Category> = Some(Category::Servers);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[SERVER];
}

impl At<'_, Server> {
    pub(super) fn sizing(self) -> ServerSize {
        let server = self.get();
        ServerSize {
            manufacturing: server.carbon_footprint_manufacturing.kg(),
            power: server.power.watts(),
            idle_power: server.idle_power.watts(),
            ram: server.ram.gb(),
            compute: server.compute.cores(),
        }
    }
}
