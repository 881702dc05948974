use super::{series::raise, warning::Warning};
use crate::{
    heap::{HeapFlow, RouteLive},
    report::{LateWork, Outcome, Report},
    route::Route,
    verdict::Verdict,
};
use histogram::AtomicHistogram32;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// The figures of one route's requests. All sizes are in bytes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RouteFigures {
    /// The route; `other` stands for all routes beyond the first 512.
    pub route: Route,
    /// Requests that ended.
    pub requests: u64,
    /// How many of them shared their window with other requests.
    pub overlapping: u64,
    /// How they ended; outcomes that never happened are left out.
    pub outcomes: Vec<(Outcome, u64)>,
    /// Their verdicts, by [`Verdict::as_str`]; verdicts that never happened are left out.
    pub verdicts: Vec<(&'static str, u64)>,
    /// By how much they grew the process.
    pub growth: Growth,
    /// By how much they shrank it, in total.
    pub shrink: u64,
    /// Their use of the heap; `None` without a heap meter.
    pub heap: Option<RouteHeap>,
    /// How often background work ended later than its request.
    pub late: u64,
    /// The last warning, whether logged or suppressed in the log.
    pub last_warning: Option<Warning>,
}

/// The use of the heap by one route's requests, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteHeap {
    /// Bytes they allocated, including late work.
    pub allocated: u64,
    /// Bytes of settled requests that are live now. Where blocks have no owner (jemalloc's own
    /// counters), the sum of each request's retained bytes, which drifts.
    pub retained: i64,
    /// The most that one of them held at once.
    pub peak: u64,
    /// Live heap that the route owns now, including open requests; `None` where blocks have no owner.
    pub live: Option<u64>,
    /// The part of `live` in responses that clients have not read yet.
    pub unsent: u64,
    /// The part of `live` in use by work that is still running after its request.
    pub running: u64,
    /// The age of the oldest request whose work is still running.
    pub oldest_running: Option<Duration>,
}

impl RouteHeap {
    /// Sets the bytes that are live now, which no sum of past requests can give. `None` is a route that
    /// owns nothing.
    pub(super) fn own(&mut self, owned: Option<&RouteLive>) {
        let live = owned.map_or(0, |owned| owned.live);
        let open = owned.map_or(0, |owned| owned.open);
        self.live = Some(live);
        self.retained = i64::try_from(live.saturating_sub(open)).unwrap_or(i64::MAX);
        self.unsent = owned.map_or(0, |owned| owned.unsent);
        self.running = owned.map_or(0, |owned| owned.running);
        self.oldest_running = owned.and_then(|owned| owned.oldest_running);
    }
}

/// The distribution of growth. Requests that shrank the process or left it as it was count as 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Growth {
    /// Requests whose growth could be read.
    pub readings: u64,
    /// The sum of all growth.
    pub sum: u64,
    /// Half of the requests grew the process by no more than this. Like all quantiles, rounded up by
    /// less than 16 KiB + 7 %, and at most 64 GiB.
    pub p50: u64,
    /// 95 % of requests grew the process by no more than this.
    pub p95: u64,
    /// 99 % of requests grew the process by no more than this.
    pub p99: u64,
    /// The largest growth, exactly.
    pub max: u64,
}

impl Growth {
    /// Mean growth per request; 0 if none was read.
    pub const fn mean(&self) -> u64 {
        match self.readings {
            0 => 0,
            readings => self.sum / readings,
        }
    }
}

