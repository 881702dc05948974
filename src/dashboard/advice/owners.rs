//! The owners of the live heap, for when it is the largest part.

use super::{Finding, percent, requests};
use crate::routes::{RouteFigures, RouteHeap, Snapshot};
use bytesize::ByteSize;
use std::time::Duration;

pub(super) fn finding(snapshot: &Snapshot, live: u64) -> Finding {
    match snapshot.nobody {
        Some(nobody) => of_owners(snapshot, live, nobody),
        None => of_differences(snapshot, live),
    }
}

fn of_owners(snapshot: &Snapshot, live: u64, nobody: u64) -> Finding {
    let owned = |figures: &RouteFigures| figures.heap.and_then(|heap| heap.live).unwrap_or(0);
    let by_routes: u64 = snapshot.routes.iter().map(owned).sum();
    // They are sorted by live heap.
    let most = snapshot.routes.first();
    match most.and_then(|most| Some((most, most.heap?))) {
        Some((most, heap)) if owned(most) > nobody && owned(most) >= live / 4 => {
            of_route(most, &heap, owned(most), live)
        }
        Some((most, heap)) if by_routes > nobody => {
            let owners = snapshot.routes.iter().filter(|route| owned(route) > 0);
            let (count, bytes) = (owners.count(), ByteSize(by_routes));
            let share = percent(by_routes, live);
            let (route, its) = (&most.route, ByteSize(owned(most)));
            let headline = format!(
                "{count} routes own {bytes} together, {share} % of the live heap; {route} the most, {its}"
            );
            (headline, Kind::largest(&heap, owned(most)).next_step().into())
        }
        _ => (
            format!(
                "No request owns {}, {} % of the live heap: connections, start-up, tasks that carry no request",
                ByteSize(nobody),
                percent(nobody, live)
            ),
            "If it keeps rising, carry CurrentRequest into spawned tasks, and copy the small Bytes and header values that you keep: each pins a whole read buffer".into(),
        ),
    }
}

/// The state of a route's live heap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kept,
    Unsent,
    Running,
    InFlight,
}

impl Kind {
    /// All of them with their bytes, which add up to the route's live heap.
    fn all(heap: &RouteHeap, live: u64) -> [(Self, u64); 4] {
        let kept = u64::try_from(heap.retained).unwrap_or(0).min(live);
        let unsent = heap.unsent.min(live - kept);
        let running = heap.running.min(live - kept - unsent);
        let in_flight = live - kept - unsent - running;
        [
            (Self::Kept, kept),
            (Self::Unsent, unsent),
            (Self::Running, running),
            (Self::InFlight, in_flight),
        ]
    }

    fn largest(heap: &RouteHeap, live: u64) -> Self {
        let all = Self::all(heap, live);
        let largest = all.into_iter().max_by_key(|(_, bytes)| *bytes);
        largest.map_or(Self::Kept, |(kind, _)| kind)
    }

    fn sentence(self, bytes: u64, oldest: Option<Duration>) -> String {
        let bytes = ByteSize(bytes);
        match self {
            Self::Kept => format!("{bytes} kept after its responses"),
            Self::Unsent => format!("{bytes} of responses that clients have not read yet"),
            Self::Running => {
                let age = oldest.map(|age| format!(", the oldest for {}", told(age)));
                let age = age.unwrap_or_default();
                format!("{bytes} in use by background work{age}")
            }
            Self::InFlight => format!("{bytes} in use by requests in flight"),
        }
    }

    const fn next_step(self) -> &'static str {
        match self {
            Self::Kept => {
                "Look for what it stores (a cache, a session, a queue), and whether each request adds to it"
            }
            Self::Unsent => "Consider streaming the response, or a timeout for slow clients",
            Self::Running => "Look at what its spawned work holds, and whether it ends",
            Self::InFlight => "Consider streaming, or a limit on how many run at once",
        }
    }
}

fn of_route(figures: &RouteFigures, heap: &RouteHeap, owned: u64, live: u64) -> Finding {
    let kinds = Kind::all(heap, owned).into_iter();
    // Less than a hundredth is noise.
    let kinds = kinds.filter(|(_, bytes)| *bytes > owned / 100);
    let kinds = kinds.map(|(kind, bytes)| kind.sentence(bytes, heap.oldest_running));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    let headline = format!(
        "{} owns {}, {} % of the live heap: {kinds}",
        figures.route,
        ByteSize(owned),
        percent(owned, live)
    );
    (headline, Kind::largest(heap, owned).next_step().into())
}

/// Rounded, as a person would say it.
fn told(age: Duration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}

