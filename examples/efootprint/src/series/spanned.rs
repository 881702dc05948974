//! A series: values, and the spans of hours that they are for.

use std::borrow::Cow;
use std::iter;
use std::sync::{Arc, OnceLock};

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::spans::{SpanBuilder, Spans, Walk, hours_between};
use super::too_long::TooLong;
use super::totals::{Totals, totals};
use crate::hours::LONGEST_SERIES;

/// A series that may be absent, as that of a server that nobody asks anything. Absent is nothing,
/// in whatever unit.
pub(crate) type Hours = Option<Arc<Series>>;

/// Amounts by the hour, from an hour UTC on.
///
/// Neighbouring hours that are alike have one value in common, as those of a day in a form or those
/// that need as many servers: what a formula makes of one hour, it makes of all of them, bit by bit.
#[derive(Debug, Clone)]
pub struct Series {
    /// The first hour.
    pub start: DateTime,
    /// One value for each span of hours.
    pub(super) values: Vec<f32>,
    pub(super) spans: Spans,
    /// What it comes to, once that was asked for.
    pub(super) totals: OnceLock<Totals>,
}

impl Series {
    /// A series of one value for each hour.
    pub(crate) fn hourly(start: DateTime, values: Vec<f32>) -> Self {
        Self {
            start,
            values,
            spans: Spans::Hours,
            totals: OnceLock::new(),
        }
    }

    /// A series from that hour on, as it was built.
    pub(super) fn built(start: DateTime, built: SpanBuilder) -> Self {
        let (values, spans) = built.finish();
        Self {
            start,
            values,
            spans,
            totals: OnceLock::new(),
        }
    }

    /// A walk along it from an hour that is not after its start.
    pub(super) fn walk_from(&self, start: DateTime) -> Walk<'_> {
        Walk::new(&self.values, &self.spans, hours_between(start, self.start))
    }

    /// The same hours with other values.
    pub(crate) fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        Self {
            start: self.start,
            values: self.values.iter().map(|&value| f(value)).collect(),
            spans: self.spans.clone(),
            totals: OnceLock::new(),
        }
    }

    /// This series times a number.
    pub(crate) fn times(&self, factor: f64) -> Self {
        let factor = factor as f32;
        self.map(|value| value * factor)
    }

    /// This series times a number: the same one where that changes nothing, or where nobody else
    /// has it.
    pub(crate) fn scaled(mut self: Arc<Self>, factor: f64) -> Arc<Self> {
        if factor == 1.0 {
            return self;
        }
        let Some(own) = Arc::get_mut(&mut self) else {
            return Arc::new(self.times(factor));
        };
        let factor = factor as f32;
        own.totals.take();
        own.values.iter_mut().for_each(|value| *value *= factor);
        self
    }

    /// The next whole number in each hour.
    pub(crate) fn rounded_up(&self) -> Self {
        let up = self.map(f32::ceil);
        match up.spans {
            Spans::Hours => Self::from_hours(up.start, [&up.values]),
            Spans::Until(_) => up,
        }
    }

    /// The same value in each of these hours.
    pub fn filled_with(&self, value: f64) -> Self {
        let mut made = SpanBuilder::default();
        made.push(value as f32, self.hours());
        Self::built(self.start, made)
    }

    /// The same, but nothing in so many of the first hours.
    pub(crate) fn without_first(self, hours: usize) -> Self {
        let hours = hours.min(self.hours());
        if hours == 0 {
            return self;
        }
        match &self.spans {
            Spans::Hours => {
                let mut values = self.values;
                values[..hours].fill(0.0);
                Self::hourly(self.start, values)
            }
            Spans::Until(ends) => {
                let mut made = SpanBuilder::default();
                made.push(0.0, hours);
                let ends = ends.iter().map(|&end| end as usize);
                let spans = ends.zip(&self.values).filter(|(end, _)| *end > hours);
                spans.for_each(|(end, &value)| made.push(value, end));
                Self::built(self.start, made)
            }
        }
    }

    pub(super) fn write_hours(&self, hours: &mut Vec<f32>) {
        match &self.spans {
            Spans::Hours => hours.extend_from_slice(&self.values),
            Spans::Until(ends) => {
                let first = hours.len();
                for (&end, &value) in ends.iter().zip(&self.values) {
                    hours.resize(first + end as usize, value);
                }
            }
        }
    }

    /// The value of each hour.
    pub fn by_hour(&self) -> Cow<'_, [f32]> {
        if !self.is_in_spans() {
            return Cow::Borrowed(&self.values);
        }
        let mut hours = Vec::with_capacity(self.hours());
        self.write_hours(&mut hours);
        Cow::Owned(hours)
    }

    /// The value of one of its hours, if it has so many.
    pub(crate) fn get(&self, hour: usize) -> Option<f32> {
        let span = match &self.spans {
            Spans::Hours => hour,
            Spans::Until(ends) => ends.partition_point(|&end| end as usize <= hour),
        };
        self.values.get(span).copied()
    }

    pub(super) fn is_in_spans(&self) -> bool {
        matches!(self.spans, Spans::Until(_))
    }

    /// How many hours it has.
    pub(crate) fn hours(&self) -> usize {
        match &self.spans {
            Spans::Hours => self.values.len(),
            Spans::Until(ends) => ends.last().map_or(0, |&end| end as usize),
        }
    }

    /// How many hours it is from `start`, which is not later than its own, to its end.
    pub(super) fn hours_until_end_from(&self, start: DateTime) -> usize {
        hours_between(start, self.start) + self.hours()
    }

    /// The same values, whole hours later (3.4).
    pub(crate) fn later(self, by: f64) -> Result<Self, TooLong> {
        let start = if by.abs() <= LONGEST_SERIES as f64 {
            self.start.checked_add((by.floor() as i64).hours()).ok()
        } else {
            None
        };
        let start = start.ok_or(TooLong)?;
        Ok(Self { start, ..self })
    }

    /// The largest value.
    pub(crate) fn max(&self) -> f32 {
        self.totals().max
    }

    /// The smallest value.
    pub(crate) fn min(&self) -> f32 {
        self.totals().min
    }

    /// The sum over time.
    pub(crate) fn sum(&self) -> f64 {
        self.totals().sum
    }

    /// The sum over time and the extremes, in one go.
    pub(crate) fn totals(&self) -> Totals {
        *self.totals.get_or_init(|| {
            let mut totals = totals(&self.values);
            if let Spans::Until(ends) = &self.spans {
                let begins = iter::once(&0).chain(&**ends);
                let spans = ends.iter().zip(begins).zip(&self.values);
                let parts =
                    spans.map(|((end, begin), &value)| f64::from(end - begin) * f64::from(value));
                totals.sum = parts.sum();
            }
            totals
        })
    }

    /// When its last hour ends.
    pub fn end(&self) -> DateTime {
        let hours = (self.hours() as i64).hours();
        self.start.checked_add(hours).unwrap_or(DateTime::MAX)
    }

    /// Bytes of memory that it takes.
    pub(crate) fn size(&self) -> usize {
        let spans = match &self.spans {
            Spans::Hours => 0,
            Spans::Until(ends) => size_of_val(&**ends),
        };
        size_of::<Self>() + size_of_val(&*self.values) + spans
    }
}
