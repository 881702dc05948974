//! Events by their age: how many that started are still there (3.4).

use std::iter;
use std::ops::Range;

use super::spanned::Series;
use super::spans::{SpanBuilder, Spans};
use super::too_long::{TooLong, checked};
use super::totals::PIECE;
use crate::hours::LONGEST_SERIES;

/// Most ages that are added up one by one.
const MOST_AGES: usize = 16;

impl Series {
    /// How many events that start by this series are between `from` and `to` hours old: hour by
    /// hour, an event that is old enough for a part of an hour counts for that part (3.4).
    ///
    /// The reference convolves in 32 bits, which leaves noise in hours that are zero; this is a
    /// sum of what there is, and zero where nothing is.
    pub(crate) fn aged(&self, from: f64, to: f64) -> Result<Option<Self>, TooLong> {
        if to <= 0.0 {
            return Ok(None);
        }
        if to > LONGEST_SERIES as f64 {
            return Err(TooLong);
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
        let mut made = SpanBuilder::with_room((ends.len() + 1) * range.len() + 1, hours)?;
        // The sum changes when the first of the ages comes to a new value, and on until the last has.
        let mut changes: Vec<usize> = vec![0];
        for begin in iter::once(0).chain(ends.iter().map(|&end| end as usize)) {
            let last = changes.last().copied().unwrap_or(0);
            changes.extend((begin + range.start).max(last + 1)..begin + range.end);
        }
        let mut sums = vec![0.0; changes.len() - 1];
        for &(age, part) in ages {
            let mut walk = self.walk_from(self.start);
            for (sum, &hour) in sums.iter_mut().zip(&changes) {
                if hour >= age {
                    *sum += part * walk.to(hour - age).0;
                }
            }
        }
        let sums = sums.into_iter().map(at_least_zero);
        sums.zip(&changes[1..])
            .for_each(|(sum, &until)| made.push(sum, until));
        Some(Self::built(self.start, made))
    }
}

fn at_least_zero(value: f32) -> f32 {
    if value > 0.0 { value } else { 0.0 }
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
