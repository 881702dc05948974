//! Files: read into a model, and written.

mod bounded;
mod draft;
mod is_object;
mod read;
mod sources;
mod unknown;
pub(crate) mod version;
mod write;

pub(crate) use self::read::read;
