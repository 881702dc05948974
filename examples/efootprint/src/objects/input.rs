//! Attributes of objects: what their kinds can do, and how a class reads them.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess};
use serde::ser::{Serialize, Serializer};

use super::Model;
use super::ids::Ids;
use crate::bytes;
use crate::classes::{Class, Object};
use crate::error::{DefectKind, Fault, quoted};
use crate::values::reading::Reading;

/// A kind of attribute: how it is read, linked to other objects, and written back.
pub(crate) trait Attribute: Sized {
    fn read<'de, D: Deserializer<'de>>(json: D, reading: &mut Reading) -> Result<Self, D::Error>;

    /// Turns ids into objects, once all are known.
    fn link(&mut self, _ids: &Ids) -> Result<(), Fault> {
        Ok(())
    }

    fn write<S: Serializer>(&self, model: &Model, json: S) -> Result<S::Ok, S::Error>;

    /// Visits the places of the objects that it refers to.
    fn references(&self, _visit: &mut dyn FnMut(u32)) {}

    /// Bytes of memory that it takes beside its own.
    fn heap(&self) -> usize;

    /// Whether the attribute appears in a written file.
    fn is_present(&self) -> bool {
        true
    }
}

/// An attribute that may be absent. It then stays absent.
impl<A: Attribute> Attribute for Option<A> {
    fn read<'de, D: Deserializer<'de>>(json: D, reading: &mut Reading) -> Result<Self, D::Error> {
        A::read(json, reading).map(Some)
    }

    fn link(&mut self, ids: &Ids) -> Result<(), Fault> {
        self.as_mut()
            .map_or(Ok(()), |attribute| attribute.link(ids))
    }

    fn write<S: Serializer>(&self, model: &Model, json: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(attribute) => attribute.write(model, json),
            None => json.serialize_none(),
        }
    }

    fn heap(&self) -> usize {
        self.as_ref().map_or(0, A::heap)
    }

    fn is_present(&self) -> bool {
        self.is_some()
    }
}

/// What a reference may lead to: a class, or a family of classes.
pub trait Target {
    /// The classes that a reference may name.
    const CLASSES: &'static [Class];

    /// What [`Model::get`] finds: the object, or a typed reference to match on.
    type Found<'m>;

    /// `None` where the object is of none of the classes.
    #[doc(hidden)]
    fn find(index: u32, object: &Object) -> Option<Self::Found<'_>>;
}

/// Reads an attribute, or one entry of it, where serde asks for a seed.
pub(crate) struct AttributeSeed<'r, A> {
    reading: &'r mut Reading,
    attribute: PhantomData<A>,
}

impl<'r, A> AttributeSeed<'r, A> {
    pub(crate) fn new(reading: &'r mut Reading) -> Self {
        Self {
            reading,
            attribute: PhantomData,
        }
    }
}

impl<'de, A: Attribute> DeserializeSeed<'de> for AttributeSeed<'_, A> {
    type Value = A;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<A, D::Error> {
        A::read(json, self.reading)
    }
}

/// An attribute with the model that knows the ids it refers to.
pub(crate) struct Written<'m, A>(pub(crate) &'m A, pub(crate) &'m Model);

impl<A: Attribute> Serialize for Written<'_, A> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        self.0.write(self.1, json)
    }
}

/// Reads the value of the present key into `slot`.
pub(crate) fn read_attribute<'de, A: Attribute, M: MapAccess<'de>>(
    name: &'static str,
    slot: &mut Option<A>,
    json: &mut M,
    reading: &mut Reading,
) -> Result<(), M::Error> {
    reading.place.attribute = Some(name);
    if slot.is_some() {
        return Err(reading.refuse(Fault::invalid("appears twice; keep one")));
    }
    *slot = Some(json.next_value_seed(AttributeSeed::new(reading))?);
    reading.place.attribute = None;
    Ok(())
}

/// The value read for an attribute that every object of the class has.
pub(crate) fn required<A, E: serde::de::Error>(
    name: &'static str,
    value: Option<A>,
    reading: &mut Reading,
) -> Result<A, E> {
    value.ok_or_else(|| {
        reading.place.attribute = Some(name);
        let class = reading.place.class.unwrap_or_default();
        let text = format!("is missing; every `{class}` has it");
        reading.refuse(Fault::new(DefectKind::MissingAttribute, text))
    })
}

/// The `id` and `name` that every object has.
#[derive(Default)]
pub(crate) struct Header {
    id: Option<Box<str>>,
    name: Option<Box<str>>,
}

impl Header {
    /// Takes one of its two attributes, and skips what the class does not declare, unread.
    pub(crate) fn read<'de, M: MapAccess<'de>>(
        &mut self,
        key: &str,
        json: &mut M,
        reading: &mut Reading,
    ) -> Result<(), M::Error> {
        match key {
            "id" => read_attribute("id", &mut self.id, json, reading),
            "name" => read_attribute("name", &mut self.name, json, reading),
            _ => json.next_value::<IgnoredAny>().map(drop),
        }
    }

    /// Id and name, the id being the one the object is filed under.
    pub(crate) fn finish<E: serde::de::Error>(
        self,
        filed_under: Arc<str>,
        reading: &mut Reading,
    ) -> Result<(Arc<str>, Box<str>), E> {
        let id = required("id", self.id, reading)?;
        if *id != *filed_under {
            reading.place.attribute = Some("id");
            let (id, key) = (quoted(&id), quoted(&filed_under));
            let text = format!("is {id}, but the object is filed under {key}; make them the same");
            return Err(reading.refuse(Fault::new(DefectKind::IdMismatch, text)));
        }
        let name = required("name", self.name, reading)?;
        Ok((filed_under, name))
    }
}

/// A plain text.
impl Attribute for Box<str> {
    fn read<'de, D: Deserializer<'de>>(json: D, _: &mut Reading) -> Result<Self, D::Error> {
        Self::deserialize(json)
    }

    fn write<S: Serializer>(&self, _: &Model, json: S) -> Result<S::Ok, S::Error> {
        json.serialize_str(self)
    }

    fn heap(&self) -> usize {
        bytes::text(self)
    }
}