/// The figures of one route while they are counted. A quiet request costs two additions: the most common
/// answers (nothing grew, no warning) follow from the other counts.
pub(super) struct Counters {
    /// In the order of [`Outcome::ALL`], which is that of the variants.
    outcomes: [AtomicU64; Outcome::ALL.len()],
    /// By [`Verdict::index`]. The first, `within_threshold`, is whatever the others leave.
    verdicts: [AtomicU64; Verdict::NAMES.len()],
    overlapping: AtomicU64,
    /// Growth above zero, in units of [`UNIT`].
    grown: AtomicHistogram32,
    growth: AtomicU64,
    largest: AtomicU64,
    shrink: AtomicU64,
    is_metered: AtomicBool,
    allocated: AtomicU64,
    retained: AtomicI64,
    peak: AtomicU64,
    late: AtomicU64,
    last_warning: Mutex<Option<Warning>>,
}

/// The resolution of growth, in bytes.
const UNIT: u64 = 16 << 10;

/// As a power of two: sixteen steps per doubling, up to 64 GiB. That is 1.2 KB per route.
const PRECISION: u8 = 4;
const LARGEST: u8 = 22;

impl Counters {
    #[expect(
        clippy::expect_used,
        reason = "constants that a test shows to be valid"
    )]
    pub(super) fn new() -> Self {
        Self {
            outcomes: Default::default(),
            verdicts: Default::default(),
            overlapping: AtomicU64::new(0),
            grown: AtomicHistogram32::new(PRECISION, LARGEST).expect("valid constants"),
            growth: AtomicU64::new(0),
            largest: AtomicU64::new(0),
            shrink: AtomicU64::new(0),
            is_metered: AtomicBool::new(false),
            allocated: AtomicU64::new(0),
            retained: AtomicI64::new(0),
            peak: AtomicU64::new(0),
            late: AtomicU64::new(0),
            last_warning: Mutex::new(None),
        }
    }

    pub(super) fn count(&self, report: &Report) {
        add(&self.outcomes[report.outcome as usize], 1);
        if report.verdict != Verdict::WithinThreshold {
            add(&self.verdicts[report.verdict.index()], 1);
        }
        if report.overlap > 0 {
            add(&self.overlapping, 1);
        }
        match report.growth().unwrap_or(0) {
            0 => {}
            grown @ 1.. => self.grew(grown.unsigned_abs()),
            shrunk => self.shrank(shrunk.unsigned_abs()),
        }
        if let Some(heap) = &report.heap {
            self.flowed(heap);
            raise(&self.peak, heap.peak);
        }
    }

    pub(super) fn count_late(&self, work: &LateWork) {
        add(&self.late, 1);
        self.flowed(&work.heap);
    }

    pub(super) fn warned(&self, warning: Warning) {
        let mut last = self
            .last_warning
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(warning);
    }

    fn grew(&self, bytes: u64) {
        let units = bytes.div_ceil(UNIT).min((1 << LARGEST) - 1);
        // Fails only for values above the largest, which can't occur.
        let _ = self.grown.increment(units);
        saturate(&self.growth, bytes);
        raise(&self.largest, bytes);
    }

    fn shrank(&self, bytes: u64) {
        saturate(&self.shrink, bytes);
    }

    fn flowed(&self, heap: &HeapFlow) {
        if !self.is_metered.load(Ordering::Relaxed) {
            self.is_metered.store(true, Ordering::Relaxed);
        }
        add(&self.allocated, heap.allocated);
        if heap.retained() != 0 {
            self.retained.fetch_add(heap.retained(), Ordering::Relaxed);
        }
    }

    /// Each figure as it is now. Requests that end meanwhile may be in some of them only.
    pub(super) fn figures(&self, route: &Route) -> RouteFigures {
        let outcomes = Outcome::ALL.into_iter().zip(self.outcomes.iter().map(load));
        let outcomes: Vec<_> = outcomes.filter(|(_, count)| *count > 0).collect();
        let requests = outcomes.iter().map(|(_, count)| count).sum();
        let mut counts = self.verdicts.each_ref().map(load);
        counts[Verdict::WithinThreshold.index()] =
            u64::saturating_sub(requests, counts.iter().sum());
        let verdicts = Verdict::NAMES.into_iter().zip(counts);
        let unreadable = counts[Verdict::Unreadable.index()];
        let last_warning = self
            .last_warning
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        RouteFigures {
            route: route.clone(),
            requests,
            overlapping: load(&self.overlapping),
            outcomes,
            verdicts: verdicts.filter(|(_, count)| *count > 0).collect(),
            growth: self.distribution(requests.saturating_sub(unreadable)),
            shrink: load(&self.shrink),
            heap: self.is_metered.load(Ordering::Relaxed).then(|| RouteHeap {
                allocated: load(&self.allocated),
                retained: self.retained.load(Ordering::Relaxed),
                peak: load(&self.peak),
                ..RouteHeap::default()
            }),
            late: load(&self.late),
            last_warning: last_warning.clone(),
        }
    }

    fn distribution(&self, readings: u64) -> Growth {
        let grown = self.grown.load();
        let max = load(&self.largest);
        let count: u64 = grown.as_slice().iter().map(|count| u64::from(*count)).sum();
        let readings = readings.max(count);
        let quantile = |hundredths: u64| {
            // The rank among requests that grew the process; all others come before them.
            let rank = (readings * hundredths)
                .div_ceil(100)
                .checked_sub(readings - count + 1);
            let mut below = 0;
            let reached = |rank| {
                grown.iter().find(|bucket| {
                    below += bucket.count();
                    below > rank
                })
            };
            let bucket = rank.and_then(reached);
            bucket.map_or(0, |bucket| (bucket.end() * UNIT).min(max))
        };
        Growth {
            readings,
            sum: load(&self.growth),
            p50: quantile(50),
            p95: quantile(95),
            p99: quantile(99),
            max,
        }
    }
}

