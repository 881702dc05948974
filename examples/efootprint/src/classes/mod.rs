//! The classes of an e-footprint system, a folder or file for each family.

mod declare;
mod edge_components;
mod edge_devices;
mod edge_groups;
mod edge_needs;
mod edge_usage;
mod emitter;
mod environment;
mod external_apis;
mod jobs;
mod list;
mod servers;
mod services;
mod system;
mod ways;
mod web_usage;

pub use self::declare::{Category, Column, Phase};
pub use self::edge_components::AnyEdgeComponent;
pub(crate) use self::edge_components::Resource;
pub use self::edge_devices::{AnyEdgeDevice, EdgeComputerComponent};
use self::edge_devices::{EDGE_DEVICE, ONE_PIECE};
pub use self::edge_needs::{AnyEdgeComponentNeed, AnyEdgeDeviceNeed, ProcessNeed};
pub(crate) use self::edge_usage::{Path, UsedInPatterns};
use self::edge_usage::{occurrences_in, patterns_of};
pub(crate) use self::emitter::{Emitter, emitters, keep_footprints, missing, told};
use self::environment::hour_of_week;
pub use self::external_apis::{AnyApi, AnyApiServer};
pub use self::jobs::AnyJob;
pub(crate) use self::jobs::Coordinate;
use self::jobs::JOB;
pub use self::list::*;
pub use self::servers::{AnyServer, CpuServer};
use self::servers::{SERVER, ServerSize};
pub use self::web_usage::AnyUsagePattern;
use self::web_usage::{Elapsed, StepOf};
