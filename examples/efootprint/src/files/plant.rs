//! Reading a file into a tree, within bounds.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::tree::{Json, Map};
use crate::error::{DefectKind, Fault};
use crate::objects::{AnyClass, LONGEST_ID, ObjectReading};
use crate::values::{Floats, compress};

/// Most bytes that a tree may take. The inputs of the largest public file take a hundredth.
pub(super) const MOST: usize = 16 << 20;

/// What an entry of a map takes, beside its texts.
const ENTRY: usize = size_of::<(Box<str>, Json)>() + 16;

/// Deepest nesting of what is kept: forms nest nine levels.
const DEEPEST: usize = 16;

/// What stands beside inputs and is none.
const EXPLANATIONS: [&str; 3] = [
    "explain_nested_tuples",
    "direct_ancestors_with_id",
    "direct_children_with_id",
];

/// Reads a value of the file: the block of a class, with those attributes of its objects that
/// `keep` says; or where `keep` is `None`, anything.
pub(super) struct Seed<'r, C> {
    pub(super) reading: &'r mut ObjectReading<C>,
    /// Bytes so far.
    pub(super) taken: &'r mut usize,
    pub(super) keep: Option<fn(&str) -> Option<&'static str>>,
    pub(super) depth: usize,
    /// Whether a list is one of hours.
    pub(super) hours: bool,
}

impl<C: AnyClass> Seed<'_, C> {
    fn inner(&mut self, hours: bool) -> Seed<'_, C> {
        Seed {
            reading: self.reading,
            taken: self.taken,
            keep: self.keep,
            depth: self.depth + 1,
            hours,
        }
    }

    fn take<E: Error>(&mut self, bytes: usize) -> Result<(), E> {
        let room = self.reading.values.take_room(bytes);
        room.map_err(|fault| self.reading.refuse(fault))?;
        *self.taken += bytes;
        if *self.taken > MOST {
            let text = format!(
                "has more than {} MiB of inputs to convert; open it with the e-footprint library 27 \
                 and save it again",
                MOST >> 20
            );
            return Err(self.reading.refuse(Fault::new(DefectKind::TooLong, text)));
        }
        Ok(())
    }

    /// Whether to keep what stands under that key, and if so, keeps in mind where that is.
    fn keeps(&mut self, key: &str) -> bool {
        let location = &mut self.reading.values.location;
        match (self.keep, self.depth) {
            (Some(_), 0) => {
                location.object = (key.len() <= LONGEST_ID).then(|| key.to_owned());
                true
            }
            (Some(keep), 1) => {
                location.attribute = keep(key);
                location.attribute.is_some()
            }
            _ => !EXPLANATIONS.contains(&key),
        }
    }
}

impl<'de, C: AnyClass> DeserializeSeed<'de> for Seed<'_, C> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Json, D::Error> {
        if self.depth > DEEPEST {
            let text = format!("nests deeper than {DEEPEST} levels");
            return Err(self.reading.refuse(Fault::new(DefectKind::TooDeep, text)));
        }
        json.deserialize_any(self)
    }
}

impl<'de, C: AnyClass> Visitor<'de> for Seed<'_, C> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<Json, E> {
        self.take(text.len() + 16)?;
        Ok(Json::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut json: A) -> Result<Json, A::Error> {
        if !self.hours {
            let mut list = Vec::new();
            while let Some(entry) = json.next_element_seed(self.inner(false))? {
                self.take(size_of::<Json>())?;
                list.push(entry);
            }
            return Ok(Json::List(list));
        }
        let floats = Floats {
            reading: &mut self.reading.values,
        };
        let hours = floats.visit_seq(json)?;
        let text = compress(&hours).map_err(A::Error::custom)?;
        self.take(text.len() + 16)?;
        Ok(Json::Series(text.into()))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut json: A) -> Result<Json, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = json.next_key::<Box<str>>()? {
            if !self.keeps(&key) {
                json.next_value::<IgnoredAny>()?;
                continue;
            }
            self.take(ENTRY + key.len())?;
            match json.next_value_seed(self.inner(&*key == "values"))? {
                Json::Series(hours) => map.push(("compressed_values".into(), Json::Text(hours))),
                value => map.push((key, value)),
            }
        }
        // Of an object, or of a block.
        match self.depth {
            0 => self.reading.values.location.object = None,
            1 => self.reading.values.location.attribute = None,
            _ => {}
        }
        Ok(Json::Map(Map(map)))
    }
}
