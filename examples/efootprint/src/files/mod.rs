//! Files: read into a model, and written.

mod bounded;
mod draft;
mod read;
pub(crate) mod version;
mod write;

pub use self::read::read;
