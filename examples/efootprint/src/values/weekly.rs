//! Weekly series.

use std::marker::PhantomData;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::InputValue;
use super::compressed::finite;
use super::form::Form;
use super::growth::lacking;
use super::note::Note;
use super::parts::{Parts, Plain, Shape};
use super::profile_form;
use super::profiles::{self, Profile};
use super::quantity::{Quantity, too_small, unit_of, wrong_unit};
use super::reading::Reading;
use super::scalar::number;
use crate::bytes::block;
use crate::error::{DefectKind, Fault, excerpt};
use crate::hours::HOURS_OF_WEEK;
use crate::units::Unit;

/// Amounts of `Q` for each hour of a week, from Monday 00:00 on the clocks of the country on. Every
/// value is finite.
#[derive(Debug, PartialEq)]
pub struct Weekly<Q> {
    /// One value for each hour.
    pub values: Box<[f32; HOURS_OF_WEEK]>,
    /// A unit of `Q`.
    pub unit: Unit,
    /// How the file gives the values.
    pub form: WeekForm,
    /// Label and origin.
    pub note: Note,
    quantity: PhantomData<fn() -> Q>,
}

/// How a file gives the values of a week.
#[derive(Debug, Clone, PartialEq)]
pub enum WeekForm {
    /// All of them.
    List,
    /// One for all.
    Constant(f64),
    /// Days that are alike.
    Profiles(Vec<Profile>),
}

impl<Q: Quantity> InputValue for Weekly<Q> {
    fn from_parts(mut parts: Parts, reading: &mut Reading) -> Result<Self, Fault> {
        let (values, unit, form) = match (
            parts.shape(),
            &parts.recurring_values,
            &parts.unit,
            &parts.form_inputs,
        ) {
            (Some(Shape::Recurring), Some(list), Some(unit), _) => {
                (week(list)?, week_unit::<Q>(unit, reading)?, WeekForm::List)
            }
            (Some(Shape::Constant), _, _, Some(form)) => {
                let (value, unit) = constant(form)?;
                let unit = week_unit::<Q>(unit, reading)?;
                if let Some(problem) = profile_form::number_in(&unit) {
                    return Err(Fault::invalid(format!(
                        "has a form whose `constant_unit` is {problem}"
                    )));
                }
                (
                    Box::new([value as f32; HOURS_OF_WEEK]),
                    unit,
                    WeekForm::Constant(value),
                )
            }
            (Some(Shape::Profiles), _, _, Some(form)) => {
                let (unit, profiles) = profile_form::read(form)?;
                let unit = week_unit::<Q>(&unit, reading)?;
                (
                    profiles::values(&profiles),
                    unit,
                    WeekForm::Profiles(profiles),
                )
            }
            (None, _, None, Some(form)) => {
                return Err(
                    match form.get("constant_value").or(form.get("constant_unit")) {
                        Some(_) => constant(form).map_or_else(|fault| fault, |_| no_form()),
                        None => profile_form::read(form).map_or_else(|fault| fault, |_| no_form()),
                    },
                );
            }
            _ => {
                return Err(parts.unexpected(format_args!(
                    "a weekly series in a unit such as `{}`",
                    Q::EXAMPLE
                )));
            }
        };
        finite(&values[..])?;
        let wrong = (0..).zip(values.iter());
        let mut wrong = wrong.filter_map(|(hour, value)| {
            Some((hour, too_small::<Q>(f64::from(*value), unit.as_str())?))
        });
        if let Some((hour, fault)) = wrong.next() {
            let hour: usize = hour;
            return Err(Fault::invalid(format!(
                "{} (hour {hour} of the week)",
                fault.text
            )));
        }
        drop(wrong);
        Ok(Self {
            values,
            unit,
            form,
            note: Note::from_parts(&mut parts, reading)?,
            quantity: PhantomData,
        })
    }

    fn heap(&self) -> usize {
        let form = match &self.form {
            WeekForm::List | WeekForm::Constant(_) => 0,
            WeekForm::Profiles(profiles) => profiles::heap(profiles),
        };
        block(size_of_val(&*self.values)) + form + self.unit.heap() + self.note.heap()
    }
}

/// A unit of `Q` that says what it counts, as `dimensionless` does not.
fn week_unit<Q: Quantity>(text: &str, reading: &mut Reading) -> Result<Unit, Fault> {
    let unit = unit_of::<Q>(text, reading)?;
    if unit.canonical() == "dimensionless" {
        return Err(wrong_unit::<Q>(&unit));
    }
    Ok(unit)
}

fn week(list: &str) -> Result<Box<[f32; HOURS_OF_WEEK]>, Fault> {
    let corrupt = |what: String| {
        Fault::new(
            DefectKind::CorruptSeries,
            format!("has `recurring_values` {what}"),
        )
    };
    let expected = "expected a text with a JSON list of 168 numbers";
    // A list of 168 numbers as long as numbers get stays well below this.
    if list.len() > 16 * 1024 {
        return Err(Fault::new(
            DefectKind::TooLong,
            format!("has `recurring_values` of {} bytes, {expected}", list.len()),
        ));
    }
    let values: Vec<f64> = serde_json::from_str(list)
        .map_err(|error| excerpt(&error.to_string()))
        .map_err(|error| corrupt(format!("that do not fit: {error}, {expected}")))?;
    let count = values.len();
    let values: Box<[f32]> = values.into_iter().map(|value| value as f32).collect();
    values
        .try_into()
        .map_err(|_| corrupt(format!("for {count} hours, {expected}")))
}

fn no_form() -> Fault {
    Fault::invalid("has a form of an unknown kind")
}

fn constant(form: &Form) -> Result<(f64, &str), Fault> {
    let value = match form.get("constant_value") {
        None => return Err(lacking("constant_value", "a number")),
        Some(Form::Number(number)) => number.as_f64(),
        Some(Form::String(text)) => number(&Plain::Text(text.clone())),
        _ => None,
    };
    let value = value
        .ok_or_else(|| Fault::invalid("has a form whose `constant_value` is no finite number"))?;
    match form.get("constant_unit").and_then(Form::as_str) {
        Some(unit) => Ok((value, unit)),
        None if form.get("constant_unit").is_none() => {
            Err(lacking("constant_unit", "a unit such as `cpu_core`"))
        }
        None => Err(Fault::invalid(
            "has a form whose `constant_unit` is no text",
        )),
    }
}

impl<Q> Serialize for Weekly<Q> {
    fn serialize<S: Serializer>(&self, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(None)?;
        let unit = self.unit.as_str();
        match &self.form {
            WeekForm::List => {
                map.serialize_entry("recurring_values", &list(&self.values))?;
                map.serialize_entry("unit", unit)?;
            }
            WeekForm::Constant(value) => {
                map.serialize_entry(
                    "form_inputs",
                    &serde_json::json!({"constant_value": value, "constant_unit": unit}),
                )?;
            }
            WeekForm::Profiles(profiles) => {
                map.serialize_entry(
                    "form_inputs",
                    &serde_json::json!({"unit": unit, "profiles": profiles}),
                )?;
            }
        }
        self.note.write(&mut map)?;
        map.end()
    }
}

/// The values as JSON in a text, each with the digits of its double as in files written elsewhere.
fn list(values: &[f32; HOURS_OF_WEEK]) -> String {
    let values = values
        .iter()
        .map(|&value| format!("{:?}", f64::from(value)));
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}
