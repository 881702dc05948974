//! Reading a file, object by object, into a model.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufReader};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::bounded::{Guard, Limit};
use super::draft::File;
use super::version;
use crate::classes::{Class, Object};
use crate::error::{DefectKind, Fault, Place, ReadError, excerpt, quoted};
use crate::objects::{Model, Source, ids};
use crate::values::SourceParts;
use crate::values::reading::Reading;

/// Reads the inputs of an e-footprint system.
///
/// The file is streamed: results stored in it are skipped without being kept, and memory stays
/// close to the size of the model whatever the input, which may come from anyone.
///
/// # Errors
///
/// The first thing wrong with the file.
pub fn read(mut input: impl io::Read) -> Result<Model, ReadError> {
    let mut reading = Reading::new();
    // One instance of all the parsing code for all inputs.
    let input: &mut dyn io::Read = &mut input;
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Guard::new(input)));
    let seed = FileSeed {
        reading: &mut reading,
    };
    let file = seed.deserialize(&mut json);
    match file.and_then(|file| json.end().map(|()| file)) {
        Ok(file) => file.into_model(reading).map_err(ReadError::Invalid),
        Err(error) => Err(explain(error, reading)),
    }
}

/// What the parser calls errors of syntax although the text is JSON: it fits no type of ours.
const BEYOND: [&str; 3] = [
    "number out of range",
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape", // a lone surrogate too
];

/// What made the JSON parser stop.
fn explain(error: serde_json::Error, reading: Reading) -> ReadError {
    let (line, column) = (error.line(), error.column());
    let place = reading.place.clone();
    if let Some(defect) = reading.into_defect() {
        return ReadError::Invalid(defect);
    }
    let text = error.to_string();
    let message = text
        .strip_suffix(&format!(" at line {line} column {column}"))
        .unwrap_or(&text);
    match error.classify() {
        Category::Io => {
            let error = io::Error::from(error);
            let limit = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<Limit>());
            let kind = match limit {
                Some(Limit::Depth) => DefectKind::TooDeep,
                Some(Limit::Length) => DefectKind::TooLong,
                None => return ReadError::Io(error),
            };
            ReadError::Invalid(place.defect(Fault::new(kind, message)))
        }
        Category::Syntax | Category::Eof if !BEYOND.contains(&message) => ReadError::Json {
            line,
            column,
            message: message.to_owned(),
        },
        _ => {
            let message = excerpt(message);
            let text = format!("does not fit: {message} (line {line}, column {column})");
            ReadError::Invalid(place.defect(Fault::invalid(text)))
        }
    }
}

struct FileSeed<'r> {
    reading: &'r mut Reading,
}

impl<'de> DeserializeSeed<'de> for FileSeed<'_> {
    type Value = File;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<File, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FileSeed<'_> {
    type Value = File;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an e-footprint system, a JSON object with a `System`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<File, A::Error> {
        let reading = self.reading;
        let mut file = File::default();
        let mut seen = HashSet::new();
        while let Some(key) = json.next_key::<String>()? {
            let class = Class::from_name(&key);
            let known = class.is_some() || matches!(&*key, "efootprint_version" | "Sources");
            reading.place.class = class.map(|class| class.name());
            if known && !seen.insert(key.clone()) {
                let text = match class {
                    Some(_) => "appears twice; put all of it under one key".to_owned(),
                    None => format!("has {} twice; put all of it under one key", quoted(&key)),
                };
                return Err(reading.refuse(Fault::new(DefectKind::DuplicateReference, text)));
            }
            match (&*key, class) {
                (_, Some(class)) => {
                    json.next_value_seed(BlockSeed {
                        class,
                        objects: &mut file.objects,
                        reading,
                    })?;
                    reading.place = Place::default();
                }
                ("efootprint_version", _) => {
                    let version: String = json.next_value()?;
                    file.major =
                        Some(version::major(&version).map_err(|fault| reading.refuse(fault))?);
                    reading.of_24 = file.major == Some(24);
                }
                ("Sources", _) => {
                    json.next_value_seed(SourcesSeed {
                        sources: &mut file.sources,
                        reading,
                    })?;
                }
                ("calculation_graph", _) => _ = json.next_value::<IgnoredAny>()?,
                _ => {
                    if json.next_value_seed(IsObject)? {
                        file.unknown.add(key);
                    }
                }
            }
        }
        Ok(file)
    }
}

/// Skips a value and tells whether it is an object, as the value of a misspelt class is.
struct IsObject;

impl<'de> DeserializeSeed<'de> for IsObject {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IsObject {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, json: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_seq(json)?;
        Ok(false)
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<bool, A::Error> {
        IgnoredAny.visit_map(json)?;
        Ok(true)
    }
}

/// Reads all objects of a class.
struct BlockSeed<'r> {
    class: Class,
    objects: &'r mut Vec<Object>,
    reading: &'r mut Reading,
}

impl<'de> DeserializeSeed<'de> for BlockSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for BlockSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object from ids to objects of the class")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<(), A::Error> {
        let Self {
            class,
            objects,
            reading,
        } = self;
        while let Some(id) = json.next_key::<String>()? {
            // An id too long to be one is too long to be shown.
            reading.place.object = (id.len() <= ids::LONGEST).then(|| id.clone());
            let id = reading
                .ids
                .define(&id, class)
                .map_err(|fault| reading.refuse(fault))?;
            objects.push(json.next_value_seed(ObjectSeed { class, id, reading })?);
            reading.place.object = None;
        }
        Ok(())
    }
}

struct ObjectSeed<'r> {
    class: Class,
    id: std::sync::Arc<str>,
    reading: &'r mut Reading,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Object, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_> {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a {}, an object with `name`, `id` and attributes",
            self.class
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<Object, A::Error> {
        Object::read(self.class, self.id, json, self.reading)
    }
}

/// Reads the entries of `Sources`.
struct SourcesSeed<'r> {
    sources: &'r mut Vec<Source>,
    reading: &'r mut Reading,
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
