//! Fleets of devices in the field.

mod journey;
mod path;
mod pattern;
mod server_need;

pub use self::journey::*;
pub(crate) use self::path::*;
pub use self::pattern::*;
pub use self::server_need::*;
