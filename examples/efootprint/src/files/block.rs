//! Reading the objects of a class.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

use crate::objects::{AnyObject, LONGEST_ID, ObjectReading};

/// Reads all objects of a class.
pub(super) struct BlockSeed<'r, O: AnyObject> {
    pub(super) class: O::Class,
    pub(super) objects: &'r mut Vec<O>,
    pub(super) reading: &'r mut ObjectReading<O::Class>,
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
