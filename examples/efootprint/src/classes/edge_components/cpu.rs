//! Processors of devices in the field.

use super::power::{COMPONENT, POWERED};
use super::resource::ComponentSize;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyEdgeComponent, UsedInPatterns};
use crate::engine::{At, Failure};
use crate::units::measure::{CORES, HOUR, WATT};
use crate::values::{CpuCores, Mass, Power, Ratio, Scalar, Time};

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
    /// The processor of an edge computer, which has the rest of its attributes.
    EdgeComputerCPUComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        nb_of_units: Scalar<Ratio>,
    }
}

impl Answers for EdgeCPUComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[CPU_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeComputerCPUComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[COMPUTER_CPU, CPU_COMPONENT, POWERED, COMPONENT];
}

attributes! {
    COMPUTER_CPU of AnyEdgeComponent {
        "E4.7" compute_per_unit [CORES]
            = "that of the computer" => |component| component.computer().map(|computer| computer.compute.cores());
        "E4.7" base_compute_consumption [CORES]
            = "that of the computer" => |component| component.size(|size| size.base);
        "E4.7" power_per_unit [WATT]
            = "that of the computer" => |component| component.computer().map(|computer| computer.power.watts());
        "E4.7" idle_power_per_unit [WATT]
            = "that of the computer" => |component| component.computer().map(|computer| computer.idle_power.watts());
        "E4.7" lifespan [HOUR]
            = "that of the computer" => |component| component.size(|size| size.lifespan);
    }
}

attributes! {
    CPU_COMPONENT of AnyEdgeComponent {
        "E4.4" compute [CORES]
            = "compute of a unit × number of units" => |component| component.size(|size| size.capacity);
        guard "E4.4" available_compute_per_instance [CORES]
            = "compute − base compute consumption" => |component| component.available();
        "E4.4" unitary_hourly_compute_need_per_usage_pattern [CORES]
            = "for each pattern, what one device needs of it" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
    }
}

impl At<'_, EdgeCPUComponent> {
    pub(super) fn sizing(self) -> ComponentSize {
        let component = self.get();
        let units = component.nb_of_units.number();
        ComponentSize {
            manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
            power: component.power_per_unit.watts() * units,
            idle_power: component.idle_power_per_unit.watts() * units,
            lifespan: component.lifespan.hours(),
            capacity: component.compute_per_unit.cores() * units,
            base: component.base_compute_consumption.cores(),
        }
    }
}

impl At<'_, EdgeComputerCPUComponent> {
    pub(super) fn sizing(self) -> Result<ComponentSize, Failure> {
        let component = self.get();
        let computer = self.of::<AnyEdgeComponent>().computer()?;
        let units = component.nb_of_units.number();
        Ok(ComponentSize {
            manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
            power: computer.power.watts() * units,
            idle_power: computer.idle_power.watts() * units,
            lifespan: computer.lifespan.hours(),
            capacity: computer.compute.cores() * units,
            base: computer.base_compute_consumption.cores(),
        })
    }
}
