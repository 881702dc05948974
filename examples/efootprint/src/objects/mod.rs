//! Objects: their inputs, references between them, and the model that holds them.

pub(crate) mod ids;
pub(crate) mod input;
mod model;
pub(crate) mod references;

pub use self::input::Target;
pub(crate) use self::model::Source;
pub use self::model::{Model, ObjectView};
pub use self::references::{List, Ref, Weighted};
