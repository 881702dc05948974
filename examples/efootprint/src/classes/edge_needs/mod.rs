//! What is needed of devices in the field and of their components.

mod component_need;
mod device_need;
mod own_needs;
mod process;
mod workload;

pub use self::component_need::*;
pub use self::device_need::*;
pub use self::own_needs::*;
pub use self::process::*;
pub use self::workload::*;
