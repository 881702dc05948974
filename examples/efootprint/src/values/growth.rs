//! Hourly series that grow from a volume, as a form describes them.

use jiff::civil::Date;
use serde::Serialize;

use super::compressed::{finite, too_long};
use super::form::Form;
use super::parts::Plain;
use super::scalar::number;
use crate::error::{Fault, quoted};
use crate::hours::LONGEST_SERIES;

/// The inputs of a growth form. Months have 30 days here and years 365.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// First day, on the country's clock.
    pub start_date: Date,
    /// How many [`modeling_duration_unit`](Self::modeling_duration_unit)s the series lasts.
    pub modeling_duration_value: f64,
    /// The unit of the duration.
    pub modeling_duration_unit: Timespan,
    /// Events in the first [`initial_volume_timespan`](Self::initial_volume_timespan).
    pub initial_volume: f64,
    /// The timespan of the initial volume.
    pub initial_volume_timespan: Timespan,
    /// Growth in each [`net_growth_rate_timespan`](Self::net_growth_rate_timespan), in percent;
    /// -100 or more.
    pub net_growth_rate_in_percentage: f64,
    /// The timespan of the growth.
    pub net_growth_rate_timespan: Timespan,
}

/// A span of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Timespan {
    /// 1 day.
    Day,
    /// 30 days.
    Month,
    /// 365 days.
    Year,
}

impl Timespan {
    fn days(self) -> f64 {
        match self {
            Self::Day => 1.0,
            Self::Month => 30.0,
            Self::Year => 365.0,
        }
    }
}

impl Growth {
    pub(super) fn from_form(form: &Form) -> Result<Self, Fault> {
        let growth = Self {
            start_date: date(form, "start_date")?,
            modeling_duration_value: amount(form, "modeling_duration_value")?,
            modeling_duration_unit: timespan(form, "modeling_duration_unit")?,
            initial_volume: amount(form, "initial_volume")?,
            initial_volume_timespan: timespan(form, "initial_volume_timespan")?,
            net_growth_rate_in_percentage: amount(form, "net_growth_rate_in_percentage")?,
            net_growth_rate_timespan: timespan(form, "net_growth_rate_timespan")?,
        };
        if growth.net_growth_rate_in_percentage < -100.0 {
            return Err(wrong(
                "net_growth_rate_in_percentage",
                "is less than -100, nothing shrinks by more than all",
            ));
        }
        let days = growth.days();
        if days < 1.0 {
            return Err(wrong(
                "modeling_duration_value",
                "is less than a day, expected a day or more",
            ));
        }
        if days * 24.0 > LONGEST_SERIES as f64 {
            return Err(too_long("has a modeling duration of more than"));
        }
        Ok(growth)
    }

    fn days(&self) -> f64 {
        (self.modeling_duration_value * self.modeling_duration_unit.days()).trunc()
    }

    /// How many hours the series has.
    pub(super) fn hours(&self) -> usize {
        24 * self.days() as usize
    }

    /// Events in each hour: all hours of a day alike, days growing by a constant factor.
    pub(super) fn values(&self) -> Result<Box<[f32]>, Fault> {
        let factor = (1.0 + self.net_growth_rate_in_percentage / 100.0)
            .powf(1.0 / self.net_growth_rate_timespan.days());
        let span = self.initial_volume_timespan.days();
        let equivalent_days = if factor == 1.0 {
            span
        } else {
            (factor.powf(span) - 1.0) / (factor - 1.0)
        };
        let first = self.initial_volume / equivalent_days;
        let days = 0..self.days() as usize;
        let days = days.map(|day| (first * factor.powf(day as f64) / 24.0) as f32);
        let days: Vec<f32> = days.collect();
        if !((first / 24.0) as f32).is_finite() && equivalent_days.is_finite() {
            return Err(wrong(
                "initial_volume",
                "is beyond what a number holds, lower it",
            ));
        }
        finite(&days).map_err(|_| {
            wrong(
                "net_growth_rate_in_percentage",
                "grows beyond what a number holds, lower it",
            )
        })?;
        let mut values = Vec::with_capacity(self.hours());
        days.iter().for_each(|&hourly| values.extend([hourly; 24]));
        Ok(values.into())
    }
}

fn wrong(key: &str, what: &str) -> Fault {
    Fault::invalid(format!("has a form whose `{key}` {what}"))
}

