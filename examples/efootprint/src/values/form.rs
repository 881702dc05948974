//! The inputs of a form, before its kind is known.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::reading::Reading;
use crate::error::{DefectKind, Fault};

/// What a form holds, be it right or wrong.
pub(super) type Form = serde_json::Value;

/// Most entries, counted over all levels: seven profiles with a range for every hour take 700.
const MOST: usize = 2_000;

/// Deepest nesting: ranges in profiles take five levels.
const DEEPEST: usize = 8;

/// Reads a form whole, as what is wrong in it is told all at once. Forms are small; larger ones are
/// refused.
pub(super) struct FormSeed<'r> {
    reading: &'r mut Reading,
    entries: &'r mut usize,
    depth: usize,
}

impl<'r> FormSeed<'r> {
    /// `entries` starts at zero.
    pub(super) fn new(reading: &'r mut Reading, entries: &'r mut usize) -> Self {
        Self {
            reading,
            entries,
            depth: 0,
        }
    }

    /// The seed for one more entry of this list or object.
    fn entry<E: Error>(&mut self) -> Result<FormSeed<'_>, E> {
        *self.entries += 1;
        if *self.entries > MOST {
            let text =
                format!("has `form_inputs` of more than {MOST} entries, list the values instead");
            return Err(self.reading.refuse(Fault::new(DefectKind::TooLong, text)));
        }
        if self.depth == DEEPEST {
            let text = format!("has `form_inputs` nested deeper than {DEEPEST} levels");
            return Err(self.reading.refuse(Fault::new(DefectKind::TooDeep, text)));
        }
        Ok(FormSeed {
            reading: self.reading,
            entries: self.entries,
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for FormSeed<'_> {
    type Value = Form;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Form, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FormSeed<'_> {
    type Value = Form;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the inputs of a form")
    }

    fn visit_unit<E: Error>(self) -> Result<Form, E> {
        Ok(Form::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Form, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Form, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Form, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Form, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Form, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut json: A) -> Result<Form, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = json.next_element_seed(self.entry()?)? {
            list.push(entry);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut json: A) -> Result<Form, A::Error> {
        let mut map = serde_json::Map::new();
        while let Some(key) = json.next_key::<String>()? {
            map.insert(key, json.next_value_seed(self.entry()?)?);
        }
        Ok(map.into())
    }
}
