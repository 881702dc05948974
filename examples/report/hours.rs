//! Figures by the hour of UTC, or by longer steps where there would be too many.

use super::event::Event;
use jiff::Timestamp;
use std::{cmp::Reverse, collections::BTreeMap};

/// Steps with events that are told apart: six weeks of hours.
const STEPS: usize = 1024;

/// Hours of a step: each a multiple of the one before it. Days are doubled further.
const WIDTHS: [i64; 5] = [1, 2, 4, 8, 24];

/// What the requests that ended within a step did. All sizes are bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hour {
    pub(crate) requests: u64,
    pub(crate) warnings: u64,
    pub(crate) growth: u64,
    pub(crate) shrink: u64,
    /// `None` without a heap meter.
    pub(crate) retained: Option<i64>,
    pub(crate) resident: Extremes,
    pub(crate) live: Extremes,
    /// The largest growth that can be a request's own, when it was, and the place of its route. Of equal ones the first.
    pub(crate) largest: Option<(u64, Reverse<Timestamp>, usize)>,
}

/// The smallest and largest reading.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Extremes(pub(crate) Option<(u64, u64)>);

impl Extremes {
    fn add(&mut self, more: Option<(u64, u64)>) {
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

impl Hour {
    pub(crate) fn count(&mut self, event: &Event, route: usize) {
        let same = |reading| (reading, reading);
        self.add(&Self {
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

    fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.warnings += more.warnings;
        self.growth = self.growth.saturating_add(more.growth);
        self.shrink = self.shrink.saturating_add(more.shrink);
        if let Some(retained) = more.retained {
            self.retained = Some(self.retained.unwrap_or(0).saturating_add(retained));
        }
        self.resident.add(more.resident.0);
        self.live.add(more.live.0);
        self.largest = self.largest.max(more.largest);
    }
}

/// Steps with events, in order of time.
#[derive(Debug, Clone)]
pub(crate) struct Hours {
    /// Hours of a step.
    width: i64,
    /// By number of steps since 1970.
    steps: BTreeMap<i64, Hour>,
}

impl Default for Hours {
    fn default() -> Self {
        Self {
            width: WIDTHS[0],
            steps: BTreeMap::new(),
        }
    }
}

impl Hour {
    /// The place of the route that grew most at once.
    pub(crate) fn grew_most(&self) -> Option<usize> {
        match self.largest {
            Some((1.., _, route)) => Some(route),
            _ => None,
        }
    }
}

impl Hours {
    /// The step of a moment.
    pub(crate) fn of(&mut self, at: Timestamp) -> &mut Hour {
        let hour = at.as_second().div_euclid(3600);
        if self.steps.len() >= STEPS && !self.steps.contains_key(&hour.div_euclid(self.width)) {
            self.coarsen(STEPS - 1);
        }
        self.steps.entry(hour.div_euclid(self.width)).or_default()
    }

    /// The same in at most so many steps.
    pub(crate) fn within(&self, steps: usize) -> Self {
        let mut hours = self.clone();
        hours.coarsen(steps);
        hours
    }

    fn coarsen(&mut self, steps: usize) {
        while self.steps.len() > steps.max(1) {
            let next = WIDTHS.iter().find(|width| **width > self.width);
            let width = next.copied().unwrap_or(2 * self.width);
            let factor = width / self.width;
            self.width = width;
            for (step, hour) in std::mem::take(&mut self.steps) {
                let whole = self.steps.entry(step.div_euclid(factor)).or_default();
                whole.add(&hour);
            }
        }
    }

    /// Hours of a step.
    pub(crate) fn width(&self) -> i64 {
        self.width
    }

    /// Each step with the hour since 1970 that it begins with.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, &Hour)> {
        self.steps
            .iter()
            .map(|(step, hour)| (step * self.width, hour))
    }
}
