//! Profiles as a form gives them, and all that is wrong with them.

use std::collections::HashSet;
use std::fmt;

use super::form::Form;
use super::profiles::{Profile, Range};
use crate::error::{DefectKind, Fault, quoted};
use crate::units::Unit;

/// Unit and profiles of a form.
///
/// # Errors
///
/// Tells all that is wrong at once, each with its path and a code.
pub(super) fn read(form: &Form) -> Result<(String, Vec<Profile>), Fault> {
    let mut errors = FormErrors::default();
    let unit = unit(&form["unit"], &mut errors);
    let profiles = profiles(&form["profiles"], &mut errors);
    match (errors.0.first(), unit, profiles) {
        (None, Some(unit), Some(profiles)) => Ok((unit, profiles)),
        (first, ..) => {
            let kind = match first {
                Some(FormError {
                    code: "invalid_unit",
                    ..
                }) => DefectKind::UnknownUnit,
                _ => DefectKind::InvalidValue,
            };
            Err(Fault::new(
                kind,
                format!("has a weekly pattern with {errors}"),
            ))
        }
    }
}

#[derive(Default)]
struct FormErrors(Vec<FormError>);

struct FormError {
    path: String,
    code: &'static str,
    message: String,
}

impl FormErrors {
    fn add(&mut self, path: impl fmt::Display, code: &'static str, message: impl fmt::Display) {
        self.0.push(FormError {
            path: path.to_string(),
            code,
            message: message.to_string(),
        });
    }

    /// The value of a key that must be a list; an empty one where it is not.
    fn list<'f>(&mut self, path: &str, value: &'f Form) -> &'f [Form] {
        match value {
            Form::Array(list) => list,
            _ => {
                self.add(path, "invalid_type", missing(value, "expected a list"));
                &[]
            }
        }
    }

    fn number(&mut self, path: &str, value: &Form) -> f64 {
        let number = match value {
            Form::Number(number) => number
                .as_f64()
                .filter(|number| (*number as f32).is_finite()),
            _ => None,
        };
        number.unwrap_or_else(|| {
            self.add(
                path,
                "invalid_number",
                missing(value, "expected a finite number"),
            );
            0.0
        })
    }
}

/// What is expected, of what is there or not.
fn missing(value: &Form, expected: &str) -> String {
    match value {
        Form::Null => format!("missing, {expected}"),
        _ => expected.to_owned(),
    }
}

impl fmt::Display for FormErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Enough to correct a form by; a list of a thousand helps nobody.
        const SHOWN: usize = 10;

        for (i, error) in self.0.iter().take(SHOWN).enumerate() {
            let FormError {
                path,
                code,
                message,
            } = error;
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}`{path}`: {message} ({code})")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

fn unit(value: &Form, errors: &mut FormErrors) -> Option<String> {
    let unit = match value.as_str() {
        None | Some("") => Err(missing(value, "expected a unit such as `cpu_core`")),
        Some(text) => Unit::parse(text).map_err(|_| format!("unknown unit {}", quoted(text))),
    };
    let error = match unit {
        Err(error) => error,
        Ok(unit) => match number_in(&unit) {
            Some(error) => error,
            None if unit.canonical() == "dimensionless" => {
                "expected a unit that says what is counted, such as `occurrence`".to_owned()
            }
            None => return Some(unit.as_str().to_owned()),
        },
    };
    errors.add("unit", "invalid_unit", error);
    None
}

/// What is wrong with a unit that has a number in it, where a form would seem to count it.
pub(super) fn number_in(unit: &Unit) -> Option<String> {
    let text = quoted(unit.as_str());
    unit.has_factor()
        .then(|| format!("{text} with a number in it, write the unit alone"))
}

