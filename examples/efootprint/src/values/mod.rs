//! Values of attributes: numbers with units, texts, time zones, time series.

mod amount;
mod compressed;
mod form;
mod growth;
mod hourly;
mod note;
mod parts;
mod profile_form;
mod profiles;
mod quantity;
mod reading;
mod scalar;
mod source;

mod text;
mod weekly;

use serde::Serialize;
use serde::de::Deserializer;

use crate::error::Fault;

pub(crate) use self::amount::Amount;
pub use self::growth::Growth;
pub use self::hourly::{Clock, Hourly};
pub use self::note::{Note, Source};
pub use self::profiles::{Profile, Range};
pub use self::quantity::*;
pub(crate) use self::scalar::not_permitted;
pub use self::scalar::{OrEmpty, Scalar};
pub use self::text::{Flag, Resolution, ServerType, Strategy, Text, Zone};
pub use self::weekly::{WeekForm, Weekly};
pub use crate::hours::HOURS_OF_WEEK;

pub(crate) use self::compressed::compress;
pub(crate) use self::parts::Floats;
pub use self::parts::Parts;
pub use self::reading::Reading;
pub(crate) use self::reading::{NO_ROOM, Room};
pub(crate) use self::source::SourceParts;

/// A kind of value: a JSON object with a label, made from the parts of that object.
pub trait InputValue: Serialize + Sized {
    /// Makes it of its parts.
    fn from_parts(parts: Parts, reading: &mut Reading) -> Result<Self, Fault>;

    /// Reads its parts, and makes it of them.
    fn read<'de, D: Deserializer<'de>>(json: D, reading: &mut Reading) -> Result<Self, D::Error> {
        let parts = Parts::read(json, reading)?;
        Self::from_parts(parts, reading).map_err(|fault| reading.refuse(fault))
    }

    /// Bytes of memory that it takes beside its own.
    fn heap(&self) -> usize;

    /// How many hours it has, if it is a series in time.
    fn hours(&self) -> usize {
        0
    }
}
