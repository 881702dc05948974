//! Edge computers.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class, family};
use crate::classes::{
    EDGE_DEVICE, EdgeComputerCPUComponent, EdgeComputerRAMComponent, EdgeStorage, ONE_PIECE,
};
use crate::objects::{List, Ref};
use crate::values::{CpuCores, Mass, Power, Ram, Scalar, Time};

class! {
    /// A device made of processor, memory and storage.
    EdgeComputer {
        lifespan: Scalar<Time>,
        components: List<EdgeComputerComponent>,
        storage: Ref<EdgeStorage>,
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        idle_power: Scalar<Power>,
        ram: Scalar<Ram>,
        compute: Scalar<CpuCores>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<CpuCores>,
    }
}

family! {
    /// A component of an edge computer.
    EdgeComputerComponent { EdgeComputerCPUComponent, EdgeComputerRAMComponent, EdgeStorage }
}

impl Answers for EdgeComputer {
    const CATEGORY: Option<Category> = Some(Category::EdgeDevices);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[ONE_PIECE, EDGE_DEVICE];
}
