//! E-footprint systems as typed objects, read from and written to the JSON files of the e-footprint
//! library.
//!
//! A [`Model`] holds the inputs of a file of major version 27 (24 to 26 where that is safe):
//! each object is a struct of its [class](classes) with typed [values], references are checked
//! [indices](Ref), units are checked and series are plain arrays. What a file says of results is
//! skipped.

mod attribute;
mod catalogues;
mod class;
pub mod classes;
pub mod compute;
mod error;
pub mod footprint;
mod guard;
mod ids;
mod link;
mod read;
mod reading;
mod relations;
pub mod sankey;
mod size;
pub mod units;
pub mod values;
mod version;
mod write;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

pub use self::attribute::Target;
use self::classes::Object;
pub use self::error::{Defect, DefectKind, ReadError};
pub use self::read::read;
pub use self::relations::{List, Ref, Weighted};

/// The inputs of an e-footprint system.
#[derive(Debug, PartialEq)]
pub struct Model {
    name: Box<str>,
    sources: Vec<Source>,
    /// In the order of the file.
    objects: Vec<Object>,
    places: HashMap<Arc<str>, u32>,
}

/// An entry of the file's `Sources`.
#[derive(Debug, PartialEq, serde::Serialize)]
struct Source {
    id: Box<str>,
    name: Box<str>,
    link: Option<Box<str>>,
}

/// One object of a model.
///
/// As JSON it is what stands in a file under its id: name, id and attributes.
#[derive(Clone, Copy)]
pub struct ObjectView<'m> {
    model: &'m Model,
    object: &'m Object,
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
    fn id_at(&self, place: u32) -> &str {
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
