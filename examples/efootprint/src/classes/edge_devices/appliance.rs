//! Appliances.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::classes::{EDGE_DEVICE, EdgeApplianceComponent, ONE_PIECE};
use crate::objects::List;
use crate::values::{Mass, Power, Scalar, Time};

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

impl Answers for EdgeAppliance {
    const CATEGORY: Option<Category> = Some(Category::EdgeDevices);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[ONE_PIECE, EDGE_DEVICE];
}
