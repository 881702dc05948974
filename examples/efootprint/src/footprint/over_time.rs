//! A footprint over time.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::Footprint;
use crate::classes::{Category, Phase};
use crate::series::Series;

/// The time that a footprint is summed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

/// A footprint over time: when each step begins, and what each category emits in each phase.
#[derive(Debug, Serialize)]
pub struct OverTime {
    /// The time between the beginnings.
    pub step: Step,
    /// Beginnings, UTC.
    pub starts: Vec<String>,
    /// In kg, a value for each beginning.
    pub series: Vec<CategoryOverTime>,
}

/// What a category emits in a phase over time.
#[derive(Debug, Serialize)]
pub struct CategoryOverTime {
    /// The category.
    pub category: Category,
    /// The phase.
    pub phase: Phase,
    /// In kg.
    pub values: Vec<f64>,
}

impl Footprint {
    /// The footprint summed over steps of time.
    pub fn over_time(&self, step: Step) -> OverTime {
        let Some((start, end)) = self.period() else {
            return OverTime {
                step,
                starts: Vec::new(),
                series: Vec::new(),
            };
        };
        let starts = step.starts(start, end);
        let series = self
            .series
            .iter()
            .map(|(&(category, phase), series)| CategoryOverTime {
                category,
                phase,
                values: sums(series, &starts),
            });
        OverTime {
            step,
            series: series.collect(),
            starts: starts.into_iter().map(written).collect(),
        }
    }
}

/// A time as it is written in results.
pub fn written(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The sums of a series from each of `starts` to the next.
pub fn sums(series: &Series, starts: &[DateTime]) -> Vec<f64> {
    // Of the series, before the first that begins at that time or later.
    let hours_until = |time: DateTime| {
        let seconds = time.duration_since(series.start).as_secs();
        seconds.div_euclid(3600) + i64::from(seconds.rem_euclid(3600) > 0)
    };
    let mut totals = vec![0.0; starts.len()];
    let mut step = 0;
    let mut until = 0;
    for (hour, &value) in series.by_hour().iter().enumerate() {
        while hour >= until {
            // The hour at which the next step begins, counted from the series' first.
            let after = starts.partition_point(|start| hours_until(*start) <= hour as i64);
            step = after.saturating_sub(1);
            until = starts
                .get(after)
                .map_or(usize::MAX, |next| hours_until(*next) as usize);
        }
        totals[step] += f64::from(value);
    }
    totals
}

impl Step {
    /// When the steps from `start` to `end` begin, the first with `start`.
    pub fn starts(self, start: DateTime, end: DateTime) -> Vec<DateTime> {
        let next = |time: &DateTime| self.next(*time).filter(|next| *next < end);
        std::iter::successors(Some(start), next).collect()
    }

    /// When the step after the one with `time` begins.
    fn next(self, time: DateTime) -> Option<DateTime> {
        let date = match self {
            Self::Hour => return time.checked_add(jiff::SignedDuration::from_hours(1)).ok(),
            Self::Day => time.date().tomorrow().ok()?,
            Self::Month => time.date().last_of_month().tomorrow().ok()?,
            Self::Year => Date::new(time.year().checked_add(1)?, 1, 1).ok()?,
        };
        Some(date.to_datetime(jiff::civil::Time::midnight()))
    }
}