fn profiles(value: &Form, errors: &mut FormErrors) -> Option<Vec<Profile>> {
    let list = errors.list("profiles", value);
    if value.is_array() && !(1..=7).contains(&list.len()) {
        errors.add(
            "profiles",
            "profile_count",
            format_args!("{} profiles, expected 1 to 7", list.len()),
        );
    }
    let mut names = HashSet::new();
    let mut assigned = [false; 7];
    let mut profiles = Vec::new();
    for (i, value) in list.iter().take(7).enumerate() {
        let path = format!("profiles[{i}]");
        if !value.is_object() {
            errors.add(path, "invalid_type", "expected an object");
            continue;
        }
        let name = value["name"].as_str().unwrap_or_default();
        if name.trim().is_empty() {
            errors.add(
                format_args!("{path}.name"),
                "empty_profile_name",
                missing(&value["name"], "expected a text"),
            );
        } else if !names.insert(name) {
            errors.add(
                format_args!("{path}.name"),
                "duplicate_profile_name",
                format_args!("{} is the name of another profile", quoted(name)),
            );
        }
        profiles.push(Profile {
            name: name.to_owned(),
            days: days(
                &format!("{path}.days"),
                &value["days"],
                &mut assigned,
                errors,
            ),
            baseline: errors.number(&format!("{path}.baseline"), &value["baseline"]),
            ranges: ranges(&format!("{path}.ranges"), &value["ranges"], errors),
        });
    }
    for day in (0..7).filter(|day| !assigned[*day]) {
        errors.add(
            "profiles",
            "missing_day_assignment",
            format_args!("no profile has day {day}"),
        );
    }
    Some(profiles)
}

fn days(path: &str, value: &Form, assigned: &mut [bool; 7], errors: &mut FormErrors) -> Vec<u8> {
    let mut days = Vec::new();
    for (i, value) in errors.list(path, value).iter().enumerate() {
        match whole(value, 0, 6) {
            None => errors.add(
                format_args!("{path}[{i}]"),
                "invalid_day",
                "expected a whole number from 0 to 6",
            ),
            Some(day) if std::mem::replace(&mut assigned[usize::from(day)], true) => {
                let message = format!("day {day} is given twice");
                errors.add(
                    format_args!("{path}[{i}]"),
                    "duplicate_day_assignment",
                    message,
                );
            }
            Some(day) => days.push(day),
        }
    }
    days
}

fn ranges(path: &str, value: &Form, errors: &mut FormErrors) -> Vec<Range> {
    let (mut previous_start, mut previous_end) = (0, 0);
    let mut ranges = Vec::new();
    for (i, value) in errors.list(path, value).iter().enumerate() {
        let path = format!("{path}[{i}]");
        if !value.is_object() {
            errors.add(path, "invalid_type", "expected an object");
            continue;
        }
        let start = whole(&value["start"], 0, 23);
        if start.is_none() {
            errors.add(
                format_args!("{path}.start"),
                "invalid_start_hour",
                missing(&value["start"], "expected a whole number from 0 to 23"),
            );
        }
        let end = whole(&value["end"], 1, 24);
        if end.is_none() {
            errors.add(
                format_args!("{path}.end"),
                "invalid_end_hour",
                missing(&value["end"], "expected a whole number from 1 to 24"),
            );
        }
        let value = errors.number(&format!("{path}.value"), &value["value"]);
        let (Some(start), Some(end)) = (start, end) else {
            continue;
        };
        if start >= end {
            errors.add(
                &path,
                "invalid_range",
                format_args!("start {start} is not before end {end}"),
            );
        } else if start < previous_start {
            errors.add(
                &path,
                "ranges_not_ordered",
                "starts before the range in front of it, order them by start",
            );
        } else if start < previous_end {
            errors.add(
                &path,
                "ranges_overlap",
                "starts before the range in front of it ends",
            );
        }
        (previous_start, previous_end) = (start, end.max(previous_end));
        ranges.push(Range { start, end, value });
    }
    ranges
}

fn whole(value: &Form, least: u8, most: u8) -> Option<u8> {
    let number = u8::try_from(value.as_u64()?).ok()?;
    (least..=most).contains(&number).then_some(number)
}
