//! Which routes cost memory over time: [`Routes`] keeps figures of each route and of the process.

mod figures;
mod series;
mod warning;

pub use self::{
    figures::{Growth, RouteFigures, RouteHeap},
    series::{Process, Sample},
    warning::Warning,
};
pub use crate::resident::LimitKind;

use self::{
    figures::Counters,
    series::{Moment, Series},
};
use crate::{
    heap::{self, LiveByRoute},
    report::{LateWork, OnReport, Report},
    resident,
    route::{Route, RouteTable},
};
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

/// A listener that keeps figures of each route, and of the process over time.
///
/// Cloning is cheap, and clones share their figures: give one to the layer and keep one to query.
///
/// ```
/// use tower_memory::{MemoryLayer, routes::Routes};
///
/// let routes = Routes::new();
/// let layer = MemoryLayer::new().on_report(routes.clone());
/// for figures in routes.snapshot().routes {
///     let grew = figures.growth.sum;
///     println!("{} grew the process by {grew} bytes in {} requests", figures.route, figures.requests);
/// }
/// ```
///
/// # Cost
///
/// Less than 1 MiB, however many paths are requested: the first 512 routes with labels of up to 128 bytes have
/// figures of their own, and all others share `other`. A request of a known route takes no lock and allocates
/// nothing, unless there is a warning about it.
#[derive(Clone)]
pub struct Routes(Arc<Kept>);

struct Kept {
    routes: RouteTable<Counters>,
    began: Instant,
    began_at: SystemTime,
    seconds: Series,
    minutes: Series,
    warnings: Mutex<VecDeque<(Route, Warning)>>,
}

/// How many warnings are kept.
const WARNINGS: usize = 64;

/// How many of one route, which leaves room for others.
const WARNINGS_OF_ROUTE: usize = 16;

impl Routes {
    /// Creates a listener with no figures yet.
    pub fn new() -> Self {
        Self(Arc::new(Kept {
            routes: RouteTable::new(),
            began: Instant::now(),
            began_at: SystemTime::now(),
            seconds: Series::new(600, 1),
            minutes: Series::new(24 * 60, 60),
            warnings: Mutex::new(VecDeque::with_capacity(WARNINGS)),
        }))
    }

    /// All figures as they are now.
    ///
    /// Takes one reading of the process, so the series continue even when no request ends. The reading is by
    /// the platform's reader, whatever the layer's [`reader`](crate::MemoryLayer::reader). Copying takes well
    /// under a millisecond. No request waits for it, except that a request with a warning may wait while
    /// warnings are copied.
    pub fn snapshot(&self) -> Snapshot {
        let kept = &*self.0;
        // All live heap from one call, so the routes and nobody add up to it.
        let owned = heap::live_by_route();
        let process = Process {
            resident: resident::now(),
            live: match &owned {
                Some(owned) => Some(owned.total()),
                None => heap::live_bytes(),
            },
        };
        let at = kept.began.elapsed();
        kept.sample(&Moment {
            process,
            ..Moment::default()
        });
        let entries = kept.routes.iter();
        let mut routes: Vec<_> = entries
            .map(|(route, counted)| counted.figures(route))
            .collect();
        if let Some(owned) = &owned {
            own(&mut routes, owned);
        }
        routes.sort_by(|a, b| {
            let heap = |figures: &RouteFigures| figures.heap.unwrap_or_default();
            let weight = |figures: &RouteFigures| {
                let heap = heap(figures);
                (heap.live, heap.retained, figures.growth.sum)
            };
            weight(b)
                .cmp(&weight(a))
                .then_with(|| a.route.as_str().cmp(b.route.as_str()))
        });
        let limit = resident::limit();
        Snapshot {
            began_at: kept.began_at,
            at,
            process,
            limit: limit.map(|(bytes, _)| bytes),
            limit_kind: limit.map(|(_, kind)| kind),
            nobody: owned.map(|owned| owned.nobody),
            routes,
            warnings: kept.warnings().iter().rev().cloned().collect(),
            seconds: kept.seconds.samples(at.as_secs()),
            minutes: kept.minutes.samples(at.as_secs()),
        }
    }
}

/// Sets each route's owned bytes, to nothing if it owns nothing. Adds routes that no request has reported yet
/// because their first is in flight: without them the sum would be short.
fn own(routes: &mut Vec<RouteFigures>, owned: &LiveByRoute) {
    let of_routes = owned.routes.iter().map(|owned| (&owned.route, owned));
    let mut of_routes: HashMap<_, _> = of_routes.collect();
    for figures in routes.iter_mut() {
        let heap = figures.heap.get_or_insert_default();
        heap.own(of_routes.remove(&figures.route));
    }
    routes.extend(of_routes.into_iter().map(|(route, owned)| {
        let mut figures = Counters::new().figures(route);
        figures.heap.get_or_insert_default().own(Some(owned));
        figures
    }));
}

