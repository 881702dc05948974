//! JSON as a tree: what an older file is converted in.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(Box<str>),
    /// A list of hours, compressed.
    Series(Box<str>),
    List(Vec<Json>),
    Map(Map),
}

/// An object: its keys in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Map(pub(super) Vec<(Box<str>, Json)>);

impl Json {
    pub(super) fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn as_map_mut(&mut self) -> Option<&mut Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Json]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Json {
    fn from(number: f64) -> Self {
        serde_json::Number::from_f64(number).map_or(Self::Null, Self::Number)
    }
}

impl<const N: usize> From<[(&str, Json); N]> for Json {
    fn from(entries: [(&str, Json); N]) -> Self {
        Self::Map(Map(entries.map(|(key, value)| (key.into(), value)).into()))
    }
}

impl Map {
    fn place(&self, key: &str) -> Option<usize> {
        self.0.iter().position(|(own, _)| **own == *key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        self.place(key).map(|place| &self.0[place].1)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        self.place(key).map(|place| &mut self.0[place].1)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Json::as_text)
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Json> {
        self.place(key).map(|place| self.0.remove(place).1)
    }

    /// Puts a value in the place of the one that was there, or at the end.
    pub(super) fn set(&mut self, key: &str, value: impl Into<Json>) {
        let value = value.into();
        match self.get_mut(key) {
            Some(own) => *own = value,
            None => self.0.push((key.into(), value)),
        }
    }

    /// Gives a value another key, unless that one is taken.
    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        match (self.place(from), self.place(to)) {
            (Some(place), None) => {
                self.0[place].0 = to.into();
                true
            }
            _ => false,
        }
    }

    /// The map under that key, made where there is none.
    pub(super) fn map_at(&mut self, key: &str) -> Option<&mut Map> {
        if !self.has(key) {
            self.0.push((key.into(), Json::Map(Self::default())));
        }
        self.get_mut(key).and_then(Json::as_map_mut)
    }

    /// Objects of these classes, with their ids.
    pub(super) fn objects<'f>(
        &'f self,
        classes: &'f [&str],
    ) -> impl Iterator<Item = (&'f str, &'f Map)> {
        let blocks = self.0.iter().filter(|(key, _)| classes.contains(&&**key));
        let objects = blocks.filter_map(|(_, block)| block.as_map());
        objects
            .flat_map(|block| &block.0)
            .filter_map(|(id, object)| Some((&**id, object.as_map()?)))
    }

    /// The same, to change them.
    pub(super) fn objects_mut<'f>(
        &'f mut self,
        classes: &'f [&str],
    ) -> impl Iterator<Item = (&'f str, &'f mut Map)> {
        let blocks = self.0.iter_mut();
        let blocks = blocks.filter(|(key, _)| classes.contains(&&**key));
        let objects = blocks.filter_map(|(_, block)| block.as_map_mut());
        objects
            .flat_map(|block| &mut block.0)
            .filter_map(|(id, object)| Some((&**id, object.as_map_mut()?)))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => json.serialize_unit(),
            Self::Bool(value) => json.serialize_bool(*value),
            Self::Number(number) => number.serialize(json),
            Self::Text(text) | Self::Series(text) => json.serialize_str(text),
            Self::List(list) => json.collect_seq(list),
            Self::Map(map) => map.serialize(json),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
