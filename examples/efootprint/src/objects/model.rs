//! The model: all objects of a file.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{AnyClass, AnyObject, Ref, Target};
use crate::bytes::{block, share, text};

/// The inputs of an e-footprint system.
#[derive(Debug)]
pub struct Model<O> {
    pub(crate) name: Box<str>,
    /// What was changed while it was read. It is not part of what it is.
    pub(crate) remarks: Vec<String>,
    pub(crate) sources: Vec<Source>,
    /// In the order of the file.
    pub(crate) objects: Vec<O>,
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
pub struct ObjectView<'m, O> {
    pub(crate) model: &'m Model<O>,
    pub(crate) object: &'m O,
}

impl<O: PartialEq> PartialEq for Model<O> {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.sources, &self.objects) == (&other.name, &other.sources, &other.objects)
    }
}

impl<O: AnyObject> Model<O> {
    /// What was changed while it was read, a sentence each: a file of an older version was
    /// converted.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

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
    pub fn objects(&self) -> impl Iterator<Item = ObjectView<'_, O>> {
        self.objects.iter().map(|object| ObjectView {
            model: self,
            object,
        })
    }

    /// The object of that id.
    pub fn object(&self, id: &str) -> Option<ObjectView<'_, O>> {
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
    pub fn get<T: Target<Object = O>>(&self, reference: Ref<T>) -> T::Found<'_> {
        let place = reference.index();
        match T::find(place as u32, &self.objects[place]) {
            Some(found) => found,
            None => unreachable!(
                "references are checked when a model is read, so this one is of another model"
            ),
        }
    }

    /// How many bytes of memory the model takes.
    ///
    /// Most of it is four bytes for each hour of a series; a value without one takes about a
    /// hundred, and its texts.
    pub fn size(&self) -> usize {
        let sources = self.sources.iter().map(|source| {
            text(&source.id) + text(&source.name) + source.link.as_deref().map_or(0, text)
        });
        // Each place has a byte beside it in the table, which is seven eighths full at most.
        let place = size_of::<(Arc<str>, u32)>() + 1;
        size_of::<Self>()
            + text(&self.name)
            + block(self.remarks.capacity() * size_of::<String>())
            + self
                .remarks
                .iter()
                .map(|remark| text(remark))
                .sum::<usize>()
            + block(self.sources.capacity() * size_of::<Source>())
            + sources.sum::<usize>()
            + block(self.objects.capacity() * size_of::<O>())
            + self.objects.iter().map(O::heap).sum::<usize>()
            + self.places.keys().map(share).sum::<usize>()
            + block(self.places.capacity() * 8 / 7 * place)
    }

    /// The id of a linked reference's object.
    pub(crate) fn id_at(&self, place: u32) -> &str {
        self.objects[place as usize].id()
    }
}

impl<O> Clone for ObjectView<'_, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for ObjectView<'_, O> {}

impl<'m, O: AnyObject> ObjectView<'m, O> {
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
    pub fn object(&self) -> &'m O {
        self.object
    }
}

impl<O: fmt::Debug> fmt::Debug for ObjectView<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}
