//! Two series, hour by hour (3.3).

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::civil::DateTime;

use super::spanned::Series;
use super::spans::{SpanBuilder, Spans, hours_between};
use super::too_long::{TooLong, checked};

impl Series {
    /// Both series hour by hour, over the hours of either; outside of its hours a series is zero
    /// (3.3).
    pub(crate) fn with(&self, other: &Self, f: impl Fn(f32, f32) -> f32) -> Result<Self, TooLong> {
        if self.has_spans_of(other) {
            let both = self.values.iter().zip(&other.values);
            return Ok(Self {
                start: self.start,
                values: both.map(|(&a, &b)| f(a, b)).collect(),
                spans: self.spans.clone(),
                totals: OnceLock::new(),
            });
        }
        let (start, hours) = self.hours_of_both(other)?;
        let spans = self.values.len() + other.values.len();
        let room = SpanBuilder::with_room(spans, hours);
        if let (true, true, Some(mut made)) = (self.is_in_spans(), other.is_in_spans(), room) {
            self.along(other, 0..hours, |a, b, until| made.push(f(a, b), until));
            return Ok(Self::built(start, made).sharing_spans_with([self, other]));
        }
        let mut union = self.widened_to(other)?;
        let at = hours_between(union.start, other.start);
        let (before, rest) = union.values.split_at_mut(at);
        let (during, after) = rest.split_at_mut(other.hours());
        for outside in [before, after] {
            outside.iter_mut().for_each(|a| *a = f(*a, 0.0));
        }
        other.onto(during, f);
        Ok(union)
    }

    /// Adds the other series to this one.
    pub(crate) fn add(&mut self, other: &Self) -> Result<(), TooLong> {
        self.totals.take();
        if self.has_spans_of(other) {
            for (a, &b) in self.values.iter_mut().zip(&other.values) {
                *a += b;
            }
            return Ok(());
        }
        let has_room = !self.is_in_spans()
            && self.start <= other.start
            && other.hours_until_end_from(self.start) <= self.hours();
        if has_room {
            let at = hours_between(self.start, other.start);
            other.onto(&mut self.values[at..], |a, b| a + b);
        } else {
            *self = self.with(other, |a, b| a + b)?;
        }
        Ok(())
    }

    /// Whether the values of both are for the same hours.
    fn has_spans_of(&self, other: &Self) -> bool {
        self.start == other.start
            && match (&self.spans, &other.spans) {
                (Spans::Hours, Spans::Hours) => self.values.len() == other.values.len(),
                (Spans::Until(a), Spans::Until(b)) => Arc::ptr_eq(a, b) || a == b,
                _ => false,
            }
    }

    /// The first hour that either has, and how many hours there are to the last.
    fn hours_of_both(&self, other: &Self) -> Result<(DateTime, usize), TooLong> {
        let start = self.start.min(other.start);
        let [mine, others] = [self, other].map(|series| series.hours_until_end_from(start));
        Ok((start, checked(mine.max(others))?))
    }

    /// The same series, with the list of spans of the first of these that has the same.
    fn sharing_spans_with(mut self, others: [&Self; 2]) -> Self {
        if let Some(other) = others.into_iter().find(|other| self.has_spans_of(other)) {
            self.spans = other.spans.clone();
        }
        self
    }

    /// The values of both by spans in which neither changes, each with the hour that its span ends
    /// before. Hours are counted from the start of the earlier one.
    pub(super) fn along(
        &self,
        other: &Self,
        hours: Range<usize>,
        mut f: impl FnMut(f32, f32, usize),
    ) {
        let start = self.start.min(other.start);
        let (mut mine, mut others) = (self.walk_from(start), other.walk_from(start));
        let mut hour = hours.start;
        while hour < hours.end {
            let ((a, a_until), (b, b_until)) = (mine.to(hour), others.to(hour));
            hour = a_until.min(b_until).min(hours.end);
            f(a, b, hour);
        }
    }

    /// Sets each of these hours to what `f` makes of it and of this series in that hour.
    fn onto(&self, hours: &mut [f32], f: impl Fn(f32, f32) -> f32) {
        match &self.spans {
            Spans::Hours => {
                for (a, &b) in hours.iter_mut().zip(&self.values) {
                    *a = f(*a, b);
                }
            }
            Spans::Until(ends) => {
                let mut rest = hours;
                let mut begin = 0;
                for (&end, &b) in ends.iter().zip(&self.values) {
                    let (span, after) = rest.split_at_mut((end - begin) as usize);
                    span.iter_mut().for_each(|a| *a = f(*a, b));
                    (rest, begin) = (after, end);
                }
            }
        }
    }

    /// This series hour by hour, with zeros in hours that only the other one has.
    fn widened_to(&self, other: &Self) -> Result<Self, TooLong> {
        let (start, end) = self.hours_of_both(other)?;
        let mut values = Vec::with_capacity(end);
        values.resize(hours_between(start, self.start), 0.0);
        self.write_hours(&mut values);
        values.resize(end, 0.0);
        Ok(Self::hourly(start, values))
    }

    /// The values of both in the hours that both have, and for how many hours they stay.
    pub(crate) fn together(&self, other: &Self, mut f: impl FnMut(f32, f32, usize)) {
        let start = self.start.min(other.start);
        let mut hour = hours_between(start, self.start.max(other.start));
        let end = self
            .hours_until_end_from(start)
            .min(other.hours_until_end_from(start));
        self.along(other, hour..end, |a, b, until| {
            f(a, b, until - hour);
            hour = until;
        });
    }

    /// The sum over time of the product, where both have hours.
    pub(crate) fn dot(&self, other: &Self) -> f64 {
        if self.is_in_spans() && other.is_in_spans() {
            let mut sum = 0.0;
            self.together(other, |a, b, hours| {
                sum += f64::from(a) * f64::from(b) * hours as f64;
            });
            return sum;
        }
        let (a, b) = (self.by_hour(), other.by_hour());
        let start = self.start.max(other.start);
        let a = a
            .get(hours_between(self.start, start)..)
            .unwrap_or_default();
        let b = b
            .get(hours_between(other.start, start)..)
            .unwrap_or_default();
        let length = a.len().min(b.len());
        // Several sums at once: one has to wait for itself at every step.
        let (a, a_rest) = a[..length].as_chunks::<8>();
        let (b, b_rest) = b[..length].as_chunks::<8>();
        let mut sums = [0.0_f64; 8];
        for (a, b) in a.iter().zip(b) {
            for i in 0..8 {
                sums[i] += f64::from(a[i]) * f64::from(b[i]);
            }
        }
        let rest = a_rest
            .iter()
            .zip(b_rest)
            .map(|(&a, &b)| f64::from(a) * f64::from(b));
        sums.iter().sum::<f64>() + rest.sum::<f64>()
    }
}
