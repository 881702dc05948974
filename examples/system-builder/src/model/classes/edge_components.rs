//! What devices in the field are made of.

use crate::model::class::{class, family};
use crate::model::values::{
    CpuCores, Mass, MassPerStored, Power, Ram, Ratio, Scalar, Stored, Time,
};

class! {
    /// Memory.
    EdgeRAMComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
        ram_per_unit: Scalar<Ram>,
        base_ram_consumption: Scalar<Ram>,
    }
}

class! {
    /// A processor.
    EdgeCPUComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
        compute_per_unit: Scalar<CpuCores>,
        base_compute_consumption: Scalar<CpuCores>,
    }
}

class! {
    /// Anything whose power follows a load between 0 and 1.
    EdgeWorkloadComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
    }
}

class! {
    /// Storage. It draws no power.
    EdgeStorage {
        carbon_footprint_manufacturing_per_unit: Option<Scalar<Mass>> = None,
        power_per_unit: Option<Scalar<Power>> = None,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Option<Scalar<Power>> = None,
        nb_of_units: Scalar<Ratio>,
        carbon_footprint_manufacturing_per_storage_capacity: Scalar<MassPerStored>,
        storage_capacity_per_unit: Scalar<Stored>,
        base_storage_need: Scalar<Stored>,
    }
}

class! {
    /// The memory of an edge computer, which has the rest of its attributes.
    EdgeComputerRAMComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
    }
}

class! {
    /// The processor of an edge computer, which has the rest of its attributes.
    EdgeComputerCPUComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        nb_of_units: Scalar<Ratio>,
    }
}

class! {
    /// What an appliance consists of. The appliance has the rest of its attributes.
    EdgeApplianceComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        nb_of_units: Scalar<Ratio>,
    }
}

family! {
    /// A component of any class.
    AnyEdgeComponent {
        EdgeRAMComponent, EdgeCPUComponent, EdgeWorkloadComponent, EdgeStorage,
        EdgeComputerRAMComponent, EdgeComputerCPUComponent, EdgeApplianceComponent,
    }
}
