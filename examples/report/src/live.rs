//! Live heap by route: what requests of a route own when an event of the route is written. And what is left of the
//! process's live heap, which nobody owns.

use super::{
    event::Event,
    figures::Figures,
    process::Totals,
    steps::{Join, Steps},
    trend::{Low, PROCESS_NOISE, ROUTE_NOISE, Trend},
};
use jiff::Timestamp;

/// Steps of one route: about an hour of minutes, or five hours in steps of five.
const STEPS: usize = 64;

/// Readings of one route, in bytes.
pub(crate) struct Live {
    steps: Steps<Readings>,
    first: Option<Reading>,
    last: Option<Reading>,
}

/// Of equal times the smaller comes first, whatever the order of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Reading {
    at: Timestamp,
    bytes: u64,
    /// What of it the very request has left.
    retained: i64,
}

/// Those of a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readings {
    low: Option<u64>,
    last: Option<(Timestamp, u64)>,
    requests: u64,
}

impl Join for Readings {
    fn join(&mut self, later: &Self) {
        self.low = [self.low, later.low].into_iter().flatten().min();
        self.last = self.last.max(later.last);
        self.requests += later.requests;
    }
}

impl Readings {
    pub(crate) fn low(&self) -> Option<u64> {
        self.low
    }
}

impl Default for Live {
    fn default() -> Self {
        Self {
            steps: Steps::at_most(STEPS),
            first: None,
            last: None,
        }
    }
}

impl Live {
    /// Both events of a request have a reading; `is_request` is true for one of them.
    pub(crate) fn read(&mut self, event: &Event, is_request: bool) {
        let Some(bytes) = event.route_live else {
            return;
        };
        let reading = Reading {
            at: event.at,
            bytes,
            retained: event.retained.unwrap_or(0),
        };
        self.first = Some(self.first.map_or(reading, |first| first.min(reading)));
        self.last = self.last.max(Some(reading));
        let step = self.steps.of(event.at);
        step.low = Some(step.low.map_or(bytes, |low| low.min(bytes)));
        step.last = step.last.max(Some((event.at, bytes)));
        step.requests += u64::from(is_request);
    }

    pub(crate) fn steps(&self) -> &Steps<Readings> {
        &self.steps
    }

    pub(crate) fn at_start(&self) -> Option<u64> {
        self.first.map(|first| first.bytes)
    }

    pub(crate) fn at_end(&self) -> Option<u64> {
        self.last.map(|last| last.bytes)
    }

    /// What was there at the end and not at the start.
    pub(crate) fn change(&self) -> Option<i64> {
        let (first, last) = (self.at_start()?, self.at_end()?);
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Some(signed(last) - signed(first))
    }

    pub(crate) fn trend(&self) -> Trend {
        Trend::of(&self.steps, ROUTE_NOISE, |readings| {
            Some((readings.low?, readings.requests))
        })
    }

    /// The lowest of it in each of these steps, which are no shorter than its own; without a reading, the one before, or
    /// what was there before its first request.
    fn lows(&self, steps: &[i64], width: i64) -> Vec<u64> {
        let own = self.steps.no_finer_than(width);
        let mut own = own.iter().peekable();
        let before = self.first.map(|first| {
            let retained = first.retained.max(0).unsigned_abs();
            first.bytes.saturating_sub(retained)
        });
        let mut known = before.unwrap_or(0);
        let low_of = |step: &i64| {
            let mut lowest = None;
            while let Some((at, readings)) = own.next_if(|(at, _)| at <= step) {
                lowest = readings.low.filter(|_| at == *step);
                known = readings.last.map_or(known, |(_, last)| last);
            }
            lowest.unwrap_or(known)
        };
        steps.iter().map(low_of).collect()
    }
}

/// The trend of live heap that no request owns, and its last low.
pub(crate) fn nobody(figures: &Figures) -> (Trend, u64) {
    let steps = figures.steps.comparable();
    let widths = figures.routes.iter().map(|route| route.live.steps.width());
    let steps = steps.no_finer_than(widths.max().unwrap_or(0));
    let read: Vec<(i64, &Totals, u64)> = steps
        .iter()
        .filter_map(|(at, totals)| Some((at, totals, totals.live.low()?)))
        .collect();
    let times: Vec<_> = read.iter().map(|(at, ..)| *at).collect();
    let mut lows: Vec<Low> = read
        .iter()
        .map(|(at, totals, live)| Low {
            at: *at,
            bytes: *live,
            requests: totals.requests,
        })
        .collect();
    for route in figures.routes.iter() {
        let owned = route.live.lows(&times, steps.width());
        for (low, owned) in lows.iter_mut().zip(owned) {
            low.bytes = low.bytes.saturating_sub(owned);
        }
    }
    let last = lows.last().map_or(0, |low| low.bytes);
    (Trend::of_lows(&lows, steps.width(), PROCESS_NOISE), last)
}