/// A form that lacks an input.
pub(super) fn lacking(key: &str, expected: &str) -> Fault {
    Fault::invalid(format!("has a form without `{key}`, expected {expected}"))
}

fn amount(form: &Form, key: &str) -> Result<f64, Fault> {
    let amount = match form.get(key) {
        None => return Err(lacking(key, "a number")),
        Some(Form::Number(number)) => number.as_f64(),
        Some(Form::String(text)) => number(&Plain::Text(text.clone())),
        Some(_) => None,
    };
    amount.ok_or_else(|| wrong(key, "is no finite number"))
}

fn timespan(form: &Form, key: &str) -> Result<Timespan, Fault> {
    match form.get(key).and_then(Form::as_str) {
        Some("day") => Ok(Timespan::Day),
        Some("month") => Ok(Timespan::Month),
        Some("year") => Ok(Timespan::Year),
        None if form.get(key).is_none() => Err(lacking(key, "`day`, `month` or `year`")),
        _ => Err(wrong(key, "is not one of `day`, `month` and `year`")),
    }
}

fn date(form: &Form, key: &str) -> Result<Date, Fault> {
    const EXPECTED: &str = "a date such as `2025-01-31`";

    let Some(value) = form.get(key) else {
        return Err(lacking(key, EXPECTED));
    };
    let text = value.as_str().unwrap_or_default();
    day(text).ok_or_else(|| {
        let is = match value {
            Form::String(text) => quoted(text),
            _ => "no text".to_owned(),
        };
        wrong(key, &format!("is {is}, expected {EXPECTED}"))
    })
}

/// A day, with or without the zeros before its numbers.
fn day(text: &str) -> Option<Date> {
    let numbers: Vec<&str> = text.split('-').collect();
    let [year, month, day] = numbers[..] else {
        return None;
    };
    let number = |text: &str, longest: usize| {
        let digits = text.bytes().all(|digit| digit.is_ascii_digit());
        let fits = (1..=longest).contains(&text.len());
        (digits && fits).then(|| text.parse::<i16>().ok()).flatten()
    };
    let year = number(year, 4).filter(|of| *of >= 1 && year.len() == 4)?;
    let (month, day) = (number(month, 2)?, number(day, 2)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn growth(volume: (f64, &str), rate: (f64, &str), duration: (f64, &str)) -> Box<[f32]> {
        let form = serde_json::json!({
            "start_date": "2025-01-01",
            "modeling_duration_value": duration.0, "modeling_duration_unit": duration.1,
            "initial_volume": volume.0, "initial_volume_timespan": volume.1,
            "net_growth_rate_in_percentage": rate.0, "net_growth_rate_timespan": rate.1,
        });
        Growth::from_form(&form).unwrap().values().unwrap()
    }

    #[test]
    fn growth_follows_the_reference() {
        let values = growth((10_000.0, "month"), (25.0, "year"), (2.0, "year"));
        assert_eq!(values.len(), 17_520);
        assert_eq!(
            (values[0], values[24], values[17_519]),
            (13.766_121, 13.774_539, 21.496_418)
        );

        let values = growth((10_000.0, "year"), (-20.0, "year"), (2.0, "year"));
        assert_eq!((values[0], values[17_519]), (1.273_261_2, 0.815_385_46));

        let values = growth((10_000.0, "month"), (3.0, "month"), (2.0, "year"));
        assert_eq!((values[0], values[17_519]), (13.691_375, 28.079_645));
    }

    #[test]
    fn a_month_and_a_half_has_1080_hours() {
        assert_eq!(
            growth((1.0, "day"), (0.0, "day"), (1.5, "month")).len(),
            1080
        );
    }

    #[test]
    fn the_first_timespan_sums_to_the_initial_volume() {
        let values = growth((1000.0, "month"), (7.0, "day"), (1.0, "year"));
        let sum: f64 = values[..720].iter().map(|&value| f64::from(value)).sum();
        assert!((sum - 1000.0).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn shrinking_by_all_leaves_everything_on_the_first_day() {
        let values = growth((240.0, "year"), (-100.0, "day"), (3.0, "day"));
        assert_eq!(values[..24], [10.0; 24]);
        assert_eq!(values[24..], [0.0; 48]);
    }
}
