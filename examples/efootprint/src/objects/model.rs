//! The model: all objects of a file.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::input::Target;
use super::references::Ref;
use crate::classes::Object;

/// The inputs of an e-footprint system.
#[derive(Debug, PartialEq)]
pub struct Model {
    pub(crate) name: Box<str>,
    pub(crate) sources: Vec<Source>,
    /// In the order of the file.
    pub(crate) objects: Vec<Object>,
    pub(crate) places: HashMap<Arc<str>, u32>,
}

/// An entry of the file's `Sources`.
#[derive(Debug, PartialEq, serde::Serialize)]
pub(crate) struct Source {
    pub(crate) id: Box<str>,
    pub(crate) name: Box<str>,
    pub(crate) link: Option<Box<str>>,
}

/// One object of a model.
///
/// As JSON it is what stands in a file under its id: name, id and attributes.
#[derive(Clone, Copy)]
pub struct ObjectView<'m> {
    pub(crate) model: &'m Model,
    pub(crate) object: &'m Object,
}

impl Model {
    /// The name of the System; the names, where a file has several.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is no object. A file has one at least, its System.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// All objects, in the order of the file.
    pub fn objects(&self) -> impl Iterator<Item = ObjectView<'_>> {
        self.objects.iter().map(|object| ObjectView {
            model: self,
            object,
        })
    }

    /// The object of that id.
    pub fn object(&self, id: &str) -> Option<ObjectView<'_>> {
        let &place = self.places.get(id)?;
        Some(ObjectView {
            model: self,
            object: self.objects.get(place as usize)?,
        })
    }

    /// The place of the object of that id, in the order of the file.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).map(|&place| place as usize)
    }

    /// What a reference leads to: the object itself, or for a family a reference to match on.
    ///
    /// # Panics
    ///
    /// Where the reference belongs to another model.
    pub fn get<T: Target>(&self, reference: Ref<T>) -> T::Found<'_> {
        let place = reference.index();
        match T::find(place as u32, &self.objects[place]) {
            Some(found) => found,
            None => unreachable!(
                "references are checked when a model is read, so this one is of another model"
            ),
        }
    }

    /// The id of a linked reference's object.
    pub(crate) fn id_at(&self, place: u32) -> &str {
        self.objects[place as usize].id()
    }
}

impl<'m> ObjectView<'m> {
    /// The id, unique in the model.
    pub fn id(&self) -> &'m str {
        self.object.id()
    }

    /// The name people see.
    pub fn name(&self) -> &'m str {
        self.object.name()
    }

    /// The name of its class, as in files.
    pub fn class(&self) -> &'static str {
        self.object.class().name()
    }

    /// The object with its typed attributes.
    pub fn object(&self) -> &'m Object {
        self.object
    }
}

impl fmt::Debug for ObjectView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}
