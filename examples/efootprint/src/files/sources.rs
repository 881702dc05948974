//! The entries of `Sources`, which values cite by their ids.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::error::{DefectKind, Fault, quoted};
use crate::objects::Source;
use crate::values::{Reading, SourceParts};

/// Reads the entries of `Sources`.
pub(super) struct SourcesSeed<'r> {
    pub(super) sources: &'r mut Vec<Source>,
    pub(super) reading: &'r mut Reading,
}

impl<'de> DeserializeSeed<'de> for SourcesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SourcesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from ids to sources")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(id) = json.next_key::<String>()? {
            let entry = json.next_value_seed(SourceEntry)?;
            let SourceParts::Inline {
                id: own,
                name: Some(name),
                link,
            } = entry
            else {
                let text = format!("has the source {} without `name`, give it one", quoted(&id));
                return Err(self.reading.refuse(Fault::invalid(text)));
            };
            if let Some(inner) = own.filter(|own| *own != id) {
                let text = format!(
                    "has a source {} filed under {}; make them the same",
                    quoted(&inner),
                    quoted(&id)
                );
                return Err(self
                    .reading
                    .refuse(Fault::new(DefectKind::IdMismatch, text)));
            }
            if !seen.insert(id.clone()) {
                let text = format!("has the source {} twice; keep one", quoted(&id));
                return Err(self
                    .reading
                    .refuse(Fault::new(DefectKind::DuplicateReference, text)));
            }
            self.sources.push(Source {
                id: id.into(),
                name: name.into(),
                link: link.map(Into::into),
            });
        }
        Ok(())
    }
}

/// An entry of `Sources`: like a source that stands in a value, but never an id.
struct SourceEntry;

impl<'de> DeserializeSeed<'de> for SourceEntry {
    type Value = SourceParts;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<SourceParts, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SourceEntry {
    type Value = SourceParts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source, an object with `name`")
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<SourceParts, A::Error> {
        SourceParts::inline(json)
    }
}
