//! Inputs: the attributes of objects that stand in a file, and how a class reads them.

use std::marker::PhantomData;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess};
use serde::ser::{Serialize, Serializer};

use super::{AnyClass, AnyObject, Ids, Model, ObjectReading};
use crate::bytes;
use crate::error::{DefectKind, Fault, quoted};
use crate::values::InputValue;

/// A kind of input: how it is read, linked to other objects, and written back.
pub(crate) trait Input<O: AnyObject>: Sized {
    /// Reads it.
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ObjectReading<O::Class>,
    ) -> Result<Self, D::Error>;

    /// Turns ids into objects, once all are known.
    fn link(&mut self, _ids: &Ids<O::Class>) -> Result<(), Fault> {
        Ok(())
    }

    /// Writes it.
    fn write<S: Serializer>(&self, model: &Model<O>, json: S) -> Result<S::Ok, S::Error>;

    /// Visits the places of the objects that it refers to.
    fn references(&self, _visit: &mut dyn FnMut(u32)) {}

    /// Bytes of memory that it takes beside its own.
    fn heap(&self) -> usize;

    /// Hours of the longest series in it.
    fn hours(&self) -> usize {
        0
    }

    /// Whether the attribute appears in a written file.
    fn is_present(&self) -> bool {
        true
    }
}

/// An attribute that may be absent. It then stays absent.
impl<O: AnyObject, A: Input<O>> Input<O> for Option<A> {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ObjectReading<O::Class>,
    ) -> Result<Self, D::Error> {
        A::read(json, reading).map(Some)
    }

    fn link(&mut self, ids: &Ids<O::Class>) -> Result<(), Fault> {
        self.as_mut()
            .map_or(Ok(()), |attribute| attribute.link(ids))
    }

    fn write<S: Serializer>(&self, model: &Model<O>, json: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(attribute) => attribute.write(model, json),
            None => json.serialize_none(),
        }
    }

    fn heap(&self) -> usize {
        self.as_ref().map_or(0, A::heap)
    }

    fn hours(&self) -> usize {
        self.as_ref().map_or(0, A::hours)
    }

    fn is_present(&self) -> bool {
        self.is_some()
    }
}

/// Reads an attribute, or one entry of it, where serde asks for a seed.
pub(crate) struct InputSeed<'r, O: AnyObject, A> {
    reading: &'r mut ObjectReading<O::Class>,
    input: PhantomData<A>,
}

impl<'r, O: AnyObject, A> InputSeed<'r, O, A> {
    pub(crate) fn new(reading: &'r mut ObjectReading<O::Class>) -> Self {
        Self {
            reading,
            input: PhantomData,
        }
    }
}

impl<'de, O: AnyObject, A: Input<O>> DeserializeSeed<'de> for InputSeed<'_, O, A> {
    type Value = A;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<A, D::Error> {
        A::read(json, self.reading)
    }
}

/// An attribute with the model that knows the ids it refers to.
pub(crate) struct WithModel<'m, O, A>(pub(crate) &'m A, pub(crate) &'m Model<O>);

impl<O: AnyObject, A: Input<O>> Serialize for WithModel<'_, O, A> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        self.0.write(self.1, json)
    }
}

/// Reads the value of the present key into `slot`.
pub(crate) fn read_attribute<'de, O: AnyObject, A: Input<O>, M: MapAccess<'de>>(
    name: &'static str,
    slot: &mut Option<A>,
    json: &mut M,
    reading: &mut ObjectReading<O::Class>,
) -> Result<(), M::Error> {
    reading.values.location.attribute = Some(name);
    if slot.is_some() {
        return Err(reading.refuse(Fault::invalid("appears twice; keep one")));
    }
    *slot = Some(json.next_value_seed(InputSeed::<O, A>::new(reading))?);
    reading.values.location.attribute = None;
    Ok(())
}

/// The value read for an attribute that every object of the class has.
pub(crate) fn required<C: AnyClass, A, E: serde::de::Error>(
    name: &'static str,
    value: Option<A>,
    reading: &mut ObjectReading<C>,
) -> Result<A, E> {
    value.ok_or_else(|| {
        reading.values.location.attribute = Some(name);
        let class = reading.values.location.class.unwrap_or_default();
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
    pub(crate) fn read<'de, O: AnyObject, M: MapAccess<'de>>(
        &mut self,
        key: &str,
        json: &mut M,
        reading: &mut ObjectReading<O::Class>,
    ) -> Result<(), M::Error> {
        match key {
            "id" => read_attribute::<O, _, _>("id", &mut self.id, json, reading),
            "name" => read_attribute::<O, _, _>("name", &mut self.name, json, reading),
            _ => json.next_value::<IgnoredAny>().map(drop),
        }
    }

    /// Id and name, the id being the one the object is filed under.
    pub(crate) fn finish<C: AnyClass, E: serde::de::Error>(
        self,
        filed_under: Arc<str>,
        reading: &mut ObjectReading<C>,
    ) -> Result<(Arc<str>, Box<str>), E> {
        let id = required("id", self.id, reading)?;
        if *id != *filed_under {
            reading.values.location.attribute = Some("id");
            let (id, key) = (quoted(&id), quoted(&filed_under));
            let text = format!("is {id}, but the object is filed under {key}; make them the same");
            return Err(reading.refuse(Fault::new(DefectKind::IdMismatch, text)));
        }
        let name = required("name", self.name, reading)?;
        Ok((filed_under, name))
    }
}

/// A plain text.
impl<O: AnyObject> Input<O> for Box<str> {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        _: &mut ObjectReading<O::Class>,
    ) -> Result<Self, D::Error> {
        Self::deserialize(json)
    }

    fn write<S: Serializer>(&self, _: &Model<O>, json: S) -> Result<S::Ok, S::Error> {
        json.serialize_str(self)
    }

    fn heap(&self) -> usize {
        bytes::text(self)
    }
}

/// A value, which refers to no object.
impl<O: AnyObject, V: InputValue> Input<O> for V {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ObjectReading<O::Class>,
    ) -> Result<Self, D::Error> {
        V::read(json, &mut reading.values)
    }

    fn write<S: Serializer>(&self, _: &Model<O>, json: S) -> Result<S::Ok, S::Error> {
        self.serialize(json)
    }

    fn heap(&self) -> usize {
        InputValue::heap(self)
    }

    fn hours(&self) -> usize {
        InputValue::hours(self)
    }
}
