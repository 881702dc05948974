use crate::route::{Route, RouteTable};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const WINDOW: Duration = Duration::from_secs(60);

/// How many warnings a route may write in a minute.
///
/// Consulted for warnings only, so its locks are never on the path of a quiet request.
#[derive(Debug)]
pub(super) struct RateLimit {
    allowance: u32,
    routes: RouteTable<Mutex<Minute>>,
}

/// A minute that began with a warning.
#[derive(Debug, Default)]
struct Minute {
    began: Option<Instant>,
    written: u32,
    suppressed: u64,
}

impl RateLimit {
    pub(super) fn per_minute(allowance: u32) -> Self {
        Self {
            allowance,
            routes: RouteTable::new(),
        }
    }

    /// `Some` when the warning may be written, with how many of its route were suppressed since
    /// the last one that was.
    pub(super) fn admit(&self, route: &Route, now: Instant) -> Option<u64> {
        let (_, minute) = self.routes.of(route, |_| Mutex::default());
        let mut minute = minute.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |began| now.saturating_duration_since(began) >= WINDOW;
        if minute.began.is_none_or(is_over) {
            minute.began = Some(now);
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
        let admitted = (0..5_000)
            .filter(|n| {
                let route = Route::from(Arc::from(n.to_string()));
                limit.admit(&route, now).is_some()
            })
            .count();
        assert_eq!(admitted, limit.routes.iter().count());
        assert!(
            admitted < 1_000,
            "{admitted} routes have an allowance of their own"
        );
    }

    #[test]
    fn an_allowance_of_none_writes_none() {
        assert_eq!(RateLimit::per_minute(0).admit(&ROUTE, Instant::now()), None);
    }
}
