//! `source` of a value as it stands in JSON, before it is known to be one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// `source` as it stands in JSON.
pub(crate) enum SourceParts {
    Id(String),
    Inline {
        id: Option<String>,
        name: Option<String>,
        link: Option<String>,
    },
}

impl SourceParts {
    /// The parts of an object.
    pub(crate) fn inline<'de, A: MapAccess<'de>>(mut json: A) -> Result<Self, A::Error> {
        let (mut id, mut name, mut link) = (None, None, None);
        while let Some(key) = json.next_key::<String>()? {
            match key.as_str() {
                "id" => id = json.next_value()?,
                "name" => name = json.next_value()?,
                "link" => link = json.next_value()?,
                _ => _ = json.next_value::<IgnoredAny>()?,
            }
        }
        Ok(Self::Inline { id, name, link })
    }
}

pub(super) struct SourceSeed;

impl<'de> DeserializeSeed<'de> for SourceSeed {
    type Value = Option<SourceParts>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SourceSeed {
    type Value = Option<SourceParts>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"the id of a source, or an object such as {"name": "Our own measurements", "link": null}"#)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<Self::Value, E> {
        Ok(Some(SourceParts::Id(id.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<Self::Value, A::Error> {
        SourceParts::inline(json).map(Some)
    }
}
