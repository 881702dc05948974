//! Hourly series and their arithmetic (sections 2.4 and 3 of the web specification).
//!
//! Everything is 32-bit, hour by hour, as in the reference implementation: where a number of
//! instances is rounded up, the last bit of what it is made of decides about a whole instance.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::Hours;
use super::failure::Failure;

/// Hours that are worked on at once where that needs several goes: 4 KiB.
const PIECE: usize = 1024;

/// Most ages that are added up one by one.
const MOST_AGES: usize = 16;

/// Longest series, in hours: two centuries.
const LONGEST: usize = 200 * 8766;

/// Amounts by the hour, from an hour UTC on.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The first hour.
    pub start: DateTime,
    /// One value for each hour.
    pub values: Vec<f32>,
}

impl Series {
    /// The same hours with other values.
    pub(in crate::model) fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        Self {
            start: self.start,
            values: self.values.iter().map(|&value| f(value)).collect(),
        }
    }

    /// This series times a number.
    pub(in crate::model) fn times(&self, factor: f64) -> Self {
        let factor = factor as f32;
        self.map(|value| value * factor)
    }

    /// The same value in each of these hours.
    pub(in crate::model) fn filled_with(&self, value: f64) -> Self {
        self.map(|_| value as f32)
    }

    /// Both series hour by hour, over the hours of either; outside of its hours a series is zero
    /// (3.3).
    pub(in crate::model) fn with(
        &self,
        other: &Self,
        f: impl Fn(f32, f32) -> f32,
    ) -> Result<Self, Failure> {
        if self.start == other.start && self.values.len() == other.values.len() {
            let both = self.values.iter().zip(&other.values);
            return Ok(Self {
                start: self.start,
                values: both.map(|(&a, &b)| f(a, b)).collect(),
            });
        }
        let mut union = self.widened_to(other)?;
        let at = hours_between(union.start, other.start);
        let (before, rest) = union.values.split_at_mut(at);
        let (during, after) = rest.split_at_mut(other.values.len());
        for outside in [before, after] {
            outside.iter_mut().for_each(|a| *a = f(*a, 0.0));
        }
        for (a, &b) in during.iter_mut().zip(&other.values) {
            *a = f(*a, b);
        }
        Ok(union)
    }

    /// This series, with zeros in hours that only the other one has.
    fn widened_to(&self, other: &Self) -> Result<Self, Failure> {
        let start = self.start.min(other.start);
        let before = hours_between(start, self.start);
        let end = (before + self.values.len())
            .max(hours_between(start, other.start) + other.values.len());
        let mut values = hours(end)?;
        values.resize(before, 0.0);
        values.extend_from_slice(&self.values);
        values.resize(end, 0.0);
        Ok(Self { start, values })
    }

    /// The values of both in the hours that both have.
    pub(in crate::model) fn overlap<'s>(&'s self, other: &'s Self) -> (&'s [f32], &'s [f32]) {
        let from = |series: &'s Self, start: DateTime| {
            let at = if start > series.start {
                hours_between(series.start, start)
            } else {
                0
            };
            series.values.get(at..).unwrap_or_default()
        };
        (from(self, other.start), from(other, self.start))
    }

    /// Adds the other series to this one.
    pub(in crate::model) fn add(&mut self, other: &Self) -> Result<(), Failure> {
        if self.start > other.start
            || hours_between(self.start, other.start) + other.values.len() > self.values.len()
        {
            *self = self.widened_to(other)?;
        }
        let at = hours_between(self.start, other.start);
        for (a, &b) in self.values[at..].iter_mut().zip(&other.values) {
            *a += b;
        }
        Ok(())
    }

    /// The same values, whole hours later (3.4).
    pub(in crate::model) fn later(self, by: f64) -> Result<Self, Failure> {
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
    pub(in crate::model) fn aged(&self, from: f64, to: f64) -> Result<Option<Self>, Failure> {
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
        let length = self.values.len() + to.ceil() as usize - 1;
        let mut values = hours(length)?;
        values.resize(length, 0.0);
        let (whole_from, whole_to) = (from.ceil() as usize, to.floor() as usize);
        // Ages that count, and how much: whole hours, and the parts before and after them.
        let mut ages = Vec::new();
        if whole_to > whole_from + MOST_AGES {
            add_window_sums(
                &mut values[whole_from..],
                &self.values,
                whole_to - whole_from,
            );
        } else {
            ages.extend((whole_from..whole_to).map(|age| (age, 1.0)));
        }
        if from < from.ceil() && from < to {
            ages.push((from.floor() as usize, (from.ceil().min(to) - from) as f32));
        }
        if to > to.floor() && to.floor() >= from.ceil() {
            ages.push((to.floor() as usize, (to - to.floor()) as f32));
        }
        // Piece by piece, so that all ages are added up in what the nearest cache holds.
        for (piece, totals) in values.chunks_mut(PIECE).enumerate() {
            for &(age, part) in &ages {
                let (first, begin) = (piece * PIECE, age.saturating_sub(piece * PIECE));
                let then = self.values.get((first + begin).saturating_sub(age)..);
                let now = totals.get_mut(begin..).unwrap_or_default();
                for (total, &value) in now.iter_mut().zip(then.unwrap_or_default()) {
                    *total += part * value;
                }
            }
            totals
                .iter_mut()
                .for_each(|total| *total = at_least_zero(*total));
        }
        Ok(Some(Self {
            start: self.start,
            values,
        }))
    }

    /// The sum of what came so far, hour by hour. One rounding after the other: that decides in
    /// which hour a storage is full.
    pub(in crate::model) fn cumulative(&self) -> Self {
        let mut total = 0.0_f32;
        let sums = self.values.iter().map(|&value| {
            total += value;
            total
        });
        Self {
            start: self.start,
            values: sums.collect(),
        }
    }

    /// The largest value.
    pub(in crate::model) fn max(&self) -> f32 {
        self.totals().max
    }

    /// The smallest value.
    pub(in crate::model) fn min(&self) -> f32 {
        self.totals().min
    }

    /// The sum over time.
    pub(in crate::model) fn sum(&self) -> f64 {
        self.totals().sum
    }

    /// The sum over time and the extremes, in one go.
    pub(super) fn totals(&self) -> Totals {
        // Several of each at once, as one has to wait for itself at every step; and one after the
        // other over what fits the nearest cache, which the compiler makes more of.
        let mut sum = 0.0;
        let mut least = [f32::INFINITY; 8];
        let mut most = [f32::NEG_INFINITY; 8];
        for block in self.values.chunks(PIECE) {
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

    /// When its last hour ends.
    pub fn end(&self) -> DateTime {
        let hours = (self.values.len() as i64).hours();
        self.start.checked_add(hours).unwrap_or(DateTime::MAX)
    }

    /// Bytes of memory that it takes.
    pub(in crate::model) fn size(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.values)
    }
}

/// What a series comes to.
pub(super) struct Totals {
    pub(super) sum: f64,
    pub(super) min: f32,
    pub(super) max: f32,
}

fn at_least_zero(value: f32) -> f32 {
    if value > 0.0 { value } else { 0.0 }
}

/// Whole hours from one to the other, which is not earlier.
fn hours_between(from: DateTime, to: DateTime) -> usize {
    (from.duration_until(to).as_secs().div_euclid(3600)) as usize
}

/// Room for so many hours.
fn hours(length: usize) -> Result<Vec<f32>, Failure> {
    if length > LONGEST {
        return Err(Failure::TooLong);
    }
    Ok(Vec::with_capacity(length))
}

/// Adds to each of `totals` the sum of the last `length` values up to its hour.
///
/// The values are cut into blocks of that length; a window covers the end of a block and the
/// beginning of the next, so that two additions an hour do, and no subtraction ever leaves noise.
fn add_window_sums(totals: &mut [f32], values: &[f32], length: usize) {
    // The first windows start before the values do, and the last end after them.
    let mut blocks = vec![0.0; (totals.len() / length + 2) * length];
    blocks[length - 1..][..values.len()].copy_from_slice(values);
    let (blocks, mut ends) = (blocks.chunks_exact(length), vec![0.0; length]);
    for ((block, next), totals) in blocks
        .clone()
        .zip(blocks.skip(1))
        .zip(totals.chunks_mut(length))
    {
        let mut sum = 0.0;
        for (end, &value) in ends.iter_mut().zip(block).rev() {
            sum += f64::from(value);
            *end = sum;
        }
        let mut beginning = 0.0;
        for ((total, end), &value) in totals.iter_mut().zip(&ends).zip(next) {
            *total += (end + beginning) as f32;
            beginning += f64::from(value);
        }
    }
}

/// Sums series, in their order. The sum of none is none, and that of one is the same.
pub(in crate::model) fn sum<S: Into<Arc<Series>>>(
    series: impl IntoIterator<Item = Result<Option<S>, Failure>>,
) -> Result<Hours, Failure> {
    let mut total: Hours = None;
    for one in series {
        let Some(one) = one?.map(Into::into) else {
            continue;
        };
        match &mut total {
            Some(total) => Arc::make_mut(total).add(&one)?,
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
        Series {
            start: jiff::civil::date(2025, 1, day).at(0, 0, 0, 0),
            values: values.into(),
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

    proptest! {
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
