//! Live heap by route, in a form for comparing.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tower_memory::heap::{live_by_route, live_bytes};

/// The time within which the server has to come to rest.
const DEADLINE: Duration = Duration::from_secs(60);

/// Live heap by route, as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) routes: BTreeMap<String, u64>,
    pub(crate) nobody: u64,
    pub(crate) sum: u64,
    pub(crate) live: u64,
    /// Requests.
    pub(crate) open: u32,
}

impl Live {
    pub(crate) fn of(&self, route: &str) -> i64 {
        self.routes.get(route).copied().unwrap_or(0) as i64
    }
}

pub(crate) fn live() -> Live {
    let by_route = live_by_route().expect("an allocator counts");
    let routes = by_route.routes.iter();
    let open = routes.clone().map(|route| route.open_requests).sum();
    // To the byte, if nothing is allocated in between.
    let (sum, live) = (by_route.total(), live_bytes().expect("an allocator counts"));
    Live {
        routes: routes
            .map(|route| (route.route.to_string(), route.live))
            .collect(),
        nobody: by_route.nobody,
        sum,
        live,
        open,
    }
}

/// The eventual result of `look`; fails with its last message when the time is up.
#[track_caller]
pub(crate) fn wait_until<T>(mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(Instant::now() < end, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
