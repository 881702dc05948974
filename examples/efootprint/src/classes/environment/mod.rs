//! What people use, and where.

mod country;
mod device;
mod network;

pub use self::country::*;
pub use self::device::*;
pub use self::network::*;
