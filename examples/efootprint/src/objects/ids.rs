//! Ids, while a file is read.

use std::collections::HashMap;
use std::sync::Arc;

use super::AnyClass;
use crate::error::{DefectKind, Fault, quoted};

/// Most ids in a file: of objects, and of references to objects that may turn out to be missing.
const MOST: usize = 1_000_000;

/// Longest id, in bytes: ids show up in messages and addresses.
pub(crate) const LONGEST: usize = 1024;

/// The ids met so far, numbered in the order of their first mention.
pub struct Ids<C> {
    numbers: HashMap<Arc<str>, u32>,
    mentions: Vec<Mention<C>>,
    objects: u32,
}

struct Mention<C> {
    id: Arc<str>,
    /// Class and place of the object that has the id, once it is met.
    object: Option<(C, u32)>,
}

impl<C> Default for Ids<C> {
    fn default() -> Self {
        Self {
            numbers: HashMap::new(),
            mentions: Vec::new(),
            objects: 0,
        }
    }
}

impl<C: AnyClass> Ids<C> {
    /// The number of an id.
    pub(crate) fn mention(&mut self, id: &str) -> Result<u32, Fault> {
        if let Some(&number) = self.numbers.get(id) {
            return Ok(number);
        }
        if id.len() > LONGEST {
            let (id, length) = (quoted(id), id.len());
            let text = format!("holds the id {id} of {length} bytes, expected at most {LONGEST}");
            return Err(Fault::new(DefectKind::TooLong, text));
        }
        if self.mentions.len() == MOST {
            let text = format!("is beyond the {MOST} ids that a file may hold, split the system");
            return Err(Fault::new(DefectKind::TooLong, text));
        }
        let number = self.mentions.len() as u32;
        let id: Arc<str> = id.into();
        self.numbers.insert(id.clone(), number);
        self.mentions.push(Mention { id, object: None });
        Ok(number)
    }

    /// Makes `id` the id of the next object of the file.
    pub(crate) fn define(&mut self, id: &str, class: C) -> Result<Arc<str>, Fault> {
        if id.is_empty() {
            let text = "has an empty id; give it one that nothing else has";
            return Err(Fault::invalid(text));
        }
        let number = self.mention(id)?;
        let mention = &mut self.mentions[number as usize];
        if let Some((other, _)) = mention.object {
            let text = format!(
                "shares its id with an object of class `{other}`; ids are unique over all classes"
            );
            return Err(Fault::new(DefectKind::DuplicateReference, text));
        }
        mention.object = Some((class, self.objects));
        self.objects += 1;
        Ok(mention.id.clone())
    }

    /// The id of that number.
    pub(crate) fn text(&self, number: u32) -> &str {
        &self.mentions[number as usize].id
    }

    /// The place of the object that was defined last.
    pub(crate) fn last_place(&self) -> u32 {
        self.objects.saturating_sub(1)
    }

    /// The place of the object whose id has that number, if it is of one of the classes.
    pub(crate) fn place(&self, number: u32, classes: &[C]) -> Result<u32, Fault> {
        let Mention { id, object } = &self.mentions[number as usize];
        let id = quoted(id);
        let Some((class, place)) = object else {
            let text = format!(
                "names {id}, but no object of the file has that id; add it or correct the id"
            );
            return Err(Fault::new(DefectKind::MissingReference, text));
        };
        if !classes.contains(class) {
            let expected = one_of(classes);
            let text = format!("names {id} of class `{class}`, expected one of class {expected}");
            return Err(Fault::new(DefectKind::WrongClass, text));
        }
        Ok(*place)
    }

    /// The places of all objects by id.
    pub(crate) fn into_places(self) -> HashMap<Arc<str>, u32> {
        let objects = self.mentions.into_iter();
        objects
            .filter_map(|mention| Some((mention.id, mention.object?.1)))
            .collect()
    }
}

/// `` `Server` or `BoaviztaCloudServer` ``.
pub(crate) fn one_of(classes: &[impl AnyClass]) -> String {
    let names: Vec<_> = classes.iter().map(|class| format!("`{class}`")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => names.concat(),
    }
}
