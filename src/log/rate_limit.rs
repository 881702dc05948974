use crate::route::Route;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);

/// Routes with an allowance of their own; the rest share one, so that no label can grow the table.
const ROUTES: usize = 512;

/// How many warnings a route may write in a minute.
///
/// Asked only about warnings, so that its lock is never on the path of a quiet request.
#[derive(Debug)]
pub(super) struct RateLimit {
    allowance: u32,
    routes: Mutex<HashMap<Route, Minute>>,
}

/// A minute that began with a warning.
#[derive(Debug)]
struct Minute {
    began: Instant,
    written: u32,
    suppressed: u64,
}

impl RateLimit {
    pub(super) fn per_minute(allowance: u32) -> Self {
        Self {
            allowance,
            routes: Mutex::default(),
        }
    }

    /// `Some` when the warning may be written, with how many of its route were suppressed since
    /// the last one that was.
    pub(super) fn admit(&self, route: &Route, now: Instant) -> Option<u64> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = routes.len() < ROUTES || routes.contains_key(route);
        let route = if known { route } else { &Route::OTHER };
        // Not `entry`, which would clone the route each time.
        if !routes.contains_key(route) {
            routes.insert(route.clone(), Minute::beginning(now));
        }
        let minute = routes.get_mut(route)?;
        if now.saturating_duration_since(minute.began) >= WINDOW {
            minute.began = now;
            minute.written = 0;
        }
        if minute.written >= self.allowance {
            minute.suppressed += 1;
            return None;
        }
        minute.written += 1;
        Some(std::mem::take(&mut minute.suppressed))
    }
}

impl Minute {
    fn beginning(now: Instant) -> Self {
        Self {
            began: now,
            written: 0,
            suppressed: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const ROUTE: Route = Route::UNMATCHED;

    #[test]
    fn the_first_warning_after_a_full_minute_tells_how_many_were_suppressed() {
        let limit = RateLimit::per_minute(2);
        let start = Instant::now();
        let at = |seconds| limit.admit(&ROUTE, start + Duration::from_secs(seconds));
        assert_eq!([at(0), at(10)], [Some(0), Some(0)]);
        assert_eq!([at(20), at(30), at(59)], [None, None, None]);
        assert_eq!([at(60), at(61)], [Some(3), Some(0)]);
    }

    #[test]
    fn one_route_does_not_use_up_the_allowance_of_another() {
        let limit = RateLimit::per_minute(1);
        let now = Instant::now();
        assert_eq!(limit.admit(&Route::from("/a"), now), Some(0));
        assert_eq!(limit.admit(&Route::from("/a"), now), None);
        assert_eq!(limit.admit(&Route::from("/b"), now), Some(0));
    }

    #[test]
    fn routes_beyond_the_cap_share_one_allowance() {
        let limit = RateLimit::per_minute(1);
        let now = Instant::now();
        let admitted = (0..10 * ROUTES)
            .filter(|n| {
                let route = Route::from(Arc::from(n.to_string()));
                limit.admit(&route, now).is_some()
            })
            .count();
        assert_eq!(admitted, ROUTES + 1);
        assert_eq!(limit.routes.lock().expect("not poisoned").len(), ROUTES + 1);
    }

    #[test]
    fn an_allowance_of_none_writes_none() {
        assert_eq!(RateLimit::per_minute(0).admit(&ROUTE, Instant::now()), None);
    }
}
