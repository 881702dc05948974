//! What the whole process did within a step of time.

use super::{event::Event, steps::Join};
use jiff::Timestamp;
use std::cmp::Reverse;

/// The requests that ended within a step. All sizes are bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) warnings: u64,
    pub(crate) growth: u64,
    pub(crate) shrink: u64,
    /// `None` without a heap meter.
    pub(crate) retained: Option<i64>,
    pub(crate) resident: Extremes,
    pub(crate) live: Extremes,
    /// The largest growth that can be a request's own, its time, and the place of its route. Of equal ones the first.
    largest: Option<(u64, Reverse<Timestamp>, usize)>,
}

/// The smallest and largest reading.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extremes(Option<(u64, u64)>);

impl Extremes {
    fn join(&mut self, more: Option<(u64, u64)>) {
        self.0 = match (self.0, more) {
            (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
            (known, more) => known.or(more),
        };
    }

    pub(crate) fn low(self) -> Option<u64> {
        self.0.map(|(low, _)| low)
    }

    pub(crate) fn high(self) -> Option<u64> {
        self.0.map(|(_, high)| high)
    }
}

impl Totals {
    pub(crate) fn count(&mut self, event: &Event, route: usize) {
        let same = |reading| (reading, reading);
        self.join(&Self {
            requests: u64::from(!event.late),
            warnings: 0,
            growth: event.growth.unwrap_or(0),
            shrink: event.shrink,
            retained: event.retained,
            resident: Extremes(event.after.or(event.before).map(same)),
            live: Extremes(event.live.map(same)),
            largest: event
                .own_growth()
                .map(|growth| (growth, Reverse(event.at), route)),
        });
        // A peak counts; a request that begins before a rise is no low of the time after it.
        if let (Some(before), Some((_, high))) = (event.before, &mut self.resident.0) {
            *high = before.max(*high);
        }
    }

    /// The place of the route that grew most at once.
    pub(crate) fn grew_most(&self) -> Option<usize> {
        match self.largest {
            Some((1.., _, route)) => Some(route),
            _ => None,
        }
    }
}

impl Join for Totals {
    fn join(&mut self, later: &Self) {
        self.requests += later.requests;
        self.warnings += later.warnings;
        self.growth = self.growth.saturating_add(later.growth);
        self.shrink = self.shrink.saturating_add(later.shrink);
        if let Some(retained) = later.retained {
            self.retained = Some(self.retained.unwrap_or(0).saturating_add(retained));
        }
        self.resident.join(later.resident.0);
        self.live.join(later.live.0);
        self.largest = self.largest.max(later.largest);
    }
}
