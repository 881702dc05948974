use super::{
    labels,
    ring::{self, OpenRequest},
    slots,
};
use crate::route::Route;
use std::time::Duration;

/// The live heap, by the routes whose requests own it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LiveByRoute {
    /// Each route that ever owned a byte, the largest first.
    pub routes: Vec<RouteLive>,
    /// Bytes that no request owns: of connections, of tasks that carry no request, of start-up.
    pub nobody: u64,
}

impl LiveByRoute {
    /// All live bytes: those of the routes and of nobody.
    pub fn total(&self) -> u64 {
        let routes = self.routes.iter().map(|route| route.live);
        routes.fold(self.nobody, u64::saturating_add)
    }
}

/// Live heap that requests of one route own, in bytes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RouteLive {
    /// The route; `other` stands for all beyond the first 512.
    pub route: Route,
    /// All of it: what settled requests left behind, and what open ones hold.
    pub live: u64,
    /// What of it open requests hold: in flight, unsent, or in use by work that still runs.
    pub open: u64,
    /// What of `open` belongs to responses that their clients have not read yet.
    pub unsent: u64,
    /// What of `open` belongs to requests whose response is gone, but whose work still runs.
    pub running: u64,
    /// Requests that are in flight, unsent or have work that still runs.
    pub open_requests: u32,
    /// How long the oldest of those whose work still runs has been running since its request began.
    pub oldest_running: Option<Duration>,
}

/// Live heap by route, or `None` where no [`TrackingAllocator`](super::TrackingAllocator) counts.
///
/// A block counts for the route of the request that allocated it, whoever frees it, until then. So a
/// route that keeps something rises, a cache that is full stays, and what another route evicts comes
/// off the one that stored it. The sum of all is the live heap, to the byte; while other threads
/// allocate, single figures may miss what moves meanwhile, which is never more than requests in flight
/// hold.
///
/// A connection that is kept open may hold up to 1 KiB of its last request: HTTP/1 servers on hyper keep the
/// table of the response's headers for the next one.
///
/// ```
/// use tower_memory::heap::{TrackingAllocator, live_by_route};
///
/// #[global_allocator]
/// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
///
/// if let Some(live) = live_by_route() {
///     for route in &live.routes {
///         println!("{} has {} bytes", route.route, route.live);
///     }
///     println!("nobody has {} bytes", live.nobody);
/// }
/// ```
///
/// # Cost
///
/// A sum over the tables of all threads, some hundred microseconds, and an allocation: for pages and
/// metrics, not for requests.
pub fn live_by_route() -> Option<LiveByRoute> {
    if !slots::are_counting() {
        return None;
    }
    let labels: Vec<_> = labels::all().collect();
    let last = labels.iter().map(|(_, number)| usize::from(number.0));
    let sums = slots::live_by_number(last.max().map_or(1, |last| last + 1));
    let mut nobody = sums[0];
    let mut routes = Vec::with_capacity(labels.len());
    let mut numbered = vec![None; sums.len()];
    for (route, number) in labels {
        let sum = sums[usize::from(number.0)];
        // What can't be below zero is off by what moves meanwhile, so that the sum stays true.
        nobody += sum.min(0);
        numbered[usize::from(number.0)] = Some(routes.len());
        routes.push(RouteLive {
            route: route.clone(),
            live: sum.max(0).cast_unsigned(),
            open: 0,
            unsent: 0,
            running: 0,
            open_requests: 0,
            oldest_running: None,
        });
    }
    for request in ring::open_requests() {
        let known = numbered.get(request.route).copied().flatten();
        if let Some(route) = known.and_then(|at: usize| routes.get_mut(at)) {
            route.add(&request);
        }
    }
    routes.sort_by(|a, b| {
        let by_name = || a.route.as_str().cmp(b.route.as_str());
        b.live.cmp(&a.live).then_with(by_name)
    });
    Some(LiveByRoute {
        routes,
        nobody: nobody.max(0).cast_unsigned(),
    })
}

impl RouteLive {
    fn add(&mut self, request: &OpenRequest) {
        self.open_requests += 1;
        self.open = self.open.saturating_add(request.live).min(self.live);
        self.unsent = self.unsent.saturating_add(request.unsent).min(self.live);
        if request.is_working {
            let running = request.live - request.unsent;
            self.running = self.running.saturating_add(running).min(self.live);
            let age = Duration::from_millis(request.age_ms.into());
            self.oldest_running = self.oldest_running.max(Some(age));
        }
    }
}

/// What requests of `route` own, in bytes; `None` where no allocator knows. Costs a few nanoseconds for each
/// thread.
pub(crate) fn live_of_route(route: &Route) -> Option<u64> {
    slots::are_counting().then(|| {
        let number = labels::number(route);
        slots::live_of(number.0.into()).max(0).cast_unsigned()
    })
}
