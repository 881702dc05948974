//! Reading a file, object by object, into a model.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufReader};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::bounded::{Bounded, Limit};
use super::draft::Draft;
use super::is_object::IsObject;
use super::sources::SourcesSeed;
use super::version;
use crate::error::{DefectKind, Fault, Location, ReadError, excerpt, quoted};
use crate::objects::{AnyClass, AnyObject, LONGEST_ID, Model, ObjectReading};
use crate::values::{Reading, Room};

/// Reads the inputs of an e-footprint system.
///
/// The file is streamed: results stored in it are skipped without being kept, and memory stays
/// close to the size of the model whatever the input, which may come from anyone.
///
/// # Errors
///
/// The first thing wrong with the file.
pub(crate) fn read<O: AnyObject>(
    mut input: impl io::Read,
    room: Room,
) -> Result<Model<O>, ReadError> {
    let mut reading = ObjectReading::new(room);
    // One instance of all the parsing code for all inputs.
    let input: &mut dyn io::Read = &mut input;
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Bounded::new(input)));
    let seed = FileSeed::<O> {
        reading: &mut reading,
    };
    let file = seed.deserialize(&mut json);
    match file.and_then(|file| json.end().map(|()| file)) {
        Ok(file) => file.into_model(reading).map_err(ReadError::Invalid),
        Err(error) => Err(explain(error, reading.values)),
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
    let place = reading.location.clone();
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

struct FileSeed<'r, O: AnyObject> {
    reading: &'r mut ObjectReading<O::Class>,
}

impl<'de, O: AnyObject> DeserializeSeed<'de> for FileSeed<'_, O> {
    type Value = Draft<O>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Draft<O>, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, O: AnyObject> Visitor<'de> for FileSeed<'_, O> {
    type Value = Draft<O>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an e-footprint system, a JSON object with a `System`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Draft<O>, A::Error> {
        let reading = self.reading;
        let mut file = Draft::default();
        let mut seen = HashSet::new();
        while let Some(key) = json.next_key::<String>()? {
            let class = O::Class::from_name(&key);
            let known = class.is_some() || matches!(&*key, "efootprint_version" | "Sources");
            reading.values.location.class = class.map(|class| class.name());
            if known && !seen.insert(key.clone()) {
                let text = match class {
                    Some(_) => "appears twice; put all of it under one key".to_owned(),
                    None => format!("has {} twice; put all of it under one key", quoted(&key)),
                };
                return Err(reading.refuse(Fault::new(DefectKind::DuplicateReference, text)));
            }
            match (&*key, class) {
                (_, Some(class)) => {
                    json.next_value_seed(BlockSeed::<O> {
                        class,
                        objects: &mut file.objects,
                        reading,
                    })?;
                    reading.values.location = Location::default();
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
                        reading: &mut reading.values,
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

/// Reads all objects of a class.
struct BlockSeed<'r, O: AnyObject> {
    class: O::Class,
    objects: &'r mut Vec<O>,
    reading: &'r mut ObjectReading<O::Class>,
}

impl<'de, O: AnyObject> DeserializeSeed<'de> for BlockSeed<'_, O> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, O: AnyObject> Visitor<'de> for BlockSeed<'_, O> {
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
            reading.values.location.object = (id.len() <= LONGEST_ID).then(|| id.clone());
            let id = reading
                .ids
                .define(&id, class)
                .map_err(|fault| reading.refuse(fault))?;
            reading.values.object = reading.ids.last_place();
            let series = reading.values.size_of_series();
            let object = json.next_value_seed(ObjectSeed::<O> { class, id, reading })?;
            let series = reading.values.size_of_series() - series;
            let size = size_of::<O>() + object.heap().saturating_sub(series);
            reading
                .values
                .take_room(size)
                .map_err(|fault| reading.refuse(fault))?;
            objects.push(object);
            reading.values.location.object = None;
        }
        Ok(())
    }
}

struct ObjectSeed<'r, O: AnyObject> {
    class: O::Class,
    id: Arc<str>,
    reading: &'r mut ObjectReading<O::Class>,
}

impl<'de, O: AnyObject> DeserializeSeed<'de> for ObjectSeed<'_, O> {
    type Value = O;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<O, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, O: AnyObject> Visitor<'de> for ObjectSeed<'_, O> {
    type Value = O;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a {}, an object with `name`, `id` and attributes",
            self.class
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<O, A::Error> {
        O::read(self.class, self.id, json, self.reading)
    }
}
