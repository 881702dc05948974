//! Parsing a file in one go.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufReader};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::block::BlockSeed;
use super::bounded::{Bounded, Limit};
use super::draft::Draft;
use super::gather::Gathered;
use super::is_object::IsObject;
use super::sources::SourcesSeed;
use super::version;
use crate::error::{DefectKind, Fault, Location, ReadError, excerpt, quoted};
use crate::objects::{AnyClass, AnyObject, ObjectReading};
use crate::values::{Reading, Room};

/// A file as far as it can be read in one go.
pub(super) enum File<O: AnyObject> {
    Streamed(Draft<O>),
    Gathered(Gathered<O::Class>),
}

/// How a file is read.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum How {
    /// Object by object, if it is one of today.
    Stream,
    /// Whole.
    Gather,
    /// Object by object, as it was written after it was converted: its lines are none of a file.
    Rewritten,
}

/// Reads a file; `one_go` is set when it is known that this suffices.
pub(super) fn parse<O: AnyObject>(
    input: &mut dyn io::Read,
    room: &Room,
    one_go: &Cell<bool>,
    how: How,
) -> Result<(File<O>, ObjectReading<O::Class>), ReadError> {
    let mut reading = ObjectReading::new(room.clone());
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(Bounded::new(input)));
    let seed = FileSeed::<O> {
        reading: &mut reading,
        one_go,
        how,
    };
    let file = seed.deserialize(&mut json);
    match file.and_then(|file| json.end().map(|()| file)) {
        Ok(file) => Ok((file, reading)),
        Err(error) => Err(explain(error, reading.values, how == How::Rewritten)),
    }
}

/// What the parser calls errors of syntax although the text is JSON: it fits no type of ours.
const BEYOND: [&str; 3] = [
    "number out of range",
    "lone leading surrogate in hex escape",
    "unexpected end of hex escape", // a lone surrogate too
];

/// What made the JSON parser stop.
fn explain(error: serde_json::Error, reading: Reading, rewritten: bool) -> ReadError {
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
                Some(limit @ (Limit::Empty | Limit::Other(_))) => {
                    return ReadError::Json {
                        line: 1,
                        column: 0,
                        message: limit.to_string(),
                    };
                }
                Some(_) => DefectKind::InvalidValue,
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
            let text = match rewritten {
                false => format!("does not fit: {message} (line {line}, column {column})"),
                true => format!("does not fit: {message}"),
            };
            ReadError::Invalid(place.defect(Fault::invalid(text)))
        }
    }
}

struct FileSeed<'r, O: AnyObject> {
    reading: &'r mut ObjectReading<O::Class>,
    one_go: &'r Cell<bool>,
    how: How,
}

impl<'de, O: AnyObject> DeserializeSeed<'de> for FileSeed<'_, O> {
    type Value = File<O>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<File<O>, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, O: AnyObject> Visitor<'de> for FileSeed<'_, O> {
    type Value = File<O>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an e-footprint system, a JSON object with a `System`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<File<O>, A::Error> {
        let mut gathered = Gathered::default();
        let mut key = json.next_key::<String>()?;
        // What most files begin with.
        if key.as_deref() == Some("efootprint_version") {
            gathered.major = version::read(&mut json, self.reading)?;
            self.one_go.set(gathered.major.is_some());
            key = json.next_key()?;
        }
        let is_old = gathered
            .major
            .is_some_and(|major| major < version::STREAMED);
        if self.how != How::Gather && !is_old {
            return self.stream(key, json).map(File::Streamed);
        }
        let mut taken = 0;
        while let Some(present) = key {
            gathered.take(present, &mut json, self.reading, &mut taken, 0)?;
            key = json.next_key()?;
        }
        Ok(File::Gathered(gathered))
    }
}

impl<O: AnyObject> FileSeed<'_, O> {
    /// Reads what follows, object by object.
    fn stream<'de, A: MapAccess<'de>>(
        self,
        mut next: Option<String>,
        mut json: A,
    ) -> Result<Draft<O>, A::Error> {
        let reading = self.reading;
        let mut file = Draft::default();
        let mut seen = HashSet::new();
        if self.one_go.get() {
            seen.insert("efootprint_version".to_owned());
        }
        while let Some(key) = next {
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
                ("Sources", _) => {
                    json.next_value_seed(SourcesSeed {
                        sources: &mut file.sources,
                        reading: &mut reading.values,
                    })?;
                }
                ("efootprint_version", _) => {
                    let major = version::read(&mut json, reading)?;
                    if major.is_some_and(|major| major < version::STREAMED) {
                        let text = "says its version behind its objects; put it first";
                        let kind = DefectKind::UnsupportedVersion;
                        return Err(reading.refuse(Fault::new(kind, text)));
                    }
                    self.one_go.set(major.is_some());
                }
                ("models", _) if file.objects.is_empty() && !self.one_go.get() => {
                    let text = "has `models` behind other things; put them first";
                    return Err(reading.refuse(Fault::invalid(text)));
                }
                ("calculation_graph", _) => _ = json.next_value::<IgnoredAny>()?,
                _ => {
                    if json.next_value_seed(IsObject)? {
                        file.unknown.add(key);
                    }
                }
            }
            next = json.next_key()?;
        }
        Ok(file)
    }
}
