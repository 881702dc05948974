//! E-footprint systems as typed objects, read from and written to the JSON files of the e-footprint
//! library, and computed.
//!
//! A [`Model`] holds the inputs of a file of major version 27; those of 9 to 26 are converted on the
//! way. Each object is a struct of its [class](classes) with typed [values], references are checked
//! [indices](Ref), units are checked and series are plain arrays. Results stored in a file are
//! skipped.

mod attribution;
mod bytes;
mod catalogues;
pub mod classes;
mod computed;
pub mod diagram;
pub mod engine;
mod error;
mod files;
pub mod footprint;
mod hours;
pub mod objects;
mod series;
pub mod units;
pub mod values;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

pub use self::attribution::{Attribution, Component, Row, Stream, Way};
pub use self::classes::{Engine, Model, ObjectView};
pub use self::computed::write_computed;
pub use self::engine::{
    Attribute, Cancel, Entries, Failure, Guard, HoursInShort, Problem, ProblemKind, Query, Summary,
    Value, Week,
};
pub use self::error::{Defect, DefectKind, ReadError, printable};
pub use self::objects::{List, Ref, Target, Weighted};
pub use self::series::Series;

/// Reads the inputs of an e-footprint system.
///
/// The file is streamed: results stored in it are skipped without being kept, and memory stays
/// close to the size of the model whatever the input, which may come from anyone.
///
/// # Errors
///
/// The first thing wrong with the file.
pub fn read(input: impl io::Read) -> Result<Model, ReadError> {
    files::read(input, Rc::new(RefCell::new(|_| true)))
}

/// Reads the inputs of all systems of a file: those of a workspace, which holds several models, or
/// the one of any other file.
///
/// # Errors
///
/// The first thing wrong with the file.
pub fn read_all(input: impl io::Read) -> Result<Vec<Model>, ReadError> {
    read_within(input, |_| true)
}

/// [Reads all](read_all) while there is room. `room` is called with the bytes of each series before they
/// are allocated, and with those of each object, and returns whether there are as many. A file of some
/// kilobytes can stand for 134 MB of hours.
///
/// # Errors
///
/// The first thing wrong with the file, or that there is no room for more of it.
pub fn read_within(
    input: impl io::Read,
    room: impl FnMut(usize) -> bool + 'static,
) -> Result<Vec<Model>, ReadError> {
    files::read_all(input, Rc::new(RefCell::new(room)))
}
