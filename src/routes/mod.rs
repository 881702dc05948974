//! Which routes cost memory over time: [`Routes`] keeps figures of each, and of the process.

mod figures;
mod series;
mod warning;

pub use self::{
    figures::{Growth, RouteFigures},
    series::Sample,
    warning::Warning,
};

use self::{
    figures::Counters,
    series::{Moment, Series},
};
use crate::{
    heap,
    report::{LateWork, OnReport, Report},
    resident,
    route::Route,
    route_table::RouteTable,
};
use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Instant, SystemTime},
};

/// A listener that keeps figures of each route, and of the process over time.
///
/// Cloning is cheap, and clones share their figures: give one to the layer and keep one to ask.
///
/// ```
/// use tower_memory::{MemoryLayer, routes::Routes};
///
/// let routes = Routes::new();
/// let layer = MemoryLayer::new().on_report(routes.clone());
/// for figures in routes.snapshot().routes {
///     println!("{} retains {} bytes", figures.route, figures.retained);
/// }
/// ```
///
/// # Cost
///
/// Less than 1 MiB, however many paths are asked for: the first 512 routes with labels of up to 128
/// bytes are told apart, and all others are `other`. A request of a known route
/// that is not warned of takes no lock and allocates nothing.
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

/// Warnings that are remembered, whatever their route.
const WARNINGS: usize = 64;

impl Routes {
    /// No figures yet.
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
    /// Takes one reading of the process, so that its series go on where no request ends; and copies,
    /// in well under a millisecond for a few routes. No request waits for it, except that one which is
    /// warned of may wait while a warning is copied.
    pub fn snapshot(&self) -> Snapshot {
        let kept = &*self.0;
        let second = kept.second();
        kept.sample(&Moment::idle(resident::now(), heap::live_bytes()));
        let entries = kept.routes.iter();
        let mut routes: Vec<_> = entries
            .map(|(route, counted)| counted.figures(route))
            .collect();
        routes.sort_by(|a, b| {
            let weight = |figures: &RouteFigures| (figures.retained, figures.growth.sum);
            weight(b)
                .cmp(&weight(a))
                .then_with(|| a.route.as_str().cmp(b.route.as_str()))
        });
        let warnings = kept.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot {
            began_at: kept.began_at,
            limit: resident::limit(),
            routes,
            warnings: warnings.iter().rev().cloned().collect(),
            seconds: kept.seconds.samples(second),
            minutes: kept.minutes.samples(second),
        }
    }
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
        let counters = kept.routes.of(&report.route, |_| Counters::new());
        counters.count(report);
        kept.sample(&Moment::of(report));
        if report.verdict.is_warning() {
            let warning = Warning::of(report);
            counters.warned(warning.clone());
            let mut warnings = kept.warnings.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.len() == WARNINGS {
                warnings.pop_front();
            }
            warnings.push_back((report.route.clone(), warning));
        }
    }

    fn on_late_work(&self, work: &LateWork) {
        let counters = self.0.routes.of(&work.route, |_| Counters::new());
        counters.count_late(work);
    }
}

impl Kept {
    fn second(&self) -> u64 {
        self.began.elapsed().as_secs()
    }

    fn sample(&self, moment: &Moment) {
        let second = self.second();
        self.seconds.record(second, moment);
        self.minutes.record(second, moment);
    }
}

/// The figures of all routes and of the process at one time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// When the listener was made, which is where [`Sample::at`] counts from.
    pub began_at: SystemTime,
    /// What the process may grow to, in bytes: the limit of its cgroup, which it may share with other
    /// processes, or else the memory of the machine. `None` when neither could be read.
    pub limit: Option<u64>,
    /// By what they retain, the largest first, then by growth.
    pub routes: Vec<RouteFigures>,
    /// The last 64 warnings with their routes, the newest first.
    pub warnings: Vec<(Route, Warning)>,
    /// The process by the second, over the last ten minutes, the oldest first.
    pub seconds: Vec<Sample>,
    /// The process by the minute, over the last day, the oldest first.
    pub minutes: Vec<Sample>,
}
