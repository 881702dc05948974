//! Storage of devices in the field.

use super::power::COMPONENT;
use super::resource::ComponentSize;
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyEdgeComponent, UsedInPatterns};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::shown;
use crate::units::measure::{NUMBER, TB_STORED};
use crate::values::{Mass, MassPerStored, Power, Ratio, Scalar, Stored, Time};

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

impl Answers for EdgeStorage {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[EDGE_STORAGE, COMPONENT];
}

attributes! {
    EDGE_STORAGE of AnyEdgeComponent {
        "E4.5" storage_capacity [TB_STORED]
            = "capacity of a unit × number of units" => |component| component.size(|size| size.capacity);
        "E4.5" cumulative_unitary_storage_need_per_usage_pattern [TB_STORED]
            = "for each pattern, what one device wrote so far + base storage need" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
        only "E10" storage_capacity_validation [NUMBER]
            = "what is stored is never less than nothing nor more than the capacity" =>
            |component| component.check_levels();
    }
}

impl At<'_, EdgeStorage> {
    pub(super) fn sizing(self) -> ComponentSize {
        let storage = self.get();
        let capacity = storage.storage_capacity_per_unit.tb() * storage.nb_of_units.number();
        let of_capacity = &storage.carbon_footprint_manufacturing_per_storage_capacity;
        ComponentSize {
            manufacturing: capacity * of_capacity.kg_per_tb(),
            power: 0.0,
            idle_power: 0.0,
            lifespan: storage.lifespan.hours(),
            capacity,
            base: storage.base_storage_need.tb(),
        }
    }
}

impl<'e> At<'e, AnyEdgeComponent> {
    fn check_levels(self) -> Result<(), Failure> {
        let capacity = self.sizing()?.capacity;
        for pattern in self.usage_patterns() {
            let Some(level) = self.need(pattern)? else {
                continue;
            };
            if level.min() < 0.0 {
                let detail = format!(
                    "has less than nothing in it in the pattern “{}”; write more to it, or delete less.",
                    shown(pattern.name())
                );
                let attribute = "cumulative_unitary_storage_need_per_usage_pattern";
                return Err(self
                    .problem(ProblemKind::NegativeStorage, attribute, detail)
                    .into());
            }
            self.check_need(f64::from(level.max()), capacity)?;
        }
        Ok(())
    }
}
