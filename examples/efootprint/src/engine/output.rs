//! Computed values as JSON: what stands in a file of expected values.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

use serde::ser::{Error, SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};

use super::{Engine, Failure, Guard, Value};
use crate::files::version;
use crate::series::Series;
use crate::units::Measure;

/// The hours of a series that are shown one by one; so is its last.
const PROBES: [usize; 14] = [
    0, 1, 2, 23, 24, 25, 167, 168, 169, 719, 1000, 4321, 8759, 8760,
];

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
    engine.keep_footprints();
    let mut separator = "";
    engine.for_all(
        &engine.groups(),
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
        serde_json::to_writer(&mut text, engine.model.objects[place].id())?;
        text.push(b':');
        serde_json::to_writer(
            &mut text,
            &ComputedObject {
                engine,
                place,
                noticed: &noticed,
            },
        )?;
        engine.leave(place);
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
        let class = self.engine.model.objects[self.place].class();
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
        for (attribute, asked) in object.engine.attributes(object.place) {
            let summary = asked.compute().and_then(Summary::of);
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

/// A computed value in short: totals, extremes and some hours of its series, in canonical units.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Summary {
    /// Nothing.
    Empty,
    /// A number.
    Scalar {
        /// Its unit.
        unit: &'static str,
        /// How many.
        value: f64,
    },
    /// A series.
    Hourly {
        /// The first hour, UTC.
        start: String,
        /// Its hours.
        #[serde(flatten)]
        hours: HoursInShort,
    },
    /// A week.
    Recurrent(HoursInShort),
    /// Values by object or path.
    Dict {
        /// The values.
        entries: BTreeMap<String, Summary>,
    },
    /// No value, and why.
    Error {
        /// The sentence.
        error: String,
    },
}

/// The hours of a series or week.
#[derive(Debug, Serialize)]
pub struct HoursInShort {
    unit: &'static str,
    length: usize,
    sum: f64,
    min: f64,
    max: f64,
    at: BTreeMap<usize, f64>,
}

impl Summary {
    /// A value in short.
    ///
    /// # Errors
    ///
    /// What keeps an entry from having a value.
    pub fn of(value: Value<'_>) -> Result<Self, Failure> {
        Ok(match value {
            Value::Empty => Self::Empty,
            Value::Scalar(value, unit) => Self::Scalar {
                unit: unit.name,
                value: value * unit.factor,
            },
            Value::Hourly(series, unit) => Self::Hourly {
                start: series.start.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
                hours: HoursInShort::of(&series, unit),
            },
            Value::Weekly(week, unit) => {
                let series = Series::hourly(jiff::civil::DateTime::ZERO, week.to_vec());
                Self::Recurrent(HoursInShort::of(&series, unit))
            }
            Value::Entries(entries) => Self::Dict {
                entries: entries
                    .map(|(key, value)| Ok((key.into_owned(), Self::of(value?)?)))
                    .collect::<Result<_, Failure>>()?,
            },
        })
    }

    /// A value that could not be computed.
    pub fn failure(failure: Failure) -> Self {
        Self::Error {
            error: failure.to_string(),
        }
    }
}

impl HoursInShort {
    fn of(series: &Series, unit: Measure) -> Self {
        let factor = unit.factor;
        let last = series.hours().wrapping_sub(1);
        let probes = PROBES.into_iter().chain([last]);
        let at = probes.filter_map(|hour| {
            let value = series.get(hour)?;
            Some((hour, f64::from(value) * factor))
        });
        let totals = series.totals();
        Self {
            unit: unit.name,
            length: series.hours(),
            sum: totals.sum * factor,
            min: f64::from(totals.min) * factor,
            max: f64::from(totals.max) * factor,
            at: at.collect(),
        }
    }
}
