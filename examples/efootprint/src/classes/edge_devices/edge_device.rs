//! Devices made of any components.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{AnyEdgeComponent, EDGE_DEVICE};
use crate::objects::List;
use crate::values::{Mass, Scalar, Time};

class! {
    /// A device made of any components.
    EdgeDevice {
        lifespan: Scalar<Time>,
        structure_carbon_footprint_manufacturing: Scalar<Mass>,
        components: List<AnyEdgeComponent>,
    }
}

impl Answers for EdgeDevice {
    const CATEGORY: Option<Category> = Some(Category::EdgeDevices);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[EDGE_DEVICE];
}
