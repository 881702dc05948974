//! Hourly series and their arithmetic (sections 2.4 and 3 of the web specification).
//!
//! Everything is 32-bit, hour by hour, as in the reference implementation: where a number of
//! instances is rounded up, the last bit of what it is made of decides about a whole instance.

use std::borrow::Cow;
use std::iter;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use jiff::ToSpan;
use jiff::civil::DateTime;

mod spans;

use self::spans::{Made, Spans, Walk, hours_between};
use crate::engine::Failure;
use crate::values::HOURS_OF_WEEK;

/// Hours that are worked on at once where that needs several goes: 4 KiB.
const PIECE: usize = 1024;

/// Most ages that are added up one by one.
const MOST_AGES: usize = 16;

/// Longest series, in hours: two centuries.
const LONGEST: usize = 200 * 8766;

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
    pub(crate) values: Vec<f32>,
    pub(crate) spans: Spans,
    /// What it comes to, once that was asked for.
    pub(crate) totals: OnceLock<Totals>,
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

    /// A series of one value for each hour, which are in several lists; in spans if enough
    /// neighbouring hours are alike.
    pub(crate) fn from_hours<const N: usize>(start: DateTime, lists: [&[f32]; N]) -> Self {
        let hours = lists.iter().map(|list| list.len()).sum();
        let changes = lists.iter().map(|list| 1 + changes_within(list));
        let Some(mut made) = Made::with_room(changes.sum(), hours) else {
            return Self::hourly(start, lists.concat());
        };
        lists.into_iter().for_each(|list| made.push_all(list));
        made.series(start)
    }

    /// The values of weeks, one after the other, in those hours.
    pub(crate) fn of_weeks(
        start: DateTime,
        week: &[f32; HOURS_OF_WEEK],
        ranges: [Range<usize>; 2],
    ) -> Self {
        let hours = ranges.iter().map(Range::len).sum();
        let changes = 1 + changes_within(week);
        let Some(mut made) = Made::with_room((hours / HOURS_OF_WEEK + 4) * changes, hours) else {
            let hours = ranges.into_iter().flatten();
            let values = hours.map(|hour| week[hour % HOURS_OF_WEEK]);
            return Self::hourly(start, values.collect());
        };
        for mut hours in ranges {
            while !hours.is_empty() {
                let week = &week[hours.start % HOURS_OF_WEEK..];
                let week = &week[..week.len().min(hours.len())];
                made.push_all(week);
                hours.start += week.len();
            }
        }
        made.series(start)
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
        let mut made = Made::default();
        made.push(value as f32, self.hours());
        made.series(self.start)
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
                let mut made = Made::default();
                made.push(0.0, hours);
                let ends = ends.iter().map(|&end| end as usize);
                let spans = ends.zip(&self.values).filter(|(end, _)| *end > hours);
                spans.for_each(|(end, &value)| made.push(value, end));
                made.series(self.start)
            }
        }
    }

    /// Both series hour by hour, over the hours of either; outside of its hours a series is zero
    /// (3.3).
    pub(crate) fn with(&self, other: &Self, f: impl Fn(f32, f32) -> f32) -> Result<Self, Failure> {
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
        let room = Made::with_room(spans, hours);
        if let (true, true, Some(mut made)) = (self.is_in_spans(), other.is_in_spans(), room) {
            self.along(other, 0..hours, |a, b, until| made.push(f(a, b), until));
            return Ok(made.series(start).sharing_spans_with([self, other]));
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
    fn hours_of_both(&self, other: &Self) -> Result<(DateTime, usize), Failure> {
        let start = self.start.min(other.start);
        let [mine, others] = [self, other].map(|series| series.hours_until_end_from(start));
        Ok((start, checked(mine.max(others))?))
    }

    fn is_in_spans(&self) -> bool {
        matches!(self.spans, Spans::Until(_))
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
    fn along(&self, other: &Self, hours: Range<usize>, mut f: impl FnMut(f32, f32, usize)) {
        let start = self.start.min(other.start);
        let (mut mine, mut others) = (Walk::from(start, self), Walk::from(start, other));
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
    fn widened_to(&self, other: &Self) -> Result<Self, Failure> {
        let (start, end) = self.hours_of_both(other)?;
        let mut values = Vec::with_capacity(end);
        values.resize(hours_between(start, self.start), 0.0);
        self.write_hours(&mut values);
        values.resize(end, 0.0);
        Ok(Self::hourly(start, values))
    }

    fn write_hours(&self, hours: &mut Vec<f32>) {
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

    /// How many hours it has.
    pub(crate) fn hours(&self) -> usize {
        match &self.spans {
            Spans::Hours => self.values.len(),
            Spans::Until(ends) => ends.last().map_or(0, |&end| end as usize),
        }
    }

    /// How many hours it is from `start`, which is not later than its own, to its end.
    fn hours_until_end_from(&self, start: DateTime) -> usize {
        hours_between(start, self.start) + self.hours()
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

    /// Adds the other series to this one.
    pub(crate) fn add(&mut self, other: &Self) -> Result<(), Failure> {
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

    /// The same values, whole hours later (3.4).
    pub(crate) fn later(self, by: f64) -> Result<Self, Failure> {
        let start = if by.abs() <= LONGEST as f64 {
            self.start.checked_add((by.floor() as i64).hours()).ok()
        } else {
            None
        };
        let start = start.ok_or(Failure::TooLong)?;
        Ok(Self { start, ..self })
    }

    /// How many events that start by this series are between `from` and `to` hours old: hour by
    /// hour, an event that is old enough for a part of an hour counts for that part (3.4).
    ///
    /// The reference convolves in 32 bits, which leaves noise in hours that are zero; this is a
    /// sum of what there is, and zero where nothing is.
    pub(crate) fn aged(&self, from: f64, to: f64) -> Result<Option<Self>, Failure> {
        if to <= 0.0 {
            return Ok(None);
        }
        if to > LONGEST as f64 {
            return Err(Failure::TooLong);
        }
        if from == 0.0 && to <= 1.0 {
            let part = to as f32;
            return Ok(Some(self.map(|value| at_least_zero(part * value))));
        }
        let length = checked(self.hours() + to.ceil() as usize - 1)?;
        let (whole_from, whole_to) = (from.ceil() as usize, to.floor() as usize);
        // Ages that count, and how much: whole hours, and the parts before and after them.
        let mut ages = Vec::new();
        let by_windows = whole_to > whole_from + MOST_AGES;
        if !by_windows {
            ages.extend((whole_from..whole_to).map(|age| (age, 1.0)));
        }
        if from < from.ceil() && from < to {
            ages.push((from.floor() as usize, (from.ceil().min(to) - from) as f32));
        }
        if to > to.floor() && to.floor() >= from.ceil() {
            ages.push((to.floor() as usize, (to - to.floor()) as f32));
        }
        let oldest = to.ceil() as usize;
        if !by_windows && let Some(made) = self.sums_over_ages(&ages, from as usize..oldest) {
            return Ok(Some(made));
        }
        let starts = self.by_hour();
        // Zeros that are written: those that come with a page are faulted in twice, to read and to
        // write.
        let mut values = Vec::with_capacity(length);
        values.resize(length, 0.0);
        if by_windows {
            add_window_sums(&mut values[whole_from..], &starts, whole_to - whole_from);
        }
        // Piece by piece, so that all ages are added up in what the nearest cache holds.
        for (piece, totals) in values.chunks_mut(PIECE).enumerate() {
            for &(age, part) in &ages {
                let (first, begin) = (piece * PIECE, age.saturating_sub(piece * PIECE));
                let then = starts.get((first + begin).saturating_sub(age)..);
                let now = totals.get_mut(begin..).unwrap_or_default();
                for (total, &value) in now.iter_mut().zip(then.unwrap_or_default()) {
                    *total += part * value;
                }
            }
            totals
                .iter_mut()
                .for_each(|total| *total = at_least_zero(*total));
        }
        Ok(Some(Self::hourly(self.start, values)))
    }

    /// The sums of parts of values of those ages, which are within `range`, if that makes spans.
    fn sums_over_ages(&self, ages: &[(usize, f32)], range: Range<usize>) -> Option<Self> {
        let Spans::Until(ends) = &self.spans else {
            return None;
        };
        let hours = self.hours() + range.end - 1;
        if range.is_empty() {
            return None;
        }
        let mut made = Made::with_room((ends.len() + 1) * range.len() + 1, hours)?;
        // The sum changes when the first of the ages comes to a new value, and on until the last has.
        let mut changes: Vec<usize> = vec![0];
        for begin in iter::once(0).chain(ends.iter().map(|&end| end as usize)) {
            let last = changes.last().copied().unwrap_or(0);
            changes.extend((begin + range.start).max(last + 1)..begin + range.end);
        }
        let mut sums = vec![0.0; changes.len() - 1];
        for &(age, part) in ages {
            let mut walk = Walk::from(self.start, self);
            for (sum, &hour) in sums.iter_mut().zip(&changes) {
                if hour >= age {
                    *sum += part * walk.to(hour - age).0;
                }
            }
        }
        let sums = sums.into_iter().map(at_least_zero);
        sums.zip(&changes[1..])
            .for_each(|(sum, &until)| made.push(sum, until));
        Some(made.series(self.start))
    }

    /// The sum of what came so far, hour by hour. One rounding after the other: that decides in
    /// which hour a storage is full.
    pub(crate) fn cumulative(&self) -> Self {
        let mut total = 0.0_f32;
        let mut sums = self.by_hour().into_owned();
        for sum in &mut sums {
            total += *sum;
            *sum = total;
        }
        Self::hourly(self.start, sums)
    }

    /// What changes by the hour where each value is taken back so many hours later.
    pub(crate) fn taken_back_after(self, hours: usize) -> Self {
        if hours >= self.hours() {
            return self;
        }
        let all = self.by_hour();
        let mut changes = all.to_vec();
        for (change, &back) in changes[hours..].iter_mut().zip(&*all) {
            *change -= back;
        }
        Self::from_hours(self.start, [&changes])
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

/// What a series comes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) sum: f64,
    pub(crate) min: f32,
    pub(crate) max: f32,
}

/// The sum of values and the extremes.
fn totals(values: &[f32]) -> Totals {
    // Several of each at once, as one has to wait for itself at every step; and one after the
    // other over what fits the nearest cache, which the compiler makes more of.
    let mut sum = 0.0;
    let mut least = [f32::INFINITY; 8];
    let mut most = [f32::NEG_INFINITY; 8];
    for block in values.chunks(PIECE) {
        let (eights, rest) = block.as_chunks::<8>();
        let mut sums = [0.0_f64; 8];
        for eight in eights {
            for i in 0..8 {
                sums[i] += f64::from(eight[i]);
            }
        }
        for eight in eights {
            for i in 0..8 {
                least[i] = if eight[i] < least[i] {
                    eight[i]
                } else {
                    least[i]
                };
            }
        }
        for eight in eights {
            for i in 0..8 {
                most[i] = if eight[i] > most[i] {
                    eight[i]
                } else {
                    most[i]
                };
            }
        }
        sum += sums.iter().sum::<f64>();
        for &value in rest {
            sum += f64::from(value);
            least[0] = least[0].min(value);
            most[0] = most[0].max(value);
        }
    }
    Totals {
        sum,
        min: least.into_iter().fold(f32::INFINITY, f32::min),
        max: most.into_iter().fold(f32::NEG_INFINITY, f32::max),
    }
}

fn at_least_zero(value: f32) -> f32 {
    if value > 0.0 { value } else { 0.0 }
}

/// How often a value is another than the one before.
fn changes_within(values: &[f32]) -> usize {
    let pairs = values.iter().zip(values.iter().skip(1));
    let changes = pairs.map(|(a, b)| u32::from(a.to_bits() != b.to_bits()));
    changes.sum::<u32>() as usize
}

/// So many hours, unless that is more than a series may have.
fn checked(hours: usize) -> Result<usize, Failure> {
    if hours > LONGEST {
        return Err(Failure::TooLong);
    }
    Ok(hours)
}

/// Adds to each of `totals` the sum of the last `length` values up to its hour.
///
/// The values are cut into blocks of that length; a window covers the end of a block and the
/// beginning of the next, so that two additions an hour do, and no subtraction ever leaves noise.
fn add_window_sums(totals: &mut [f32], values: &[f32], length: usize) {
    // Of the block before, the sum from each of its hours to its end.
    let mut ends = Vec::new();
    let mut blocks = values.chunks(length);
    for totals in totals.chunks_mut(length) {
        let block = blocks.next().unwrap_or_default();
        let mut beginning = 0.0;
        for (hour, total) in totals.iter_mut().enumerate() {
            beginning += block.get(hour).map_or(0.0, |&value| f64::from(value));
            *total += (ends.get(hour + 1).unwrap_or(&0.0) + beginning) as f32;
        }
        ends.clear();
        ends.resize(length.min(values.len()), 0.0);
        let mut sum = 0.0;
        for (end, &value) in ends.iter_mut().zip(block).rev() {
            sum += f64::from(value);
            *end = sum;
        }
    }
}

/// Adds to a total, which stays as it is for others who have it.
pub(crate) fn increase(total: &mut Arc<Series>, by: &Series) -> Result<(), Failure> {
    match Arc::get_mut(total) {
        Some(own) => own.add(by)?,
        None => *total = Arc::new(total.with(by, |a, b| a + b)?),
    }
    Ok(())
}

/// Sums series, in their order. The sum of none is none, and that of one is the same.
pub(crate) fn sum<S: Into<Arc<Series>>>(
    series: impl IntoIterator<Item = Result<Option<S>, Failure>>,
) -> Result<Hours, Failure> {
    let mut total: Hours = None;
    for one in series {
        let Some(one) = one?.map(Into::into) else {
            continue;
        };
        match &mut total {
            Some(total) => increase(total, &one)?,
            None => total = Some(one),
        }
    }
    Ok(total)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(day: i8, values: &[f32]) -> Series {
        Series::hourly(
            jiff::civil::date(2025, 1, day).at(0, 0, 0, 0),
            values.into(),
        )
    }

    impl PartialEq for Series {
        fn eq(&self, other: &Self) -> bool {
            self.start == other.start && self.by_hour() == other.by_hour()
        }
    }

    #[test]
    fn the_specification_s_examples_of_occupancy_hold() {
        let starts = series(1, &[1.0, 2.0, 3.0]);
        for (hours, expected) in [
            (0.5, &[0.5, 1.0, 1.5][..]),
            (1.0, &[1.0, 2.0, 3.0]),
            (1.5, &[1.0, 2.5, 4.0, 1.5]),
            (2.5, &[1.0, 3.0, 5.5, 4.0, 1.5]),
            (4.0, &[1.0, 3.0, 6.0, 6.0, 5.0, 3.0]),
        ] {
            let occupancy = starts.aged(0.0, hours).unwrap().unwrap();
            assert_eq!(occupancy.values, expected, "{hours} h");
        }
        assert_eq!(starts.aged(0.0, 0.0), Ok(None));
        assert_eq!(starts.aged(1.5, 1.5).unwrap().unwrap().values, [0.0; 4]);
    }

    #[test]
    fn a_sum_spans_the_hours_of_both_and_the_gap_between_them() {
        let mut total = series(2, &[1.0, 2.0]);
        total.add(&series(1, &[4.0])).unwrap();
        assert_eq!(total.start, series(1, &[]).start);
        assert_eq!(total.values.len(), 26);
        assert_eq!((total.values[0], total.values[25]), (4.0, 2.0));
        assert_eq!(total.sum(), 7.0);
    }

    #[test]
    fn what_would_span_more_than_two_centuries_is_refused() {
        let mut early = series(1, &[1.0]);
        early.start = jiff::civil::date(1500, 1, 1).at(0, 0, 0, 0);
        assert_eq!(series(1, &[1.0]).add(&early), Err(Failure::TooLong));
        assert_eq!(early.aged(0.0, 1e9), Err(Failure::TooLong));
        assert_eq!(early.clone().later(1e300), Err(Failure::TooLong));
    }

    fn whole_numbers() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec((0_u16..1000).prop_map(f32::from), 1..60)
    }

    /// Values of which neighbours are alike, some for long.
    fn spans() -> impl Strategy<Value = Vec<f32>> {
        let span = (0_u16..9, prop_oneof![1..4_usize, 20..60_usize]);
        let spans = prop::collection::vec(span, 1..12);
        spans.prop_map(|spans| {
            let spans = spans.into_iter();
            let hours = spans.flat_map(|(value, hours)| vec![f32::from(value) / 7.0; hours]);
            hours.collect()
        })
    }

    /// The same hours twice: in spans if that is worth it, and one by one.
    fn both(day: i8, values: &[f32]) -> [Series; 2] {
        let hourly = series(day, values);
        [Series::from_hours(hourly.start, [values]), hourly]
    }

    proptest! {
        #[test]
        fn spans_change_nothing(a in spans(), b in spans(), day in 1..4_i8, from in 0.0..4.0_f64, span in 0.1..20.0_f64) {
            let ([a, hourly_a], [b, hourly_b]) = (both(1, &a), both(day, &b));
            let same = |made: Series, hourly: Series| {
                let (made_totals, totals) = (made.totals(), hourly.totals());
                prop_assert_eq!((made_totals.min, made_totals.max), (totals.min, totals.max));
                prop_assert!((made_totals.sum - totals.sum).abs() <= 1e-9 * totals.sum.abs());
                prop_assert_eq!(made.get(made.hours() / 2), hourly.get(hourly.hours() / 2));
                prop_assert_eq!(made.get(made.hours()), None);
                prop_assert_eq!(made, hourly);
                Ok(())
            };
            same(a.clone(), hourly_a.clone())?;
            same(a.rounded_up(), hourly_a.rounded_up())?;
            same(a.cumulative(), hourly_a.cumulative())?;
            same(a.clone().without_first(30), hourly_a.clone().without_first(30))?;
            same(a.clone().taken_back_after(30), hourly_a.clone().taken_back_after(30))?;
            let aged = |series: &Series| series.aged(from, from + span).unwrap().unwrap();
            same(aged(&a), aged(&hourly_a))?;
            let hourly = hourly_a.with(&hourly_b, |a, b| a - b).unwrap();
            for (a, b) in [(&a, &b), (&a, &hourly_b), (&hourly_a, &b)] {
                same(a.with(b, |a, b| a - b).unwrap(), hourly.clone())?;
                let (mut sum, mut hourly_sum) = (a.clone(), hourly_a.clone());
                sum.add(b).unwrap();
                hourly_sum.add(&hourly_b).unwrap();
                same(sum, hourly_sum)?;
                let (product, expected) = (a.dot(b), hourly_a.dot(&hourly_b));
                prop_assert!((product - expected).abs() <= 1e-9 * expected);
            }
        }

        #[test]
        fn weeks_go_on_and_on(spans in spans(), begin in 0..168_usize, hours in 1..700_usize, by in 0..14_usize) {
            let week: Vec<f32> = spans.into_iter().cycle().take(168).collect();
            let week: [f32; 168] = week.try_into().unwrap();
            let by = by.min(hours);
            let ranges = [begin + by..begin + hours, begin..begin + by];
            let expected = ranges.clone().into_iter().flatten().map(|hour| week[hour % 168]);
            let expected = series(1, &expected.collect::<Vec<_>>());
            prop_assert_eq!(Series::of_weeks(expected.start, &week, ranges), expected);
        }

        #[test]
        fn occupancy_is_the_sum_over_ages(values in whole_numbers(), from in 0.0..40.0_f64, span in 0.01..40.0_f64) {
            let starts = series(1, &values);
            let occupancy = starts.aged(from, from + span).unwrap().unwrap();
            prop_assert_eq!(occupancy.values.len(), values.len() + (from + span).ceil() as usize - 1);
            for (hour, &value) in occupancy.values.iter().enumerate() {
                let ages = (0..=hour).map(|age| {
                    let part = ((age + 1) as f64).min(from + span) - (age as f64).max(from);
                    part.max(0.0) * f64::from(values.get(hour - age).copied().unwrap_or(0.0))
                });
                let expected: f64 = ages.sum();
                prop_assert!((f64::from(value) - expected).abs() <= 1e-6 * expected, "{} is not {}", value, expected);
            }
        }

        #[test]
        fn what_starts_is_there_for_its_duration(values in whole_numbers(), duration in 0.01..100.0_f64) {
            let starts = series(1, &values);
            let total = starts.aged(0.0, duration).unwrap().unwrap().sum();
            prop_assert!((total - starts.sum() * duration).abs() <= 1e-5 * total);
        }

        #[test]
        fn the_order_of_addition_changes_nothing(a in whole_numbers(), b in whole_numbers(), day in 1..5_i8) {
            let (mut one, mut other) = (series(1, &a), series(day, &b));
            let first = one.clone();
            one.add(&other).unwrap();
            other.add(&first).unwrap();
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one, first.with(&series(day, &b), |a, b| a + b).unwrap());
        }
    }
}
