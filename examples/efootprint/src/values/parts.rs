//! A value as it stands in JSON, before its kind is known.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::compressed::too_long;
use super::form::{Form, FormSeed};
use super::reading::Reading;
use super::source::{SourceParts, SourceSeed};
use crate::error::Fault;
use crate::hours::LONGEST_SERIES;

/// The keys that make a value. Any other key is skipped, unread.
#[derive(Default)]
pub struct Parts {
    pub(super) value: Option<Plain>,
    pub(super) unit: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) values: Option<Vec<f32>>,
    pub(super) compressed_values: Option<String>,
    pub(super) recurring_values: Option<String>,
    pub(super) start_date: Option<String>,
    pub(super) timezone: Option<String>,
    pub(super) form_inputs: Option<Form>,
    pub(super) label: Option<String>,
    pub(super) source: Option<SourceParts>,
    pub(super) confidence: Option<String>,
    pub(super) comment: Option<String>,
}

/// `value`, whatever it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Nested,
}

/// What keys say a value is. The first that the keys allow is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Zone,
    Hourly,
    Scalar,
    Recurring,
    Empty,
    Constant,
    Growth,
    Profiles,
    Text,
    Flag,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zone => "a time zone",
            Self::Hourly => "an hourly series",
            Self::Scalar => "a number with a unit",
            Self::Recurring | Self::Constant | Self::Profiles => "a weekly series",
            Self::Empty => "empty",
            Self::Growth => "an hourly series from a growth form",
            Self::Text => "a text",
            Self::Flag => "true or false",
        })
    }
}

impl Parts {
    pub(crate) fn seed(reading: &mut Reading) -> Seed<'_> {
        Seed { reading }
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut Reading,
    ) -> Result<Self, D::Error> {
        Self::seed(reading).deserialize(json)
    }

    pub(super) fn shape(&self) -> Option<Shape> {
        let form = |key| {
            self.form_inputs
                .as_ref()
                .is_some_and(|form| form.get(key).is_some())
        };
        let has_unit = self.unit.is_some();
        Some(match &self.value {
            _ if self.zone.is_some() => Shape::Zone,
            _ if has_unit && (self.values.is_some() || self.compressed_values.is_some()) => {
                Shape::Hourly
            }
            Some(_) if has_unit => Shape::Scalar,
            _ if has_unit && self.recurring_values.is_some() => Shape::Recurring,
            Some(Plain::Null) => Shape::Empty,
            _ if form("constant_value") && form("constant_unit") => Shape::Constant,
            _ if form("initial_volume") && form("net_growth_rate_in_percentage") => Shape::Growth,
            _ if form("unit") && form("profiles") => Shape::Profiles,
            Some(Plain::Text(_)) => Shape::Text,
            Some(Plain::Bool(_)) => Shape::Flag,
            _ => return None,
        })
    }

    /// The fault of a value that is of another kind than the attribute.
    pub(super) fn unexpected(&self, expected: impl fmt::Display) -> Fault {
        Fault::invalid(match (self.shape(), &self.value, &self.unit) {
            (Some(kind), ..) => format!("is {kind}, expected {expected}"),
            (None, Some(_), None) => format!("has no `unit`, expected {expected}"),
            (None, None, Some(_)) => format!("has no `value`, expected {expected}"),
            (None, ..) => format!("has neither value nor unit, expected {expected}"),
        })
    }
}

pub(crate) struct Seed<'r> {
    reading: &'r mut Reading,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Parts;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Parts, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Parts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"an object such as {"value": 1.0, "unit": "watt", "label": "Power"}"#)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Parts, A::Error> {
        let (mut parts, mut entries) = (Parts::default(), 0);
        while let Some(key) = json.next_key::<String>()? {
            match key.as_str() {
                "value" => parts.value = Some(json.next_value_seed(PlainVisitor)?),
                "unit" => parts.unit = Some(json.next_value()?),
                "zone" => parts.zone = Some(json.next_value()?),
                "values" => {
                    parts.values = Some(json.next_value_seed(Floats {
                        reading: self.reading,
                    })?)
                }
                "compressed_values" => parts.compressed_values = Some(json.next_value()?),
                "recurring_values" => parts.recurring_values = Some(json.next_value()?),
                "start_date" => parts.start_date = Some(json.next_value()?),
                "timezone" => parts.timezone = json.next_value()?,
                "form_inputs" => {
                    let seed = FormSeed::new(self.reading, &mut entries);
                    parts.form_inputs = Some(json.next_value_seed(seed)?);
                }
                "label" => parts.label = Some(json.next_value()?),
                "source" => parts.source = json.next_value_seed(SourceSeed)?,
                "confidence" => parts.confidence = json.next_value()?,
                "comment" => parts.comment = json.next_value()?,
                _ => _ = json.next_value::<IgnoredAny>()?,
            }
        }
        Ok(parts)
    }
}

struct PlainVisitor;

impl<'de> DeserializeSeed<'de> for PlainVisitor {
    type Value = Plain;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Plain, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Plain, E> {
        Ok(Plain::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Plain, E> {
        Ok(Plain::Number(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Plain, E> {
        Ok(Plain::Number(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Plain, E> {
        Ok(Plain::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Plain, E> {
        Ok(Plain::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<Plain, A::Error> {
        while json.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Plain::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Plain, A::Error> {
        while json.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Plain::Nested)
    }
}

/// A list of numbers, no longer than the longest series.
pub(crate) struct Floats<'r> {
    pub(crate) reading: &'r mut Reading,
}

impl<'de> DeserializeSeed<'de> for Floats<'_> {
    type Value = Vec<f32>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Vec<f32>, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Floats<'_> {
    type Value = Vec<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<Vec<f32>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = json.next_element::<f64>()? {
            if values.len() == LONGEST_SERIES {
                return Err(self.reading.refuse(too_long("has more than")));
            }
            // Parsed as a double: as a single, a number beyond its range would be a syntax error.
            values.push(value as f32);
        }
        Ok(values)
    }
}
