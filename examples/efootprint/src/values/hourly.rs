//! Hourly series.

use std::marker::PhantomData;

use jiff::ToSpan;
use jiff::civil::{DateTime, Time};
use jiff::fmt::temporal::Pieces;
use serde::ser::{Error, Serialize, SerializeMap, Serializer};

use super::InputValue;
use super::compressed::{compress, decompress, finite};
use super::form::Form;
use super::growth::Growth;
use super::note::Note;
use super::parts::{Parts, Shape};
use super::quantity::{Quantity, unit_of};
use super::reading::Reading;
use crate::bytes::block;
use crate::error::{DefectKind, Fault, quoted};
use crate::units::Unit;

/// Amounts of `Q`, one for each hour from a start on. Never empty, and every value is finite.
#[derive(Debug, PartialEq)]
pub struct Hourly<Q> {
    /// The first hour.
    pub start: DateTime,
    /// The clock that the start is read on.
    pub clock: Clock,
    /// One value for each hour.
    pub values: Box<[f32]>,
    /// A unit of `Q`.
    pub unit: Unit,
    /// The form that the values come from, if they come from one.
    pub form: Option<Growth>,
    /// Label and origin.
    pub note: Note,
    quantity: PhantomData<fn() -> Q>,
}

/// A clock to read a date and time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The clocks of the country.
    Local,
    /// Coordinated universal time.
    Utc,
}

impl<Q: Quantity> InputValue for Hourly<Q> {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let (values, start, unit, clock, form) =
            match (parts.shape(), &parts.form_inputs, &parts.unit) {
                (Some(Shape::Growth), Some(form), _) => {
                    let growth = Growth::from_form(form)?;
                    reading.take_hours(growth.hours())?;
                    let start = growth.start_date.to_datetime(Time::midnight());
                    (
                        growth.values()?,
                        start,
                        unit_of::<Q>("occurrence", reading)?,
                        Clock::Local,
                        Some(growth),
                    )
                }
                (Some(Shape::Hourly), _, Some(unit)) => {
                    let unit = unit_of::<Q>(unit, reading)?;
                    let start = start(parts.start_date.as_deref())?;
                    let clock = clock(parts.timezone.as_deref())?;
                    let values = match (parts.values.take(), &parts.compressed_values) {
                        (None, Some(compressed)) => decompress(compressed)?,
                        (values, _) => values.unwrap_or_default().into(),
                    };
                    reading.take_hours(values.len())?;
                    (values, start, unit, clock, None)
                }
                // A form that lacks an input is told which.
                (None, Some(form), None) => return Err(incomplete(form)),
                _ => {
                    return Err(parts.unexpected(format_args!(
                        "an hourly series in a unit such as `{}`",
                        Q::EXAMPLE
                    )));
                }
            };
        if values.is_empty() {
            return Err(Fault::new(
                DefectKind::CorruptSeries,
                "has no hours, expected one or more",
            ));
        }
        finite(&values)?;
        if start.checked_add((values.len() as i64).hours()).is_err() {
            return Err(Fault::invalid("ends after the year 9999"));
        }
        Ok(Self {
            start,
            clock,
            values,
            unit,
            form,
            note: Note::from_parts(&mut parts, reading)?,
            quantity: PhantomData,
        })
    }

    fn heap(&self) -> usize {
        block(size_of_val(&*self.values)) + self.unit.heap() + self.note.heap()
    }

    fn hours(&self) -> usize {
        self.values.len()
    }
}

/// The fault of a form that is none of a growth.
fn incomplete(form: &Form) -> Fault {
    let growth = Growth::from_form(form);
    growth.map_or_else(
        |fault| fault,
        |_| Fault::invalid("has a form of an unknown kind"),
    )
}

/// A date, or a date and a time, with no word about the time zone.
fn start(text: Option<&str>) -> Result<DateTime, Fault> {
    let Some(text) = text else {
        return Err(Fault::invalid(
            "has no `start_date`, expected one such as `2025-01-31 00:00:00`",
        ));
    };
    let pieces = Pieces::parse(text).ok().filter(|pieces| {
        pieces.offset().is_none()
            && pieces.time_zone_annotation().is_none()
            && pieces.date().year() >= 1
    });
    let pieces = pieces.ok_or_else(|| {
        let expected =
            "expected one such as `2025-01-31 00:00:00`; a time zone belongs in `timezone`";
        Fault::invalid(format!("has `start_date` {}, {expected}", quoted(text)))
    })?;
    Ok(pieces
        .date()
        .to_datetime(pieces.time().unwrap_or(Time::midnight())))
}

fn clock(timezone: Option<&str>) -> Result<Clock, Fault> {
    match timezone {
        None => Ok(Clock::Local),
        Some("UTC") => Ok(Clock::Utc),
        Some(other) => Err(Fault::invalid(format!(
            "has `timezone` {}, expected null for the clocks of the country, or `UTC`",
            quoted(other)
        ))),
    }
}

impl<Q> Serialize for Hourly<Q> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(None)?;
        if let Some(form) = &self.form {
            map.serialize_entry("form_inputs", form)?;
        } else {
            map.serialize_entry(
                "compressed_values",
                &compress(&self.values).map_err(S::Error::custom)?,
            )?;
            map.serialize_entry("unit", self.unit.as_str())?;
            map.serialize_entry(
                "start_date",
                &self.start.strftime("%Y-%m-%d %H:%M:%S%.f").to_string(),
            )?;
            map.serialize_entry("timezone", &(self.clock == Clock::Utc).then_some("UTC"))?;
        }
        self.note.write(&mut map)?;
        map.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_a_date_or_a_date_and_time() {
        for text in [
            "2025-01-31",
            "2025-01-31 00:00:00",
            "2025-01-31T00:00:00",
            "2025-01-31 00:00",
        ] {
            assert_eq!(
                start(Some(text)).unwrap(),
                jiff::civil::date(2025, 1, 31).at(0, 0, 0, 0),
                "{text}"
            );
        }
    }

    #[test]
    fn a_start_says_nothing_of_time_zones() {
        for text in [
            "2025-01-31T00:00:00Z",
            "2025-01-31 00:00:00+01:00",
            "2025-01-31T00[Europe/Paris]",
            "",
            "soon",
        ] {
            assert!(start(Some(text)).is_err(), "{text}");
        }
    }
}
