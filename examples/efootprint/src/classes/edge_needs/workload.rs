//! Loads of appliances.

use super::component_need::{COMPONENT_NEED, OWN_WEEK};
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{EdgeAppliance, EdgeApplianceComponent};
use crate::objects::{List, Ref};
use crate::values::{Weekly, Workload};

class! {
    /// The load of an appliance. Its need takes its week from it.
    RecurrentEdgeWorkload {
        edge_device: Ref<EdgeAppliance>,
        recurrent_edge_component_needs: List<RecurrentEdgeWorkloadNeed>,
        recurrent_workload: Weekly<Workload>,
    }
}

class! {
    /// The load of an appliance's component.
    RecurrentEdgeWorkloadNeed {
        edge_component: Ref<EdgeApplianceComponent>,
    }
}

impl Answers for RecurrentEdgeWorkload {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Need);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl Answers for RecurrentEdgeWorkloadNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[OWN_WEEK, COMPONENT_NEED];
}
