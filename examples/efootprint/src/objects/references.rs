//! References between objects.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq, Serializer};

use super::ids::one_of;
use super::input::InputSeed;
use super::{AnyObject, Ids, Input, Model, ObjectReading, Target};
use crate::bytes::block;
use crate::error::{DefectKind, Fault, quoted};
use crate::values::{InputValue, Parts, Quantity, Scalar};

type ClassOf<T> = <<T as Target>::Object as AnyObject>::Class;
type IdsOf<T> = Ids<ClassOf<T>>;
type ReadingOf<T> = ObjectReading<ClassOf<T>>;

/// A reference to an object of class `T`, or of one of the classes of family `T`: four bytes.
///
/// [`Model::get`] follows it.
pub struct Ref<T> {
    /// The number of the id while reading, and from linking on the object's place in the model.
    index: u32,
    target: PhantomData<fn() -> T>,
}

impl<T: Target> Ref<T> {
    pub(crate) fn new(index: u32) -> Self {
        Self {
            index,
            target: PhantomData,
        }
    }

    /// The place of the object in the order of the file.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ref<T> {}

impl<T> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl<T> Eq for Ref<T> {}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.index)
    }
}

impl<T: Target> Input<T::Object> for Ref<T> {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ReadingOf<T>,
    ) -> Result<Self, D::Error> {
        json.deserialize_str(IdVisitor {
            reading,
            target: PhantomData,
        })
    }

    fn link(&mut self, ids: &IdsOf<T>) -> Result<(), Fault> {
        self.index = ids.place(self.index, T::CLASSES)?;
        Ok(())
    }

    fn write<S: Serializer>(&self, model: &Model<T::Object>, json: S) -> Result<S::Ok, S::Error> {
        json.serialize_str(model.id_at(self.index))
    }

    fn references(&self, visit: &mut dyn FnMut(u32)) {
        visit(self.index);
    }

    fn heap(&self) -> usize {
        0
    }
}

struct IdVisitor<'r, T: Target> {
    reading: &'r mut ReadingOf<T>,
    target: PhantomData<T>,
}

impl<T: Target> Visitor<'_> for IdVisitor<'_, T> {
    type Value = Ref<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the id of an object of class {}", one_of(T::CLASSES))
    }

    fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<Ref<T>, E> {
        self.reading
            .ids
            .mention(id)
            .map(Ref::new)
            .map_err(|fault| self.reading.refuse(fault))
    }
}

/// References in the order of the file. An object may appear several times.
#[derive(Debug, PartialEq)]
pub struct List<T>(Vec<Ref<T>>);

impl<T> std::ops::Deref for List<T> {
    type Target = [Ref<T>];

    fn deref(&self) -> &[Ref<T>] {
        &self.0
    }
}

impl<T: Target> Input<T::Object> for List<T> {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ReadingOf<T>,
    ) -> Result<Self, D::Error> {
        json.deserialize_seq(ListVisitor {
            reading,
            target: PhantomData,
        })
    }

    fn link(&mut self, ids: &IdsOf<T>) -> Result<(), Fault> {
        self.0
            .iter_mut()
            .try_for_each(|reference| reference.link(ids))
    }

    fn write<S: Serializer>(&self, model: &Model<T::Object>, json: S) -> Result<S::Ok, S::Error> {
        let mut list = json.serialize_seq(Some(self.len()))?;
        for reference in self.iter() {
            list.serialize_element(model.id_at(reference.index))?;
        }
        list.end()
    }

    fn references(&self, visit: &mut dyn FnMut(u32)) {
        self.iter().for_each(|reference| visit(reference.index));
    }

    fn heap(&self) -> usize {
        block(size_of_val(&**self))
    }
}

struct ListVisitor<'r, T: Target> {
    reading: &'r mut ReadingOf<T>,
    target: PhantomData<T>,
}

impl<'de, T: Target> Visitor<'de> for ListVisitor<'_, T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a list of ids of objects of class {}",
            one_of(T::CLASSES)
        )
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(reference) =
            json.next_element_seed(InputSeed::<T::Object, Ref<T>>::new(self.reading))?
        {
            list.push(reference);
        }
        list.shrink_to_fit();
        Ok(List(list))
    }
}

/// References with a number each, such as how often a step runs its jobs, in the order of the file.
#[derive(Debug, PartialEq)]
pub struct Weighted<T, W>(Vec<(Ref<T>, Scalar<W>)>);

impl<T, W> std::ops::Deref for Weighted<T, W> {
    type Target = [(Ref<T>, Scalar<W>)];

    fn deref(&self) -> &[(Ref<T>, Scalar<W>)] {
        &self.0
    }
}

impl<T: Target, W: Quantity> Input<T::Object> for Weighted<T, W> {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ReadingOf<T>,
    ) -> Result<Self, D::Error> {
        json.deserialize_map(WeightedVisitor {
            reading,
            target: PhantomData,
        })
    }

    fn link(&mut self, ids: &IdsOf<T>) -> Result<(), Fault> {
        self.0
            .iter_mut()
            .try_for_each(|(reference, _)| reference.link(ids))
    }

    fn write<S: Serializer>(&self, model: &Model<T::Object>, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(Some(self.len()))?;
        for (reference, weight) in self.iter() {
            map.serialize_entry(model.id_at(reference.index), weight)?;
        }
        map.end()
    }

    fn references(&self, visit: &mut dyn FnMut(u32)) {
        self.iter()
            .for_each(|(reference, _)| visit(reference.index));
    }

    fn heap(&self) -> usize {
        let weights = self.iter().map(|(_, weight)| InputValue::heap(weight));
        block(size_of_val(&**self)) + weights.sum::<usize>()
    }
}

struct WeightedVisitor<'r, T: Target, W> {
    reading: &'r mut ReadingOf<T>,
    target: PhantomData<(T, W)>,
}

impl<'de, T: Target, W: Quantity> Visitor<'de> for WeightedVisitor<'_, T, W> {
    type Value = Weighted<T, W>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an object from ids of class {} to weights",
            one_of(T::CLASSES)
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Weighted<T, W>, A::Error> {
        let reading = self.reading;
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        while let Some(reference) =
            json.next_key_seed(InputSeed::<T::Object, Ref<T>>::new(reading))?
        {
            if !seen.insert(reference.index) {
                let id = quoted(reading.ids.text(reference.index));
                let text = format!("has {id} twice; add the weights up in one entry");
                return Err(reading.refuse(Fault::new(DefectKind::DuplicateReference, text)));
            }
            let parts = json.next_value_seed(Parts::seed(&mut reading.values))?;
            let weight = Scalar::from_parts(parts, &mut reading.values).map_err(|fault| {
                let id = quoted(reading.ids.text(reference.index));
                let text = format!("has an entry {id} that {}", fault.text);
                reading.refuse(Fault::new(fault.kind, text))
            })?;
            list.push((reference, weight));
        }
        list.shrink_to_fit();
        Ok(Weighted(list))
    }
}
