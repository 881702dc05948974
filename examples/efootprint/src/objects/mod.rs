//! Objects: their inputs, references between them, and the model that holds them.
//!
//! Nothing here names a class: the classes say what their objects are by [`AnyObject`].

mod ids;
pub(crate) mod input;
mod model;
mod object;
mod reading;
mod references;
mod target;

pub(crate) use self::ids::{Ids, LONGEST as LONGEST_ID};
pub(crate) use self::input::Input;
pub(crate) use self::model::{Model, ObjectView, Source};
pub(crate) use self::object::{AnyClass, AnyObject, AttributeFault, Change};
pub(crate) use self::reading::ObjectReading;
pub use self::references::{List, Ref, Weighted};
pub use self::target::Target;
pub(crate) use self::target::is_a;
