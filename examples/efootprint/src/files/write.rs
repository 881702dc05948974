//! Writing a model as a file that the e-footprint library loads.

use std::io::{self, BufWriter};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::version;
use crate::objects::{AnyClass, AnyObject, Model, ObjectView, Source};

impl<O: AnyObject> Model<O> {
    /// Writes the model as a file of version 27, object by object; series are compressed on the
    /// way.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write(&self, out: impl io::Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        serde_json::to_writer(&mut out, &File(self))?;
        io::Write::flush(&mut out)
    }
}

struct File<'m, O>(&'m Model<O>);

impl<O: AnyObject> Serialize for File<'_, O> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let Self(model) = self;
        let mut file = json.serialize_map(None)?;
        file.serialize_entry("efootprint_version", version::WRITTEN)?;
        if !model.sources.is_empty() {
            file.serialize_entry("Sources", &Sources(&model.sources))?;
        }
        // A file has each class once, so its objects stand together.
        for objects in model.objects.chunk_by(|a, b| a.class() == b.class()) {
            file.serialize_entry(objects[0].class().name(), &Block { model, objects })?;
        }
        file.end()
    }
}

struct Sources<'m>(&'m [Source]);

impl Serialize for Sources<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        json.collect_map(self.0.iter().map(|source| (&source.id, source)))
    }
}

struct Block<'m, O> {
    model: &'m Model<O>,
    objects: &'m [O],
}

impl<O: AnyObject> Serialize for Block<'_, O> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let views = self.objects.iter().map(|object| ObjectView {
            model: self.model,
            object,
        });
        json.collect_map(views.map(|view| (view.id(), view)))
    }
}

impl<O: AnyObject> Serialize for ObjectView<'_, O> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(None)?;
        map.serialize_entry("name", self.name())?;
        map.serialize_entry("id", self.id())?;
        self.object.write(self.model, &mut map)?;
        map.end()
    }
}
