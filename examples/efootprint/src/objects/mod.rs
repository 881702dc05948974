//! Objects: their inputs, references between them, and the model that holds them.
//!
//! Nothing here names a class: the classes say what their objects are by [`AnyObject`].

mod ids;
pub(crate) mod input;
mod list;
mod model;
mod object;
mod reading;
mod references;
mod target;
mod weighted;

pub use self::ids::Ids;
pub(crate) use self::ids::LONGEST as LONGEST_ID;
pub(crate) use self::input::Input;
pub use self::list::List;
pub(crate) use self::model::Source;
pub use self::model::{Model, ObjectView};
pub(crate) use self::object::AttributeFault;
pub use self::object::{AnyClass, AnyObject};
pub use self::reading::ObjectReading;
pub use self::references::Ref;
pub use self::target::Target;
pub(crate) use self::target::is_a;
pub use self::weighted::Weighted;
