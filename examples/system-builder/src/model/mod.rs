//! Stand-in for the typed model.
#![allow(missing_docs)]

use serde_json::{Map, Value};
use std::io;

#[derive(Debug)]
pub struct Model(Map<String, Value>);

#[derive(Clone, Copy, Debug)]
pub struct ObjectView<'a> {
    id: &'a str,
    class: &'static str,
    value: &'a Value,
}

#[derive(Debug)]
pub enum ReadError {
    Io(io::Error),
    Json {
        line: usize,
        column: usize,
        message: String,
    },
    Invalid(Box<Defect>),
}

#[derive(Debug)]
pub struct Defect {
    pub kind: DefectKind,
    pub class: Option<String>,
    pub object: Option<String>,
    pub attribute: Option<String>,
    pub message: String,
}

#[derive(Debug)]
pub enum DefectKind {
    MissingAttribute,
    UnknownUnit,
}

impl DefectKind {
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAttribute => "missing-attribute",
            Self::UnknownUnit => "unknown-unit",
        }
    }
}

const CLASSES: &[&str] = &[
    "System",
    "UsagePattern",
    "Device",
    "Network",
    "Country",
    "UsageJourney",
    "UsageJourneyStep",
    "Job",
    "Server",
    "Storage",
    "EdgeUsagePattern",
    "EdgeDevice",
];

pub fn read(input: impl io::Read) -> Result<Model, ReadError> {
    let value: Value = serde_json::from_reader(io::BufReader::new(input)).map_err(|error| {
        if error.is_io() {
            ReadError::Io(error.into())
        } else {
            ReadError::Json {
                line: error.line(),
                column: error.column(),
                message: error.to_string(),
            }
        }
    })?;
    let defect =
        |kind, class: &str, object: Option<&str>, attribute: Option<&str>, message: String| {
            ReadError::Invalid(Box::new(Defect {
                kind,
                class: Some(class.to_owned()),
                object: object.map(str::to_owned),
                attribute: attribute.map(str::to_owned),
                message,
            }))
        };
    let Value::Object(map) = value else {
        return Err(defect(
            DefectKind::MissingAttribute,
            "System",
            None,
            None,
            "The file holds no `System`.".into(),
        ));
    };
    if !map.contains_key("System") {
        return Err(defect(
            DefectKind::MissingAttribute,
            "System",
            None,
            None,
            "The file holds no `System`: add the block a saved e-footprint file starts with."
                .into(),
        ));
    }
    let model = Model(map);
    for object in model.objects() {
        for (name, value) in object.value.as_object().into_iter().flatten() {
            if value.get("unit").is_some_and(|unit| unit == "parsec") {
                return Err(defect(
                    DefectKind::UnknownUnit,
                    object.class,
                    Some(object.id),
                    Some(name),
                    format!(
                        "{} `{}`: attribute `{name}` has unit `parsec`, which isn't known; expected a power such as `watt`.",
                        object.class, object.id
                    ),
                ));
            }
        }
    }
    Ok(model)
}

impl Model {
    pub fn name(&self) -> &str {
        self.objects()
            .find(|object| object.class == "System")
            .map_or("", |object| object.name())
    }
    pub fn len(&self) -> usize {
        self.objects().count()
    }
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    pub fn objects(&self) -> impl Iterator<Item = ObjectView<'_>> {
        CLASSES.iter().flat_map(|class| {
            self.0
                .get(*class)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(move |(id, value)| ObjectView { id, class, value })
        })
    }
    pub fn object(&self, id: &str) -> Option<ObjectView<'_>> {
        self.objects().find(|object| object.id == id)
    }
    pub fn write(&self, out: impl io::Write) -> io::Result<()> {
        serde_json::to_writer(out, &self.0).map_err(Into::into)
    }
}

impl<'a> ObjectView<'a> {
    pub fn id(&self) -> &'a str {
        self.id
    }
    pub fn name(&self) -> &'a str {
        self.value["name"].as_str().unwrap_or_default()
    }
    pub fn class(&self) -> &'static str {
        self.class
    }
}

impl serde::Serialize for ObjectView<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}