fn add(sum: &AtomicU64, amount: u64) {
    sum.fetch_add(amount, Ordering::Relaxed);
}

/// A user's reader may return anything, and a sum that wraps would be a small one.
fn saturate(sum: &AtomicU64, amount: u64) {
    let order = Ordering::Relaxed;
    // Never fails, as there is always a next value.
    let _ = sum.fetch_update(order, order, |sum| Some(sum.saturating_add(amount)));
}

fn load(sum: &AtomicU64) -> u64 {
    sum.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_growths_rounded_up_a_little(
            growths in prop::collection::vec(prop_oneof![Just(0), 1..100_000_u64, 1..1_u64 << 35], 1..200),
        ) {
            let counters = Counters::new();
            for growth in growths.iter().filter(|growth| **growth > 0) {
                counters.grew(*growth);
            }
            let told = counters.distribution(growths.len() as u64);
            let mut sorted = growths.clone();
            sorted.sort_unstable();
            let exact = |hundredths: usize| sorted[(sorted.len() * hundredths).div_ceil(100) - 1];
            prop_assert_eq!(told.sum, growths.iter().sum::<u64>());
            prop_assert_eq!(told.max, sorted[sorted.len() - 1]);
            for (told, exact) in [(told.p50, exact(50)), (told.p95, exact(95)), (told.p99, exact(99))] {
                prop_assert!(told >= exact, "{} < {}", told, exact);
                prop_assert!(told <= exact + exact / 14 + UNIT, "{} > {}", told, exact);
                prop_assert_eq!(told == 0, exact == 0);
            }
        }

        #[test]
        fn sums_of_wild_figures_never_wrap(
            figures in prop::collection::vec(prop_oneof![any::<u64>(), Just(u64::MAX), 1..1_u64 << 48], 1..20),
        ) {
            let counters = Counters::new();
            let mut sum = 0_u64;
            for figure in figures {
                counters.grew(figure);
                counters.shrank(figure);
                sum = sum.saturating_add(figure);
                prop_assert_eq!([load(&counters.growth), load(&counters.shrink)], [sum; 2]);
            }
            let told = counters.distribution(20);
            prop_assert!(told.p99 <= told.max && told.mean() <= told.max);
        }
    }
}
