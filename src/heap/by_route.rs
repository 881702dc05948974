use super::{
    labels,
    ring::{self, OpenRequest},
    slots,
    tag::ROUTES,
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
    // All that is allocated here is what is returned, and it is there before anything is summed up: so the
    // sum holds to the byte for whoever compares it with the live heap.
    let mut routes = Vec::with_capacity(labels::all().count() + 1);
    let mut numbers = [0; ROUTES];
    let mut last = 0;
    for (route, number) in labels::all() {
        numbers[usize::from(number.0)] = routes.len() + 1;
        last = last.max(usize::from(number.0));
        routes.push(RouteLive {
            route: route.clone(),
            live: 0,
            open: 0,
            unsent: 0,
            running: 0,
            open_requests: 0,
            oldest_running: None,
        });
    }
    let mut sums = [0; ROUTES];
    slots::live_by_number(&mut sums[..=last]);
    let mut nobody = sums[0];
    for (sum, number) in sums.iter().zip(&numbers) {
        if let Some(route) = number
            .checked_sub(1)
            .and_then(|at: usize| routes.get_mut(at))
        {
            // What can't be below zero is off by what moves meanwhile, so that the sum stays true.
            nobody += sum.min(&0);
            route.live = (*sum).max(0) as u64;
        }
    }
    for request in ring::open_requests() {
        let number = numbers.get(request.route).copied().unwrap_or(0);
        if let Some(route) = number.checked_sub(1).and_then(|at| routes.get_mut(at)) {
            route.add(&request);
        }
    }
    routes.sort_unstable_by(|a: &RouteLive, b: &RouteLive| {
        let by_name = || a.route.as_str().cmp(b.route.as_str());
        b.live.cmp(&a.live).then_with(by_name)
    });
    Some(LiveByRoute {
        routes,
        nobody: nobody.max(0) as u64,
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
        slots::live_of(number.0.into()).max(0) as u64
    })
}
