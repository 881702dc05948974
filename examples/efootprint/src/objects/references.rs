//! References between objects.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Visitor};
use serde::ser::Serializer;

use super::ids::one_of;
use super::{AnyObject, Ids, Input, Model, ObjectReading, Target};
use crate::error::Fault;

pub(super) type ClassOf<T> = <<T as Target>::Object as AnyObject>::Class;
pub(super) type IdsOf<T> = Ids<ClassOf<T>>;
pub(super) type ReadingOf<T> = ObjectReading<ClassOf<T>>;

/// A reference to an object of class `T`, or of one of the classes of family `T`: four bytes.
///
/// [`Model::get`](crate::Model::get) follows it.
pub struct Ref<T> {
    /// The number of the id while reading, and from linking on the object's place in the model.
    pub(super) index: u32,
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
