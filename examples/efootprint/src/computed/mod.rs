//! Every computed attribute as JSON: what stands in a file of expected values.

mod groups;

use std::cell::RefCell;
use std::io;

use serde::ser::{Error, SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use self::groups::{groups, leave};
use crate::classes::{Engine, keep_footprints};
use crate::engine::{Failure, Guard, Summary};
use crate::files::version;

/// Writes every computed attribute of every object, and calls `noticed` with what is in the way of
/// one.
///
/// # Errors
///
/// Of writing, and where the computation was cancelled.
pub fn write_computed(
    engine: &Engine,
    out: &mut dyn io::Write,
    mut noticed: impl FnMut(&Failure),
) -> io::Result<()> {
    write!(
        out,
        "{{\"efootprint_version\":\"{}\",\"objects\":{{",
        version::WRITTEN
    )?;
    // Networks come back to what their jobs move, and systems to every footprint.
    keep_footprints(engine);
    let mut separator = "";
    engine.for_all(
        &groups(engine),
        |group| objects(engine, group),
        |objects| {
            let (text, failures) = objects?;
            failures.iter().for_each(&mut noticed);
            out.write_all(separator.as_bytes())?;
            separator = ",";
            out.write_all(&text)
        },
    )?;
    out.write_all(b"}}")
}

/// The text of some objects, and what is in the way of their attributes.
fn objects(engine: &Engine, places: &[usize]) -> io::Result<(Vec<u8>, Vec<Failure>)> {
    let noticed = RefCell::new(Vec::new());
    let mut text = Vec::new();
    for (i, &place) in places.iter().enumerate() {
        if i > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, engine.model().objects[place].id())?;
        text.push(b':');
        serde_json::to_writer(
            &mut text,
            &ComputedObject {
                engine,
                place,
                noticed: &noticed,
            },
        )?;
        leave(engine, place);
    }
    Ok((text, noticed.into_inner()))
}

struct ComputedObject<'e> {
    engine: &'e Engine,
    place: usize,
    noticed: &'e RefCell<Vec<Failure>>,
}

impl Serialize for ComputedObject<'_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut object = json.serialize_struct("object", 2)?;
        let class = self.engine.model().objects[self.place].class();
        object.serialize_field("class", class.name())?;
        object.serialize_field("attributes", &Attributes(self))?;
        object.end()
    }
}

struct Attributes<'a, 'e>(&'a ComputedObject<'e>);

impl Serialize for Attributes<'_, '_> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let object = self.0;
        let mut map = json.serialize_map(None)?;
        for (attribute, query) in object.engine.attributes(object.place) {
            let summary = query.summary();
            if let Err(failure) = &summary {
                if *failure == Failure::Cancelled {
                    return Err(S::Error::custom(failure));
                }
                object.noticed.borrow_mut().push(failure.clone());
            }
            if attribute.guard != Guard::Only {
                map.serialize_entry(attribute.name, &summary.unwrap_or_else(Summary::failure))?;
            }
        }
        map.end()
    }
}
