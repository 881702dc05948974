//! E-footprint systems as typed objects, read from and written to the JSON files of the e-footprint
//! library, and computed.
//!
//! A [`Model`] holds the inputs of a file of major version 27 (24 to 26 where that is safe):
//! each object is a struct of its [class](classes) with typed [values], references are checked
//! [indices](Ref), units are checked and series are plain arrays. Results stored in a file are
//! skipped.

mod attribution;
mod bytes;
mod catalogues;
pub mod classes;
pub mod diagram;
pub mod engine;
mod error;
mod files;
pub mod footprint;
mod objects;
mod series;
pub mod units;
pub mod values;

pub use self::error::{Defect, DefectKind, ReadError};
pub use self::files::read;
pub use self::objects::{List, Model, ObjectView, Ref, Target, Weighted};
