//! From objects to a model: references are followed, and what takes more than one object to see is
//! checked.

use std::collections::HashSet;

use super::version;
use crate::classes::{self, Class, Object};
use crate::error::{Defect, DefectKind, Fault, Place, quoted};
use crate::objects::{Model, Source};
use crate::values::reading::Reading;

/// Sources that need no entry in `Sources`.
const BUILT_IN_SOURCES: [&str; 3] = ["user_data", "hypothesis", "automatic_replacement"];

/// What a file holds, with its references not yet followed.
#[derive(Default)]
pub(crate) struct File {
    pub(crate) major: Option<u64>,
    pub(crate) sources: Vec<Source>,
    pub(crate) objects: Vec<Object>,
    pub(crate) unknown: Unknown,
}

/// Keys of objects that are no class, for hints: those most like one.
#[derive(Default)]
pub(crate) struct Unknown {
    kept: Vec<(f64, Class, String)>,
    compared: usize,
}

impl Unknown {
    /// Most keys that are kept, and the longest, in bytes.
    const MOST: usize = 3;
    const LONGEST: usize = 64;

    /// Most keys that are compared: a file may consist of nothing else.
    const MOST_COMPARED: usize = 1000;

    pub(crate) fn add(&mut self, key: String) {
        if key.len() > Self::LONGEST || self.compared == Self::MOST_COMPARED {
            return;
        }
        self.compared += 1;
        let alike = Class::ALL
            .iter()
            .map(|&class| (strsim::jaro_winkler(&key, class.name()), class));
        if let Some((likeness, class)) = alike.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
            self.kept.push((likeness, class, key));
            self.kept.sort_by(|(a, ..), (b, ..)| b.total_cmp(a));
            self.kept.truncate(Self::MOST);
        }
    }

    /// What may have made objects go missing: a misspelt class is no error in this format, its
    /// objects are just ignored.
    fn hint(&self) -> String {
        let mut hint = String::new();
        for (likeness, class, key) in &self.kept {
            hint += &format!("; the file has an unknown class {}", quoted(key));
            if *likeness > 0.9 {
                hint += &format!(", did you mean `{class}`?");
            }
        }
        hint
    }
}

impl File {
    pub(crate) fn into_model(self, reading: Reading) -> Result<Model, Box<Defect>> {
        self.check_version()?;
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
                return Err(place_of(object, attribute).defect(fault));
            }
        }
        let model = Model {
            name,
            sources,
            objects,
            places: reading.ids.into_places(),
        };
        match classes::check(&model) {
            Ok(()) => Ok(model),
            Err((object, attribute, fault)) => Err(place_of(object, attribute).defect(fault)),
        }
    }

    fn check_version(&self) -> Result<(), Box<Defect>> {
        let video = |object: &Object| object.class() == Class::EcoLogitsVideoGenExternalAPIJob;
        if let Some(major) = self.major.filter(|major| *major < 26)
            && self.objects.iter().any(video)
        {
            return Err(Place::default().defect(version::videos_before_26(major)));
        }
        Ok(())
    }

    fn check_sources(&self, reading: &Reading) -> Result<(), Box<Defect>> {
        let entries = self.sources.iter().map(|source| &*source.id);
        let known: HashSet<&str> = entries.chain(BUILT_IN_SOURCES).collect();
        let unknown = reading
            .cited
            .iter()
            .filter(|(id, _)| !known.contains(&***id));
        if let Some((id, &(object, attribute))) = unknown.min_by_key(|(_, citation)| **citation) {
            let id = quoted(id);
            let text = format!("names source {id}, which is no entry of `Sources`; add it there");
            let place = place_of(&self.objects[object as usize], attribute);
            return Err(place.defect(Fault::new(DefectKind::MissingReference, text)));
        }
        Ok(())
    }

    fn system_name(&self) -> Result<Box<str>, Box<Defect>> {
        let systems = self
            .objects
            .iter()
            .filter(|object| object.class() == Class::System);
        let names: Vec<_> = systems.map(Object::name).collect();
        if names.is_empty() {
            let text = format!(
                "has no `System`, expected one or more{}",
                self.unknown.hint()
            );
            return Err(Place::default().defect(Fault::new(DefectKind::MissingAttribute, text)));
        }
        Ok(names.join(", ").into())
    }
}

fn place_of(object: &Object, attribute: &'static str) -> Place {
    Place {
        class: Some(object.class().name()),
        object: Some(object.id().to_owned()),
        attribute: Some(attribute),
    }
}
