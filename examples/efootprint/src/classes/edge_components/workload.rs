//! Components whose power follows a load.

use super::power::{COMPONENT, POWERED};
use super::resource::ComponentSize;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyEdgeComponent, UsedInPatterns};
use crate::engine::{At, Failure};
use crate::units::measure::{CONCURRENT, HOUR, WATT};
use crate::values::{Mass, Power, Ratio, Scalar, Time};

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
    /// What an appliance consists of. The appliance has the rest of its attributes.
    EdgeApplianceComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        nb_of_units: Scalar<Ratio>,
    }
}

impl Answers for EdgeWorkloadComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[WORKLOAD_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeApplianceComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[APPLIANCE_COMPONENT, WORKLOAD_COMPONENT, POWERED, COMPONENT];
}

attributes! {
    APPLIANCE_COMPONENT of AnyEdgeComponent {
        "E4.8" power_per_unit [WATT]
            = "that of the appliance" => |component| component.appliance().map(|appliance| appliance.power.watts());
        "E4.8" idle_power_per_unit [WATT]
            = "that of the appliance" => |component| component.appliance().map(|appliance| appliance.idle_power.watts());
        "E4.8" lifespan [HOUR]
            = "that of the appliance" => |component| component.size(|size| size.lifespan);
    }
}

attributes! {
    WORKLOAD_COMPONENT of AnyEdgeComponent {
        "E4.4" unitary_hourly_workload_per_usage_pattern [CONCURRENT]
            = "for each pattern, what one device needs of it" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
    }
}

impl At<'_, EdgeWorkloadComponent> {
    pub(super) fn sizing(self) -> ComponentSize {
        let component = self.get();
        let units = component.nb_of_units.number();
        ComponentSize {
            manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
            power: component.power_per_unit.watts() * units,
            idle_power: component.idle_power_per_unit.watts() * units,
            lifespan: component.lifespan.hours(),
            capacity: 1.0,
            base: 0.0,
        }
    }
}

impl At<'_, EdgeApplianceComponent> {
    pub(super) fn sizing(self) -> Result<ComponentSize, Failure> {
        let component = self.get();
        let appliance = self.of::<AnyEdgeComponent>().appliance()?;
        let units = component.nb_of_units.number();
        Ok(ComponentSize {
            manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
            power: appliance.power.watts() * units,
            idle_power: appliance.idle_power.watts() * units,
            lifespan: appliance.lifespan.hours(),
            capacity: 1.0,
            base: 0.0,
        })
    }
}