/// Where blocks have no owner: by each request's retained bytes, which drift.
fn of_differences(snapshot: &Snapshot, live: u64) -> Finding {
    let retained = snapshot.routes.iter().filter_map(|figures| {
        let retained = u64::try_from(figures.heap?.retained).ok()?;
        (retained > 0).then_some((figures, retained.min(live)))
    });
    let retained: Vec<_> = retained.collect();
    let by_routes = retained
        .iter()
        .map(|(_, bytes)| bytes)
        .sum::<u64>()
        .min(live);
    let (headline, next_step) = match retained.first() {
        Some((most, bytes)) if *bytes >= live / 4 => (
            format!(
                "{} retained {} in {}",
                most.route,
                ByteSize(*bytes),
                requests(most.requests)
            ),
            "Look for what it stores, and whether each request adds to it",
        ),
        Some((most, bytes)) if by_routes >= live / 2 => (
            format!(
                "{} routes retained {} together; {} the most, {}",
                retained.len(),
                ByteSize(by_routes),
                most.route,
                ByteSize(*bytes)
            ),
            "Look for what they store",
        ),
        _ => (
            format!(
                "{} is in use, little of it retained by requests",
                ByteSize(live)
            ),
            "Look at background tasks, and at data that the process loaded at start-up",
        ),
    };
    (headline, next_step.into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{assert_advises, snapshot};
    use crate::{
        MIB,
        routes::{RouteFigures, RouteHeap, tests::counted},
    };
    use std::time::Duration;

    fn mib(mib: u64) -> i64 {
        (mib * MIB) as i64
    }

    #[test]
    fn routes_that_retained_most_of_it_are_named_or_counted() {
        let mut of_many = snapshot(5, Some(1600), 30, 4096);
        let upload = |retained| {
            let mut upload = counted("/upload", mib(retained));
            upload.requests = 7;
            upload
        };
        of_many.routes = vec![upload(80); 20];
        assert_advises(
            &of_many,
            "|20 routes retained 1.6 GiB together; /upload the most, 80.0 MiB|",
        );
        of_many.routes = vec![upload(1200)];
        assert_advises(&of_many, "|/upload retained 1.2 GiB in 7 requests|");
        of_many.routes = vec![upload(9000)];
        assert_advises(&of_many, "|/upload retained 1.6 GiB in 7 requests|");
        of_many.routes.clear();
        assert_advises(&of_many, "little of it retained by requests");
    }

    fn owner(route: &'static str, live: u64, kept: u64) -> RouteFigures {
        let mut figures = counted(route, mib(kept));
        figures.heap = figures.heap.map(|heap| RouteHeap {
            live: Some(live * MIB),
            ..heap
        });
        figures
    }

    #[test]
    fn the_route_with_most_live_heap_leads_with_what_that_is_for() {
        let mut of_one = snapshot(5, Some(1000), 30, 4096);
        of_one.nobody = Some(20 * MIB);
        of_one.routes = vec![owner("/leak", 960, 960), owner("/other", 20, 20)];
        assert_advises(
            &of_one,
            "|/leak owns 960.0 MiB, 96 % of the live heap: 960.0 MiB kept after its responses|",
        );
        assert_advises(&of_one, "|Look for what it stores");
        let heap = of_one.routes[0].heap.as_mut().expect("a heap");
        heap.retained = mib(60);
        heap.unsent = 100 * MIB;
        heap.running = 500 * MIB;
        heap.oldest_running = Some(Duration::from_secs(200));
        assert_advises(
            &of_one,
            ": 60.0 MiB kept after its responses, 100.0 MiB of responses that clients have not read yet, 500.0 MiB in use by background work, the oldest for 3 min, 300.0 MiB in use by requests in flight|",
        );
        assert_advises(&of_one, "|Look at what its spawned work holds");
    }

    #[test]
    fn many_owners_are_counted_and_the_first_is_named() {
        let mut of_many = snapshot(5, Some(1000), 30, 4096);
        of_many.nobody = Some(200 * MIB);
        of_many.routes = vec![owner("/a", 80, 80); 10];
        assert_advises(
            &of_many,
            "|10 routes own 800.0 MiB together, 80 % of the live heap; /a the most, 80.0 MiB|",
        );
    }

    #[test]
    fn what_nobody_owns_is_called_that() {
        let mut of_nobody = snapshot(5, Some(1000), 30, 4096);
        of_nobody.nobody = Some(900 * MIB);
        of_nobody.routes = vec![owner("/a", 100, 100)];
        assert_advises(
            &of_nobody,
            "|No request owns 900.0 MiB, 90 % of the live heap",
        );
        assert_advises(&of_nobody, "each pins a whole read buffer");
    }
}
