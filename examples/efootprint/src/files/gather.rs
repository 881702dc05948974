//! Gathering a file whole, where it has to be converted before it can be read.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::is_object::IsObject;
use super::plant::Seed;
use super::tree::Map;
use super::unknown::UnknownClasses;
use super::{upgrade, version};
use crate::error::{DefectKind, Fault, Location};
use crate::objects::{AnyClass, ObjectReading};

/// Most models that a workspace may hold.
const MOST_MODELS: usize = 100;

/// A file of an older version, one that says its version late, or several in one.
pub(super) struct Gathered<C> {
    pub(super) major: Option<u64>,
    pub(super) tree: Map,
    pub(super) unknown: UnknownClasses<C>,
    /// The models of a workspace.
    pub(super) models: Option<Vec<Gathered<C>>>,
}

impl<C> Default for Gathered<C> {
    fn default() -> Self {
        Self {
            major: None,
            tree: Map::default(),
            unknown: UnknownClasses::default(),
            models: None,
        }
    }
}

impl<C: AnyClass> Gathered<C> {
    /// Whether it is something else than a file of today.
    pub(super) fn is_other(&self) -> bool {
        self.models.is_some() || self.major.is_some_and(|major| major < version::STREAMED)
    }

    /// Gathers the value of `key`.
    pub(super) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: String,
        json: &mut A,
        reading: &mut ObjectReading<C>,
        taken: &mut usize,
        depth: usize,
    ) -> Result<(), A::Error> {
        let class = C::from_name(&key);
        let block = class.is_some() || upgrade::BLOCKS.contains(&&*key);
        if (block || key == "Sources") && self.tree.has(&key) {
            let text = "appears twice; put all of it under one key";
            return Err(reading.refuse(Fault::new(DefectKind::DuplicateReference, text)));
        }
        reading.values.location = Location {
            class: class.map(AnyClass::name),
            ..Location::default()
        };
        if block || key == "Sources" {
            let seed = Seed {
                reading,
                taken,
                keep: block.then_some(keep::<C>),
                depth: 0,
                hours: false,
            };
            let block = json.next_value_seed(seed)?;
            self.tree.0.push((key.into(), block));
            reading.values.location = Location::default();
            return Ok(());
        }
        match &*key {
            "efootprint_version" => {
                if self.major.is_some() {
                    let text = "has `efootprint_version` twice; keep one";
                    return Err(reading.refuse(Fault::new(DefectKind::DuplicateReference, text)));
                }
                self.major = version::read(json, reading)?;
            }
            "models" if depth == 0 => {
                let models = Models { reading, taken };
                self.models = json.next_value_seed(models)?;
            }
            "calculation_graph" => _ = json.next_value::<IgnoredAny>()?,
            _ => {
                if json.next_value_seed(IsObject)? {
                    self.unknown.add(key);
                }
            }
        }
        Ok(())
    }
}

/// The name of an attribute that is an input, or was one.
fn keep<C: AnyClass>(key: &str) -> Option<&'static str> {
    let key = key.replace("fabrication", "manufacturing");
    let inputs = C::ALL.iter().flat_map(|class| class.inputs());
    let mut names = upgrade::ATTRIBUTES.iter().chain(inputs).copied();
    names.find(|name| *name == key)
}

/// The models of a workspace; `None` of anything else that has the key.
struct Models<'r, C> {
    reading: &'r mut ObjectReading<C>,
    taken: &'r mut usize,
}

impl<'de, C: AnyClass> DeserializeSeed<'de> for Models<'_, C> {
    type Value = Option<Vec<Gathered<C>>>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, C: AnyClass> Visitor<'de> for Models<'_, C> {
    type Value = Option<Vec<Gathered<C>>>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of models")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Self::Value, A::Error> {
        while json.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<Self::Value, A::Error> {
        let mut models = Vec::new();
        while let Some(model) = json.next_element_seed(OneModel {
            reading: self.reading,
            taken: self.taken,
        })? {
            if models.len() == MOST_MODELS {
                let text = format!("has more than {MOST_MODELS} `models`; send them one by one");
                return Err(self.reading.refuse(Fault::new(DefectKind::TooLong, text)));
            }
            models.push(model);
        }
        Ok(Some(models))
    }
}

struct OneModel<'r, C> {
    reading: &'r mut ObjectReading<C>,
    taken: &'r mut usize,
}

impl<'de, C: AnyClass> DeserializeSeed<'de> for OneModel<'_, C> {
    type Value = Gathered<C>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, C: AnyClass> Visitor<'de> for OneModel<'_, C> {
    type Value = Gathered<C>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a model, a JSON object with a `System`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Self::Value, A::Error> {
        let mut model = Gathered::default();
        while let Some(key) = json.next_key()? {
            model.take(key, &mut json, self.reading, self.taken, 1)?;
        }
        Ok(model)
    }
}
