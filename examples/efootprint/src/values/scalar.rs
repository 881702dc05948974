//! Numbers with a unit.

use std::marker::PhantomData;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::InputValue;
use super::note::Note;
use super::parts::{Parts, Plain, Shape};
use super::quantity::{Quantity, too_small, unit_of};
use super::reading::Reading;
use crate::error::{Fault, quoted};
use crate::units::Unit;

/// An amount of `Q`, in the unit of the file.
#[derive(Debug, PartialEq)]
pub struct Scalar<Q> {
    /// How many of the unit; finite.
    pub value: f64,
    /// A unit of `Q`.
    pub unit: Unit,
    /// Label and origin.
    pub note: Note,
    quantity: PhantomData<fn() -> Q>,
}

impl<Q: Quantity> InputValue for Scalar<Q> {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let expected = || format!("{} such as 1 `{}`", Q::WHAT, Q::EXAMPLE);
        let (Some(Shape::Scalar), Some(value), Some(unit)) =
            (parts.shape(), &parts.value, &parts.unit)
        else {
            return Err(parts.unexpected(expected()));
        };
        let value = number(value).ok_or_else(|| {
            Fault::invalid(format!("is no finite number, expected {}", expected()))
        })?;
        let shown = unit;
        let unit = unit_of::<Q>(unit, reading)?;
        if let Some(fault) = too_small::<Q>(value, shown) {
            return Err(fault);
        }
        Ok(Self {
            value,
            unit,
            note: Note::from_parts(&mut parts, reading)?,
            quantity: PhantomData,
        })
    }

    fn heap(&self) -> usize {
        self.unit.heap() + self.note.heap()
    }
}

/// The number a value stands for: texts that are numbers count, and so does `true`.
pub(super) fn number(value: &Plain) -> Option<f64> {
    let number = match value {
        Plain::Number(number) => *number,
        Plain::Text(text) => text.trim().parse().ok()?,
        Plain::Bool(flag) => f64::from(u8::from(*flag)),
        Plain::Null | Plain::Nested => return None,
    };
    number.is_finite().then_some(number)
}

impl<Q> Serialize for Scalar<Q> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(None)?;
        map.serialize_entry("value", &self.value)?;
        map.serialize_entry("unit", self.unit.as_str())?;
        self.note.write(&mut map)?;
        map.end()
    }
}

/// A value that may be left open.
#[derive(Debug, PartialEq)]
pub enum OrEmpty<V> {
    /// Left open; for capacities this is zero.
    Empty(Note),
    /// A value.
    Value(V),
}

impl<V> OrEmpty<V> {
    /// The value, if there is one.
    pub fn as_option(&self) -> Option<&V> {
        match self {
            Self::Empty(_) => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// Left open, for want of the attribute.
impl<V> Default for OrEmpty<V> {
    fn default() -> Self {
        Self::Empty(Note::of_absent())
    }
}

impl<V: InputValue> InputValue for OrEmpty<V> {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        match parts.shape() {
            Some(Shape::Empty) => Note::from_parts(&mut parts, reading).map(Self::Empty),
            _ => V::from_parts(parts, reading).map(Self::Value),
        }
    }

    fn heap(&self) -> usize {
        match self {
            Self::Empty(note) => note.heap(),
            Self::Value(value) => value.heap(),
        }
    }

    fn hours(&self) -> usize {
        self.as_option().map_or(0, V::hours)
    }
}

impl<V: Serialize> Serialize for OrEmpty<V> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(json),
            Self::Empty(note) => {
                let mut map = json.serialize_map(None)?;
                map.serialize_entry("value", &())?;
                note.write(&mut map)?;
                map.end()
            }
        }
    }
}

/// The fault of a text that none of the permitted ones equals.
pub(crate) fn not_permitted(text: &str, permitted: &str) -> Fault {
    Fault::invalid(format!("is {}, expected {permitted}", quoted(text)))
}
