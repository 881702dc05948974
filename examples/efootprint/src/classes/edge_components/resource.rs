//! What components provide, and how much.

use crate::units::measure::{CONCURRENT, CORES, GB_RAM, Measure, TB_STORED};

/// What a component provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Ram,
    Cpu,
    Workload,
    Storage,
}

impl Resource {
    /// Our unit of it.
    pub(crate) fn unit(self) -> Measure {
        match self {
            Self::Ram => GB_RAM,
            Self::Cpu => CORES,
            Self::Workload => CONCURRENT,
            Self::Storage => TB_STORED,
        }
    }

    /// The same unit, as inputs name it.
    pub(crate) fn unit_of_inputs(self) -> &'static str {
        match self {
            Self::Ram => "gigabyte_ram",
            Self::Cpu => "cpu_core",
            Self::Workload => "concurrent",
            Self::Storage => "terabyte_stored",
        }
    }

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Ram => "available RAM",
            Self::Cpu => "available compute",
            Self::Workload => "workload",
            Self::Storage => "storage capacity",
        }
    }
}

/// What a component has, all its units together.
pub(super) struct ComponentSize {
    /// In kg.
    pub(super) manufacturing: f64,
    /// In watts.
    pub(super) power: f64,
    /// In watts.
    pub(super) idle_power: f64,
    /// In hours.
    pub(super) lifespan: f64,
    /// In our unit of what it provides.
    pub(super) capacity: f64,
    /// What it takes of that for itself.
    pub(super) base: f64,
}
