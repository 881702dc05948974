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

use self::declare::Answers;
pub use self::declare::{Category, Column, Phase};
pub use self::edge_components::*;
pub use self::edge_devices::*;
pub use self::edge_groups::*;
pub use self::edge_needs::*;
pub use self::edge_usage::*;
pub use self::environment::*;
pub use self::external_apis::*;
pub use self::jobs::*;
pub use self::list::*;
pub use self::servers::*;
pub use self::services::*;
pub use self::system::*;
pub use self::web_usage::*;

pub(crate) use self::emitter::{Emitter, emitters, keep_footprints};
