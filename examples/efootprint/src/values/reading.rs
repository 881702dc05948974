//! What the reader knows while it reads values.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use serde::de;

use crate::error::{Defect, DefectKind, Fault, Location, quoted};
use crate::units::Unit;

/// Most hours of all series of a file together, after decoding (134 MB): a few bytes of JSON can
/// stand for two hundred years, and a file for thousands of such series.
const MOST_HOURS: usize = 1 << 25;

/// What is said where there is no room.
pub(crate) const NO_ROOM: &str = "finds no room for more of the file";

/// Whether there is room for so many bytes more.
pub(crate) type Room = Rc<RefCell<dyn FnMut(usize) -> bool>>;

/// Where the reader is, what it found so far, and the texts and units it met, each kept once.
pub struct Reading {
    pub(crate) location: Location,
    /// The place of the object that is being read, in the order of the file.
    pub(crate) object: u32,
    /// Sources that values name, each with the place of the first object and attribute that names
    /// it.
    pub(crate) cited: HashMap<Arc<str>, (u32, &'static str)>,
    texts: HashSet<Arc<str>>,
    units: HashMap<Box<str>, Unit>,
    hours: usize,
    room: Room,
    defect: Option<Box<Defect>>,
}

impl Reading {
    pub(crate) fn new(room: Room) -> Self {
        Self {
            location: Location::default(),
            object: 0,
            cited: HashMap::new(),
            texts: HashSet::new(),
            units: HashMap::new(),
            hours: 0,
            room,
            defect: None,
        }
    }

    /// Keeps the fault, found at the present place, and returns the error that unwinds the JSON
    /// parser.
    pub(crate) fn refuse<E: de::Error>(&mut self, fault: Fault) -> E {
        let defect = self
            .defect
            .get_or_insert_with(|| self.location.defect(fault));
        E::custom(&defect.message)
    }

    /// The fault that [`refuse`](Self::refuse) kept.
    pub(crate) fn into_defect(self) -> Option<Box<Defect>> {
        self.defect
    }

    /// One shared copy of a text, as labels and sources repeat thousands of times.
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(text.clone());
        text
    }

    /// The id of a source that a value names.
    pub(crate) fn cite(&mut self, source: &str) -> Arc<str> {
        let source = self.text(source);
        let citation = (self.object, self.location.attribute.unwrap_or_default());
        self.cited.entry(source.clone()).or_insert(citation);
        source
    }

    /// The unit of that name; `example` is one that would do.
    pub(crate) fn unit(&mut self, text: &str, example: &str) -> Result<Unit, Fault> {
        if let Some(known) = self.units.get(text) {
            return Ok(known.clone());
        }
        let unit = Unit::parse(text).map_err(|unknown| {
            let part = if unknown.0 == text {
                String::new()
            } else {
                format!(" (in {})", quoted(text))
            };
            let text = format!(
                "has unknown unit {}{part}, expected a unit such as `{example}`",
                quoted(&unknown.0)
            );
            Fault::new(DefectKind::UnknownUnit, text)
        })?;
        self.units.insert(text.into(), unit.clone());
        Ok(unit)
    }

    /// Takes `count` hours out of what one file may hold.
    pub(crate) fn take_hours(&mut self, count: usize) -> Result<(), Fault> {
        self.hours = self.hours.saturating_add(count);
        if self.hours > MOST_HOURS {
            let text = format!(
                "brings the file's series to more than {MOST_HOURS} hours, split the system in several"
            );
            return Err(Fault::new(DefectKind::TooLong, text));
        }
        self.take_room(count * size_of::<f32>())
    }

    /// What the series read so far take, in bytes.
    pub(crate) fn size_of_series(&self) -> usize {
        self.hours * size_of::<f32>()
    }

    /// Takes so many bytes where there are as many.
    pub(crate) fn take_room(&mut self, bytes: usize) -> Result<(), Fault> {
        if (self.room.borrow_mut())(bytes) {
            return Ok(());
        }
        Err(Fault::new(DefectKind::TooLong, NO_ROOM))
    }
}
