//! Files: read into a model, and written.

mod block;
mod bounded;
mod draft;
mod gather;
mod is_object;
mod parse;
mod plant;
mod read;
mod recorder;
mod sources;
mod tree;
mod unknown;
mod upgrade;
pub(crate) mod version;
mod write;

pub(crate) use self::read::{read, read_all};
