//! From objects to a model: references are followed, and what takes more than one object to see is
//! checked.

use std::collections::HashSet;

use super::unknown::UnknownClasses;
use crate::error::{Defect, DefectKind, Fault, Location, quoted};
use crate::objects::{AnyClass, AnyObject, Model, ObjectReading, Source};

/// Sources that need no entry in `Sources`.
const BUILT_IN_SOURCES: [&str; 3] = ["user_data", "hypothesis", "automatic_replacement"];

/// What a file holds, with its references not yet followed.
pub(super) struct Draft<O: AnyObject> {
    pub(super) sources: Vec<Source>,
    pub(super) objects: Vec<O>,
    pub(super) unknown: UnknownClasses<O::Class>,
}

impl<O: AnyObject> Default for Draft<O> {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            objects: Vec::new(),
            unknown: UnknownClasses::default(),
        }
    }
}

impl<O: AnyObject> Draft<O> {
    pub(super) fn into_model(
        self,
        reading: ObjectReading<O::Class>,
    ) -> Result<Model<O>, Box<Defect>> {
        self.check_sources(&reading)?;
        let name = self.system_name()?;
        let Self {
            sources,
            mut objects,
            unknown,
            ..
        } = self;
        for object in &mut objects {
            if let Err((attribute, mut fault)) = object.link(&reading.ids) {
                if fault.kind == DefectKind::MissingReference {
                    fault.text += &unknown.hint();
                }
                return Err(location_of(object, attribute).defect(fault));
            }
        }
        let model = Model {
            name,
            remarks: Vec::new(),
            sources,
            objects,
            places: reading.ids.into_places(),
        };
        match O::check(&model) {
            Ok(()) => Ok(model),
            Err((object, (attribute, fault))) => Err(location_of(object, attribute).defect(fault)),
        }
    }

    /// Whether there is no object that makes a file a system.
    pub(super) fn lacks_system(&self) -> bool {
        let mut objects = self.objects.iter();
        objects.all(|object| object.class() != O::Class::ROOT)
    }

    fn check_sources(&self, reading: &ObjectReading<O::Class>) -> Result<(), Box<Defect>> {
        let entries = self.sources.iter().map(|source| &*source.id);
        let known: HashSet<&str> = entries.chain(BUILT_IN_SOURCES).collect();
        let unknown = reading
            .values
            .cited
            .iter()
            .filter(|(id, _)| !known.contains(&***id));
        if let Some((id, &(object, attribute))) = unknown.min_by_key(|(_, citation)| **citation) {
            let id = quoted(id);
            let text = format!("names source {id}, which is no entry of `Sources`; add it there");
            let location = location_of(&self.objects[object as usize], attribute);
            return Err(location.defect(Fault::new(DefectKind::MissingReference, text)));
        }
        Ok(())
    }

    fn system_name(&self) -> Result<Box<str>, Box<Defect>> {
        let systems = self
            .objects
            .iter()
            .filter(|object| object.class() == O::Class::ROOT);
        let names: Vec<_> = systems.map(O::name).collect();
        if names.is_empty() {
            let text = format!(
                "has no `{}`, expected one or more{}",
                O::Class::ROOT,
                self.unknown.hint()
            );
            return Err(Location::default().defect(Fault::new(DefectKind::MissingAttribute, text)));
        }
        Ok(names.join(", ").into())
    }
}

fn location_of<O: AnyObject>(object: &O, attribute: &'static str) -> Location {
    Location {
        class: Some(object.class().name()),
        object: Some(object.id().to_owned()),
        attribute: Some(attribute),
    }
}
