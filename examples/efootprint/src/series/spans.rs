//! Spans of hours that have a value in common.

use std::sync::Arc;

use jiff::civil::DateTime;

/// The hours that the values of a series are for.
#[derive(Debug, Clone)]
pub(super) enum Spans {
    /// One hour for each value.
    Hours,
    /// Where the span of each value ends, counted from the first hour.
    Until(Arc<[u32]>),
}

/// Hours that spans have to have on average: what is done by spans takes a few times as long as what
/// is done hour by hour to as many values.
const SHORTEST: usize = 4;

/// A series in the making, span by span.
#[derive(Default)]
pub(super) struct SpanBuilder {
    values: Vec<f32>,
    ends: Vec<u32>,
}

impl SpanBuilder {
    /// A beginning, unless so many hours are better kept one by one than in so many spans.
    pub(super) fn with_room(spans: usize, hours: usize) -> Option<Self> {
        (spans * SHORTEST <= hours).then(|| Self {
            values: Vec::with_capacity(spans),
            ends: Vec::with_capacity(spans),
        })
    }

    /// Goes on with a value, until that many hours after the start.
    pub(super) fn push(&mut self, value: f32, until: usize) {
        let until = until as u32;
        match (self.values.last(), self.ends.last_mut()) {
            (Some(last), Some(end)) if last.to_bits() == value.to_bits() => *end = until,
            _ => {
                self.values.push(value);
                self.ends.push(until);
            }
        }
    }

    /// Goes on with a value for each hour.
    pub(super) fn push_all(&mut self, values: &[f32]) {
        let mut end = self.ends.last().map_or(0, |&end| end as usize);
        let mut rest = values;
        while let [value, ..] = *rest {
            let alike = alike(rest, value);
            end += alike;
            self.push(value, end);
            rest = &rest[alike..];
        }
    }

    /// The values, and the spans of hours that they are for.
    pub(super) fn finish(mut self) -> (Vec<f32>, Spans) {
        self.values.shrink_to_fit();
        (self.values, Spans::Until(self.ends.into()))
    }
}

/// How many of the first values are that one.
fn alike(values: &[f32], value: f32) -> usize {
    let is_alike = |other: &f32| other.to_bits() == value.to_bits();
    // Eight at once, as long as all are.
    let (eights, _) = values.as_chunks::<8>();
    let all_alike = |eight: &&[f32; 8]| eight.iter().fold(true, |all, value| all & is_alike(value));
    let eights = 8 * eights.iter().take_while(all_alike).count();
    let rest = values[eights..].iter();
    eights + rest.take_while(|value| is_alike(value)).count()
}

/// Goes along a series from an hour that is not after its start, only ever forward.
pub(super) struct Walk<'s> {
    values: &'s [f32],
    spans: &'s Spans,
    /// Hours that pass before the series starts.
    before: usize,
    /// Of the spans, the one that it has come to.
    span: usize,
}

impl<'s> Walk<'s> {
    /// From an hour so many hours `before` the first value.
    pub(super) fn new(values: &'s [f32], spans: &'s Spans, before: usize) -> Self {
        Self {
            values,
            spans,
            before,
            span: 0,
        }
    }

    /// Goes on to an hour: the value there, and the hour until which it stays. Before and after the
    /// series that is zero.
    pub(super) fn to(&mut self, hour: usize) -> (f32, usize) {
        if hour < self.before {
            return (0.0, self.before);
        }
        match self.spans {
            Spans::Hours => {
                let value = self.values.get(hour - self.before);
                value.map_or((0.0, usize::MAX), |&value| (value, hour + 1))
            }
            Spans::Until(ends) => {
                while let Some(&end) = ends.get(self.span) {
                    let until = self.before + end as usize;
                    if hour < until {
                        return (self.values[self.span], until);
                    }
                    self.span += 1;
                }
                (0.0, usize::MAX)
            }
        }
    }
}

/// Whole hours from one to the other, which is not earlier.
pub(super) fn hours_between(from: DateTime, to: DateTime) -> usize {
    (from.duration_until(to).as_secs().div_euclid(3600)) as usize
}
