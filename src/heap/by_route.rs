use super::{
    labels,
    ring::{self, OpenRequest},
    slots,
    tag::ROUTES,
};
use crate::route::Route;
use std::time::Duration;

/// The live heap by route of the owning requests.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LiveByRoute {
    /// Each route that ever owned a byte, the largest first.
    pub routes: Vec<RouteLive>,
    /// Bytes that no request owns: connections, tasks that carry no request, start-up.
    pub nobody: u64,
}

impl LiveByRoute {
    /// All live bytes: the sum of the routes and of nobody.
    pub fn total(&self) -> u64 {
        let routes = self.routes.iter().map(|route| route.live);
        routes.fold(self.nobody, u64::saturating_add)
    }
}

/// Live heap owned by requests of one route, in bytes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RouteLive {
    /// The route; `other` stands for all beyond the first 512.
    pub route: Route,
    /// The total: memory left behind by settled requests, and memory held by open ones.
    pub live: u64,
    /// The part of `live` held by open requests: in flight, unsent, or with work still running.
    pub open: u64,
    /// The part of `open` in responses that clients have not read yet.
    pub unsent: u64,
    /// The part of `open` owned by requests whose response is gone but whose work is still running.
    pub running: u64,
    /// Requests in flight, unsent, or with work still running.
    pub open_requests: u32,
    /// The age of the oldest request whose work is still running, counted from the request's start.
    pub oldest_running: Option<Duration>,
}

/// Live heap by route, or `None` without a [`TrackingAllocator`](super::TrackingAllocator).
///
/// A block counts for the route of the request that allocated it until it is freed, whoever frees it. So a
/// route that keeps memory rises, a full cache stays level, and an entry evicted by another route comes off
/// the route that stored it. The sum is the live heap, to the byte. While other threads allocate, single
/// figures may miss memory that is changing hands, but never more than requests in flight hold.
///
/// An open connection may hold up to 1 KiB of its last request: HTTP/1 servers on hyper keep the table of
/// the response's headers for the next one.
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
    // The returned value is the only allocation here, and it is made before the summing starts. So the sum
    // equals the live heap, to the byte, for anyone who compares the two.
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
            // A negative sum is memory that is changing hands. It goes to nobody, so the total stays right.
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

/// Bytes owned by requests of `route`; `None` without a meter that knows owners. Costs a few nanoseconds per
/// thread.
pub(crate) fn live_of_route(route: &Route) -> Option<u64> {
    slots::are_counting().then(|| {
        let number = labels::number(route);
        slots::live_of(number.0.into()).max(0) as u64
    })
}
