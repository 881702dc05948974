//! An object and its class, as far as the floors below the classes know them.
//!
//! The list of classes implements both traits; reading, writing and computing use them, so that
//! none of these names a class.

use std::fmt::{Debug, Display};
use std::sync::Arc;

use serde::de::MapAccess;
use serde::ser::SerializeMap;

use super::{Ids, Model, ObjectReading};
use crate::error::Fault;

/// The fault of an attribute, by its name.
pub(crate) type AttributeFault = (&'static str, Fault);

/// A class of objects.
pub trait AnyClass: Copy + Eq + Debug + Display + Send + Sync + 'static {
    /// Every class.
    const ALL: &'static [Self];

    /// The class that a file has at least one object of; it gives the model its name.
    const ROOT: Self;

    /// The key of the class in a file.
    fn name(self) -> &'static str;

    /// The class of that key.
    fn from_name(name: &str) -> Option<Self>;

    /// The names of its inputs.
    fn inputs(self) -> &'static [&'static str];
}

/// An object of any class.
pub trait AnyObject: Debug + PartialEq + Send + Sync + Sized + 'static {
    /// Its class.
    type Class: AnyClass;

    /// The object's class.
    fn class(&self) -> Self::Class;

    /// The object's id.
    fn id(&self) -> &str;

    /// The object's name.
    fn name(&self) -> &str;

    /// Reads an object of that class, which is filed under `id`.
    fn read<'de, M: MapAccess<'de>>(
        class: Self::Class,
        id: Arc<str>,
        json: M,
        reading: &mut ObjectReading<Self::Class>,
    ) -> Result<Self, M::Error>;

    /// Turns the ids that it refers to into places, once all are known.
    fn link(&mut self, ids: &Ids<Self::Class>) -> Result<(), AttributeFault>;

    /// Writes its attributes; id and name are written already.
    fn write<M: SerializeMap>(&self, model: &Model<Self>, json: &mut M) -> Result<(), M::Error>;

    /// Visits the places of the objects that it refers to.
    fn references(&self, visit: &mut dyn FnMut(u32));

    /// Bytes of memory that it takes beside its own.
    fn heap(&self) -> usize;

    /// Hours of the longest series among its inputs.
    fn hours(&self) -> usize;

    /// Checks what takes all objects to see: the object and the attribute where something is wrong.
    fn check(model: &Model<Self>) -> Result<(), (&Self, AttributeFault)>;
}
