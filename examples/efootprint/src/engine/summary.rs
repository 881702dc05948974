//! Computed values in short.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Failure, Value};
use crate::series::Series;
use crate::units::Measure;

/// The hours of a series that are shown one by one; so is its last.
const PROBES: [usize; 14] = [
    0, 1, 2, 23, 24, 25, 167, 168, 169, 719, 1000, 4321, 8759, 8760,
];

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
                value: finite(value * unit.factor)?,
            },
            Value::Hourly(series, unit) => Self::Hourly {
                start: series.start.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
                hours: HoursInShort::of(&series, unit)?,
            },
            Value::Weekly(week, unit) => {
                let series = Series::hourly(jiff::civil::DateTime::ZERO, week.to_vec());
                Self::Recurrent(HoursInShort::of(&series, unit)?)
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

/// A number that can be told.
fn finite(number: f64) -> Result<f64, Failure> {
    match number.is_finite() {
        true => Ok(number),
        false => Err(Failure::BeyondNumbers),
    }
}

impl HoursInShort {
    fn of(series: &Series, unit: Measure) -> Result<Self, Failure> {
        let factor = unit.factor;
        let last = series.hours().wrapping_sub(1);
        let probes = PROBES.into_iter().chain([last]);
        let at = probes.filter_map(|hour| {
            let value = series.get(hour)?;
            Some((hour, f64::from(value) * factor))
        });
        let totals = series.totals();
        Ok(Self {
            unit: unit.name,
            length: series.hours(),
            sum: finite(totals.sum * factor)?,
            min: finite(f64::from(totals.min) * factor)?,
            max: finite(f64::from(totals.max) * factor)?,
            at: at.collect(),
        })
    }
}