impl Default for Routes {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let routes = self.0.routes.iter().map(|(route, _)| route);
        f.debug_tuple("Routes")
            .field(&routes.collect::<Vec<_>>())
            .finish()
    }
}

impl OnReport for Routes {
    fn on_report(&self, report: &Report) {
        let kept = &*self.0;
        let (route, counters) = kept.routes.of(&report.route, |_| Counters::new());
        counters.count(report);
        kept.sample(&Moment::of(report));
        if report.verdict.is_warning() {
            kept.warned(route, counters, Warning::of(report));
        }
    }

    fn on_late_work(&self, work: &LateWork) {
        let kept = &*self.0;
        let (route, counters) = kept.routes.of(&work.route, |_| Counters::new());
        counters.count_late(work);
        if work.verdict.is_warning() {
            kept.sample(&Moment {
                is_warned: true,
                ..Moment::default()
            });
            kept.warned(route, counters, Warning::of_late(work));
        }
    }
}

impl Kept {
    fn warnings(&self) -> MutexGuard<'_, VecDeque<(Route, Warning)>> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warned(&self, route: &Route, counters: &Counters, warning: Warning) {
        counters.warned(warning.clone());
        let mut warnings = self.warnings();
        let same = |(known, _): &&(Route, Warning)| known == route;
        if warnings.iter().filter(same).count() == WARNINGS_OF_ROUTE {
            let oldest = warnings.iter().position(|known| same(&known));
            oldest.and_then(|oldest| warnings.remove(oldest));
        } else if warnings.len() == WARNINGS {
            warnings.pop_front();
        }
        warnings.push_back((route.clone(), warning));
    }

    fn sample(&self, moment: &Moment) {
        let second = self.began.elapsed().as_secs();
        self.seconds.record(second, moment);
        self.minutes.record(second, moment);
    }
}

/// The figures of all routes and of the process at one time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// When the listener was created, by the clock at that time.
    pub began_at: SystemTime,
    /// When the snapshot was taken, counted from the creation of the listener like [`Sample::at`].
    pub at: Duration,
    /// The process at that moment.
    pub process: Process,
    /// How many bytes the process may grow to: the limit of its cgroup, which it may share with other
    /// processes, or else the machine's memory. `None` when neither could be read.
    pub limit: Option<u64>,
    /// Which of the two limits it is.
    pub limit_kind: Option<LimitKind>,
    /// Live heap that no request owns, in bytes; `None` where blocks have no owner. Together with
    /// [`RouteHeap::live`] of all routes it adds up to [`Process::live`].
    pub nobody: Option<u64>,
    /// By live heap, the largest first, then by retained bytes, then by growth. Where blocks have owners, this
    /// includes every route that owns a byte, even one whose first request is still in flight and which counts
    /// no request yet.
    pub routes: Vec<RouteFigures>,
    /// The last 64 warnings with their routes, at most 16 per route, the newest first.
    pub warnings: Vec<(Route, Warning)>,
    /// The process second by second, over the last ten minutes, the oldest first.
    pub seconds: Vec<Sample>,
    /// The process minute by minute, over the last day, the oldest first.
    pub minutes: Vec<Sample>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::heap::RouteLive;

    pub(crate) fn counted(route: &'static str, retained: i64) -> RouteFigures {
        let mut figures = Counters::new().figures(&Route::from(route));
        figures.heap = Some(RouteHeap {
            retained,
            ..RouteHeap::default()
        });
        figures
    }

    #[test]
    fn every_route_that_owns_a_byte_is_told_and_all_of_them_add_up() {
        let of_route = |route, live, open| RouteLive {
            route: Route::from(route),
            live,
            open,
            unsent: 0,
            running: 0,
            open_requests: 0,
            oldest_running: None,
        };
        let owned = LiveByRoute {
            routes: vec![of_route("/first", 50, 50), of_route("/kept", 30, 10)],
            nobody: 7,
        };
        let mut routes = vec![counted("/kept", -99), counted("/gone", 44)];
        own(&mut routes, &owned);

        let live = |figures: &RouteFigures| figures.heap.expect("a heap").live.expect("owners");
        let sum: u64 = routes.iter().map(live).sum();
        assert_eq!(sum + owned.nobody, owned.total());
        let told = routes.iter().map(|figures| {
            let retained = figures.heap.expect("a heap").retained;
            (figures.route.as_str(), live(figures), retained)
        });
        let told: Vec<_> = told.collect();
        // The sum of past differences is dropped.
        assert_eq!(
            told,
            [("/kept", 30, 20), ("/gone", 0, 0), ("/first", 50, 0)]
        );
        assert_eq!(routes[2].requests, 0);
    }
}
