//! Reading a file, object by object, into a model.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufReader};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

use super::bounded::{Bounded, Limit};
use super::draft::Draft;
use super::gather::Gathered;
use super::is_object::IsObject;
use super::recorder::Recorder;
use super::sources::SourcesSeed;
use super::{upgrade::upgrade, version};
use crate::error::{DefectKind, Fault, Location, ReadError, excerpt, quoted};
use crate::objects::{AnyClass, AnyObject, LONGEST_ID, Model, ObjectReading};
use crate::values::{NO_ROOM, Reading, Room};

/// Reads the one system of a file.
///
/// # Errors
///
/// The first thing wrong with the file, or that it holds several.
pub(crate) fn read<O: AnyObject>(input: impl io::Read, room: Room) -> Result<Model<O>, ReadError> {
    let mut models = read_all(input, room)?;
    match models.pop() {
        Some(model) if models.is_empty() => Ok(model),
        _ => {
            let text = format!("holds {} models, expected one", models.len() + 1);
            Err(refusal(Fault::invalid(text)))
        }
    }
}

/// Reads the inputs of the models of a file: one, or those of a workspace.
///
/// The file is streamed: results stored in it are skipped without being kept, and memory stays
/// close to the size of the model whatever the input, which may come from anyone. A file of an
/// older version is gathered first, within bounds.
///
/// # Errors
///
/// The first thing wrong with the file.
pub(crate) fn read_all<O: AnyObject>(
    mut input: impl io::Read,
    room: Room,
) -> Result<Vec<Model<O>>, ReadError> {
    let mut gathered = match read_in_one_go::<O>(&mut input, &room)? {
        Read::Whole(model) => return Ok(vec![model]),
        Read::Gathered(gathered) => gathered,
    };
    let Some(models) = gathered.models.take() else {
        return Ok(vec![convert(gathered, &room)?]);
    };
    if models.is_empty() {
        let text = "has no model in its `models`, expected one or more";
        return Err(refusal(Fault::new(DefectKind::MissingAttribute, text)));
    }
    let models = models.into_iter().enumerate().map(|(i, model)| {
        convert(model, &room).map_err(|error| match error {
            ReadError::Invalid(mut defect) => {
                defect.message = format!("Model {}: {}", i + 1, defect.message);
                ReadError::Invalid(defect)
            }
            other => other,
        })
    });
    models.collect()
}

/// What one go over a file may come to.
enum Read<O: AnyObject> {
    Whole(Model<O>),
    Gathered(Gathered<O::Class>),
}

/// Reads a file of today object by object, and gathers any other. One that doesn't begin with its
/// version is taken for one of today until it says something else; it is then read once more.
fn read_in_one_go<O: AnyObject>(
    input: &mut dyn io::Read,
    room: &Room,
) -> Result<Read<O>, ReadError> {
    let one_go = Cell::new(false);
    let mut recorder = Recorder::new(input, &one_go, room);
    let first = match parse::<O>(&mut recorder, room, &one_go, How::Stream) {
        Ok((File::Gathered(gathered), _)) => return Ok(Read::Gathered(gathered)),
        Ok((File::Streamed(draft), reading)) => {
            let versioned = one_go.get() || draft.lacks_system();
            let model = match versioned {
                true => draft.into_model(reading).map_err(ReadError::Invalid),
                false => Err(refusal(version::missing())),
            };
            return model.map(Read::Whole);
        }
        Err(error) => error,
    };
    let Some(mut again) = recorder.again() else {
        return Err(first);
    };
    let gathered = parse::<O>(&mut again, room, &one_go, How::Gather);
    match gathered {
        Ok((File::Gathered(gathered), _)) if gathered.is_other() => Ok(Read::Gathered(gathered)),
        _ => Err(first),
    }
}

fn refusal(fault: Fault) -> ReadError {
    ReadError::Invalid(Location::default().defect(fault))
}

/// Converts a file that was gathered, and reads what came out.
fn convert<O: AnyObject>(gathered: Gathered<O::Class>, room: &Room) -> Result<Model<O>, ReadError> {
    let Gathered {
        major,
        mut tree,
        unknown,
        ..
    } = gathered;
    if major.is_none() && tree.has(O::Class::ROOT.name()) {
        return Err(refusal(version::missing()));
    }
    let old = major.filter(|major| *major < version::STREAMED);
    let remarks = old.map_or_else(Vec::new, |major| upgrade(&mut tree, major));
    tree.0
        .insert(0, ("efootprint_version".into(), version::WRITTEN.into()));
    let text = serde_json::to_vec(&tree).map_err(|error| ReadError::Io(error.into()))?;
    drop(tree);
    if !(room.borrow_mut())(text.len()) {
        return Err(refusal(Fault::new(DefectKind::TooLong, NO_ROOM)));
    }
    let read = parse::<O>(&mut &text[..], room, &Cell::new(false), How::Rewritten);
    let read = read.and_then(|(file, reading)| match file {
        File::Streamed(mut draft) => {
            draft.unknown = unknown;
            draft.into_model(reading).map_err(ReadError::Invalid)
        }
        File::Gathered(_) => unreachable!("its version comes first, and is the present one"),
    });
    match (read, old) {
        (Ok(mut model), _) => {
            model.remarks = remarks;
            Ok(model)
        }
        (Err(ReadError::Invalid(mut defect)), Some(major)) => {
            defect.message += &format!(" The file is of version {major} and was converted to 27.");
            Err(ReadError::Invalid(defect))
        }
        (Err(error), _) => Err(error),
    }
}

/// A file as far as it can be read in one go.
enum File<O: AnyObject> {
    Streamed(Draft<O>),
    Gathered(Gathered<O::Class>),
}

/// How a file is read.
#[derive(Clone, Copy, PartialEq)]
enum How {
    /// Object by object, if it is one of today.
    Stream,
    /// Whole.
    Gather,
    /// Object by object, as it was written after it was converted: its lines are none of a file.
    Rewritten,
}

/// Reads a file; `one_go` is set when it is known that this suffices.
fn parse<O: AnyObject>(
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
