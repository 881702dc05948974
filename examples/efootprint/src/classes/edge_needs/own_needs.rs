//! Needs of components whose week is their own.

use super::component_need::{COMPONENT_NEED, STORAGE_NEED};
use crate::classes::declare::{Answers, Category, Checks, Column, ModelOf, Tables, class};
use crate::classes::{AnyEdgeComponent, EdgeStorage};
use crate::error::Fault;
use crate::objects::{AttributeFault, Ref};
use crate::values::{
    ComponentNeed, CpuCores, Quantity, Ram, StorageRate, Stored, Weekly, Workload, wrong_unit,
};

class! {
    /// What is needed of a component.
    RecurrentEdgeComponentNeed {
        edge_component: Ref<AnyEdgeComponent>,
        recurrent_need: Weekly<ComponentNeed>,
    }
}

class! {
    /// What is written to a storage each hour, less what is deleted.
    RecurrentEdgeStorageNeed {
        edge_component: Ref<EdgeStorage>,
        recurrent_need: Weekly<StorageRate>,
    }
}

impl RecurrentEdgeComponentNeed {
    /// Whether the need is of what the component provides.
    fn check(&self, model: &ModelOf<Self>) -> Result<(), AttributeFault> {
        fn unit_is<Q: Quantity>(need: &Weekly<ComponentNeed>) -> Result<(), Fault> {
            if Q::admits(&need.unit) {
                Ok(())
            } else {
                Err(wrong_unit::<Q>(&need.unit))
            }
        }

        let need = &self.recurrent_need;
        let checked = match model.get(self.edge_component) {
            AnyEdgeComponent::EdgeRAMComponent(_)
            | AnyEdgeComponent::EdgeComputerRAMComponent(_) => unit_is::<Ram>(need),
            AnyEdgeComponent::EdgeCPUComponent(_)
            | AnyEdgeComponent::EdgeComputerCPUComponent(_) => unit_is::<CpuCores>(need),
            AnyEdgeComponent::EdgeWorkloadComponent(_)
            | AnyEdgeComponent::EdgeApplianceComponent(_) => unit_is::<Workload>(need),
            AnyEdgeComponent::EdgeStorage(_) => unit_is::<Stored>(need),
        };
        checked.map_err(|fault| ("recurrent_need", fault))
    }
}

impl Answers for RecurrentEdgeComponentNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::each(Self::check);
    const TABLES: Tables<Self> = &[COMPONENT_NEED];
}

impl Answers for RecurrentEdgeStorageNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[COMPONENT_NEED, STORAGE_NEED];
}
