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
pub fn live_by_route() -> Option<LiveByRoute> {
    None
}

/// What requests of `route` own, in bytes. Costs a few nanoseconds for each thread.
pub(crate) fn live_of_route(route: &Route) -> Option<u64> {
    let _ = route;
    None
}
