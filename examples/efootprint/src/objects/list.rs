//! Lists of references.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::ser::{SerializeSeq, Serializer};

use super::ids::one_of;
use super::input::InputSeed;
use super::references::{IdsOf, ReadingOf, Ref};
use super::{Input, Model, Target};
use crate::bytes::block;
use crate::error::Fault;

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
