//! People using the service.

mod any_pattern;
mod elapsed;
mod journey;
mod pattern;
mod step;

pub use self::any_pattern::*;
pub(crate) use self::elapsed::Elapsed;
pub use self::journey::*;
pub use self::pattern::*;
pub use self::step::*;
