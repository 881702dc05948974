//! Figures of each route, as many as tower-memory tells apart.

use super::{
    event::{Event, VERDICTS, verdict},
    live::Live,
    trend::{ROUTE_NOISE, Trend},
};
use histogram::Histogram;
use std::{cmp::Reverse, collections::HashMap};

/// Routes told apart, and bytes of the longest label: the rest is one route. As in `tower_memory::routes`.
const ROUTES: usize = 512;
pub(crate) const LONGEST_LABEL: usize = 128;
const OTHER: &str = "other";

/// Bytes of the smallest growth that is told from the next; sixteen steps to each doubling, up to 256 TiB, which is all
/// that a process can address.
const UNIT: u64 = 16 << 10;
const PRECISION: u8 = 4;
const LARGEST: u8 = 34;

const MIB: i64 = 1 << 20;

#[derive(Default)]
pub(crate) struct Routes {
    places: HashMap<Box<str>, usize>,
    routes: Vec<Route>,
}

impl Routes {
    /// The place of a route, which it keeps.
    pub(crate) fn index(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        if name != OTHER && (self.places.len() >= ROUTES || name.len() > LONGEST_LABEL) {
            return self.index(OTHER);
        }
        let place = self.routes.len();
        self.routes.push(Route::new(name));
        self.places.insert(name.into(), place);
        place
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> &mut Route {
        &mut self.routes[place]
    }

    pub(crate) fn get(&self, place: usize) -> &Route {
        &self.routes[place]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// That with the most of something; of equal ones the first in the alphabet.
    pub(crate) fn most<T: Ord>(&self, of: impl Fn(&Route) -> T) -> Option<&Route> {
        self.iter()
            .max_by_key(|route| (of(route), Reverse(&route.name)))
    }

    /// Those whose live heap rises first, then those with most of it, or that retain most where it is not known, then those
    /// that grew most.
    pub(crate) fn sorted(&self) -> Vec<&Route> {
        let mut routes: Vec<_> = self.iter().collect();
        routes.sort_by_cached_key(|route| {
            let live = route.live.at_end();
            let rises = matches!(route.live.trend(), Trend::Rises(_));
            // Some bytes more or less are chance.
            let held = live.map_or(0, |live| live / ROUTE_NOISE);
            let retained = match live {
                Some(_) => 0,
                None => route.retained.unwrap_or(0).max(0) / MIB,
            };
            (
                Reverse((rises, held, retained, route.growth())),
                &route.name,
            )
        });
        routes
    }

    /// Those whose live heap rises, from the steepest on.
    pub(crate) fn rising(&self) -> Vec<&Route> {
        let rises = |route: &&Route| matches!(route.live.trend(), Trend::Rises(_));
        let mut routes: Vec<_> = self.iter().filter(rises).collect();
        routes.sort_by_key(|route| (Reverse(route.live.change()), &route.name));
        routes
    }
}

/// What the requests of one route did. All sizes are bytes.
pub(crate) struct Route {
    pub(crate) name: Box<str>,
    pub(crate) requests: u64,
    /// Pieces of work that ended later than their request, and those of them that retained enough to be warned of.
    pub(crate) late: u64,
    late_retained: u64,
    /// Warnings in the log, and those that were held back.
    pub(crate) warnings: u64,
    pub(crate) suppressed: u64,
    /// Growth by verdict, and how often each was given.
    pub(crate) grown: [u64; VERDICTS.len()],
    pub(crate) verdicts: [u64; VERDICTS.len()],
    histogram: Histogram,
    largest: u64,
    pub(crate) shrink: u64,
    /// What requests left behind when they ended, late work included, whatever was freed later; `None` without a heap
    /// meter.
    pub(crate) retained: Option<i64>,
    /// What its requests own, time by time.
    pub(crate) live: Live,
    /// The most that was unsent of one response, and in use by work of one request, at its end.
    pub(crate) unsent: u64,
    pub(crate) running: u64,
    /// The most that one of them held at once.
    pub(crate) peak: Option<u64>,
}

impl Route {
    #[expect(clippy::expect_used, reason = "constants that are valid")]
    fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            requests: 0,
            late: 0,
            late_retained: 0,
            warnings: 0,
            suppressed: 0,
            grown: Default::default(),
            verdicts: Default::default(),
            histogram: Histogram::new(PRECISION, LARGEST).expect("valid constants"),
            largest: 0,
            shrink: 0,
            retained: None,
            live: Live::default(),
            unsent: 0,
            running: 0,
            peak: None,
        }
    }

    pub(crate) fn count(&mut self, event: &Event) {
        if let Some(retained) = event.retained {
            self.retained = Some(self.retained.unwrap_or(0).saturating_add(retained));
        }
        if event.late {
            self.late += 1;
            self.late_retained += u64::from(event.verdict == verdict::RETAINED);
            return;
        }
        self.requests += 1;
        self.verdicts[event.verdict] += 1;
        self.peak = self.peak.max(event.peak);
        self.unsent = self.unsent.max(event.unsent);
        self.running = self.running.max(event.running);
        self.shrink = self.shrink.saturating_add(event.shrink);
        if let Some(growth) = event.growth {
            let grown = &mut self.grown[event.verdict];
            *grown = grown.saturating_add(growth);
            self.largest = self.largest.max(growth);
            let units = growth.div_ceil(UNIT).min((1 << LARGEST) - 1);
            // Fails for values above the largest only, of which there are none.
            let _ = self.histogram.increment(units);
        }
    }

    /// By how much all requests grew the process.
    pub(crate) fn growth(&self) -> u64 {
        self.grown
            .iter()
            .fold(0, |sum, grown| sum.saturating_add(*grown))
    }

    /// Growth that can be its own.
    pub(crate) fn own_growth(&self) -> u64 {
        self.growth() - self.grown[verdict::OTHER_REQUESTS]
    }

    /// P50, P95 and P99 of the growth of single requests, and the largest.
    pub(crate) fn growths(&self) -> [u64; 4] {
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| self.growth_at(quantile));
        [p50, p95, p99, self.largest]
    }

    /// A quantile, rounded up by less than 16 KiB + 7 %.
    fn growth_at(&self, quantile: f64) -> u64 {
        let bucket = self.histogram.quantile_bucket(quantile).ok().flatten();
        bucket.map_or(0, |bucket| (bucket.end() * UNIT).min(self.largest))
    }

    /// The verdict other than `retained` that explains most: that with most growth behind it, or else the one given most
    /// often. `None` where it is less than a tenth of the growth, or there is nothing to explain.
    pub(crate) fn explanation(&self) -> Option<usize> {
        let others = (0..VERDICTS.len()).filter(|at| {
            let quiet = [
                verdict::WITHIN_THRESHOLD,
                verdict::RETAINED,
                verdict::UNREADABLE,
            ];
            self.verdicts[*at] > 0 && !quiet.contains(at) && self.grown[*at] >= self.growth() / 10
        });
        others.max_by_key(|at| (self.grown[*at], self.verdicts[*at]))
    }

    /// Whether one of its requests was said to retain, or late work of one.
    pub(crate) fn retains(&self) -> bool {
        self.verdicts[verdict::RETAINED] + self.late_retained > 0
    }

    /// Whether there is nothing to tell beside figures.
    pub(crate) fn is_quiet(&self) -> bool {
        let explained = self.requests - self.verdicts[verdict::WITHIN_THRESHOLD];
        let rises = matches!(self.live.trend(), Trend::Rises(_));
        explained == 0 && self.warnings == 0 && self.late == 0 && !rises
    }
}
