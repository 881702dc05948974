//! Devices in the field.

use super::{
    AnyEdgeComponent, EdgeApplianceComponent, EdgeComputerCPUComponent, EdgeComputerRAMComponent,
    EdgeStorage,
};
use crate::model::class::{class, family};
use crate::model::relations::{List, Ref};
use crate::model::values::{CpuCores, Mass, Power, Ram, Scalar, Time};

class! {
    /// A device made of any components.
    EdgeDevice {
        lifespan: Scalar<Time>,
        structure_carbon_footprint_manufacturing: Scalar<Mass>,
        components: List<AnyEdgeComponent>,
    }
}

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

class! {
    /// A device that does one thing, more or less of it.
    EdgeAppliance {
        lifespan: Scalar<Time>,
        components: List<EdgeApplianceComponent>,
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        idle_power: Scalar<Power>,
    }
}

family! {
    /// A device of any class.
    AnyEdgeDevice { EdgeDevice, EdgeComputer, EdgeAppliance }
}
