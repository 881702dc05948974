//! Memory of devices in the field.

use super::power::{COMPONENT, POWERED};
use super::resource::ComponentSize;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyEdgeComponent, UsedInPatterns};
use crate::engine::{At, Failure};
use crate::units::measure::{GB_RAM, HOUR};
use crate::values::{Mass, Power, Ram, Ratio, Scalar, Time};

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
    /// The memory of an edge computer, which has the rest of its attributes.
    EdgeComputerRAMComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
    }
}

impl Answers for EdgeRAMComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[RAM_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeComputerRAMComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[COMPUTER_RAM, RAM_COMPONENT, POWERED, COMPONENT];
}

attributes! {
    COMPUTER_RAM of AnyEdgeComponent {
        "E4.7" ram_per_unit [GB_RAM]
            = "that of the computer" => |component| component.computer().map(|computer| computer.ram.gb());
        "E4.7" base_ram_consumption [GB_RAM]
            = "that of the computer" => |component| component.size(|size| size.base);
        "E4.7" lifespan [HOUR]
            = "that of the computer" => |component| component.size(|size| size.lifespan);
    }
}

attributes! {
    RAM_COMPONENT of AnyEdgeComponent {
        "E4.4" ram [GB_RAM]
            = "RAM of a unit × number of units" => |component| component.size(|size| size.capacity);
        guard "E4.4" available_ram_per_instance [GB_RAM]
            = "RAM − base RAM consumption" => |component| component.available();
        "E4.4" unitary_hourly_ram_need_per_usage_pattern [GB_RAM]
            = "for each pattern, what one device needs of it" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
    }
}

impl At<'_, EdgeRAMComponent> {
    pub(super) fn sizing(self) -> ComponentSize {
        let component = self.get();
        let units = component.nb_of_units.number();
        ComponentSize {
            manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
            power: component.power_per_unit.watts() * units,
            idle_power: component.idle_power_per_unit.watts() * units,
            lifespan: component.lifespan.hours(),
            capacity: component.ram_per_unit.gb() * units,
            base: component.base_ram_consumption.gb(),
        }
    }
}

impl At<'_, EdgeComputerRAMComponent> {
    pub(super) fn sizing(self) -> Result<ComponentSize, Failure> {
        let component = self.get();
        let computer = self.of::<AnyEdgeComponent>().computer()?;
        let units = component.nb_of_units.number();
        Ok(ComponentSize {
            manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
            power: component.power_per_unit.watts() * units,
            idle_power: component.idle_power_per_unit.watts() * units,
            lifespan: computer.lifespan.hours(),
            capacity: computer.ram.gb() * units,
            base: computer.base_ram_consumption.gb(),
        })
    }
}
