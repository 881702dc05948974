//! Programs on edge computers.

use super::component_need::{COMPONENT_NEED, OWN_WEEK, STORAGE_NEED};
use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class, family};
use crate::classes::{
    EdgeComputer, EdgeComputerCPUComponent, EdgeComputerRAMComponent, EdgeStorage,
};
use crate::objects::{List, Ref};
use crate::values::{CpuCores, Ram, StorageRate, Weekly};

class! {
    /// A program on an edge computer. Its three needs take their weeks from it.
    RecurrentEdgeProcess {
        edge_device: Ref<EdgeComputer>,
        recurrent_edge_component_needs: List<ProcessNeed>,
        recurrent_compute_needed: Weekly<CpuCores>,
        recurrent_ram_needed: Weekly<Ram>,
        recurrent_storage_needed: Weekly<StorageRate>,
    }
}

family! {
    /// A need of a process.
    ProcessNeed { RecurrentEdgeProcessRAMNeed, RecurrentEdgeProcessCPUNeed, RecurrentEdgeProcessStorageNeed }
}

class! {
    /// The memory of a process.
    RecurrentEdgeProcessRAMNeed {
        edge_component: Ref<EdgeComputerRAMComponent>,
    }
}

class! {
    /// The cores of a process.
    RecurrentEdgeProcessCPUNeed {
        edge_component: Ref<EdgeComputerCPUComponent>,
    }
}

class! {
    /// The storage of a process.
    RecurrentEdgeProcessStorageNeed {
        edge_component: Ref<EdgeStorage>,
    }
}

impl Answers for RecurrentEdgeProcess {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Need);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl Answers for RecurrentEdgeProcessRAMNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[OWN_WEEK, COMPONENT_NEED];
}

impl Answers for RecurrentEdgeProcessCPUNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[OWN_WEEK, COMPONENT_NEED];
}

impl Answers for RecurrentEdgeProcessStorageNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[OWN_WEEK, COMPONENT_NEED, STORAGE_NEED];
}
