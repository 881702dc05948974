//! Series made of lists of hours, and of weeks.

use std::ops::Range;

use jiff::civil::DateTime;

use super::spanned::Series;
use super::spans::SpanBuilder;
use crate::hours::HOURS_OF_WEEK;

impl Series {
    /// A series of one value for each hour, which are in several lists; in spans if enough
    /// neighbouring hours are alike.
    pub(crate) fn from_hours<const N: usize>(start: DateTime, lists: [&[f32]; N]) -> Self {
        let hours = lists.iter().map(|list| list.len()).sum();
        let changes = lists.iter().map(|list| 1 + changes_within(list));
        let Some(mut made) = SpanBuilder::with_room(changes.sum(), hours) else {
            return Self::hourly(start, lists.concat());
        };
        lists.into_iter().for_each(|list| made.push_all(list));
        Self::built(start, made)
    }

    /// The values of weeks, one after the other, in those hours.
    pub(crate) fn of_weeks(
        start: DateTime,
        week: &[f32; HOURS_OF_WEEK],
        ranges: [Range<usize>; 2],
    ) -> Self {
        let hours = ranges.iter().map(Range::len).sum();
        let changes = 1 + changes_within(week);
        let Some(mut made) = SpanBuilder::with_room((hours / HOURS_OF_WEEK + 4) * changes, hours)
        else {
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
        Self::built(start, made)
    }
}

/// How often a value is another than the one before.
fn changes_within(values: &[f32]) -> usize {
    let pairs = values.iter().zip(values.iter().skip(1));
    let changes = pairs.map(|(a, b)| u32::from(a.to_bits() != b.to_bits()));
    changes.sum::<u32>() as usize
}
