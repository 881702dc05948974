//! What the figures come to, for someone who has ten seconds.

use crate::{MIB, routes::Snapshot};
use bytesize::ByteSize;

pub(super) struct Advice {
    pub(super) level: Level,
    pub(super) sentence: String,
    pub(super) next_step: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Fine,
    Watch,
    Urgent,
}

impl Level {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Watch => "watch",
            Self::Urgent => "urgent",
        }
    }
}

/// Less than this needs no advice, unless it is near the limit.
const NOTABLE: u64 = 100 * MIB;

pub(super) fn advise(snapshot: &Snapshot) -> Advice {
    let process = snapshot.process;
    let Some(resident) = process.resident else {
        return Advice {
            level: Level::Watch,
            sentence: "The resident set can't be read".into(),
            next_step: Some("The log says why, once: look for target tower_memory".into()),
        };
    };
    let warnings = warnings(snapshot);
    let mut sentence = format!("{} resident", ByteSize(resident.total));
    let mut level = match warnings {
        0 => Level::Fine,
        _ => Level::Watch,
    };
    if let Some(limit) = snapshot.limit {
        let percent = resident.total.saturating_mul(100) / limit.max(1);
        sentence += &format!(" of {} ({percent} %)", ByteSize(limit));
        level = level.max(match percent {
            // As the alert rules have it.
            90.. => Level::Urgent,
            80.. => Level::Watch,
            _ => Level::Fine,
        });
    }
    let most = match (process.live, process.held()) {
        (Some(live), Some(held)) => {
            let shared = resident.shared;
            sentence += &format!(
                ": {} in use, {} held by the allocator, {} of files",
                ByteSize(live),
                ByteSize(held),
                ByteSize(shared)
            );
            let parts = [
                (live, Part::Live),
                (held, Part::Held),
                (shared, Part::Shared),
            ];
            parts.into_iter().max_by_key(|(bytes, _)| *bytes)
        }
        _ => {
            sentence += ", and no heap meter tells what of it is in use";
            None
        }
    };
    match warnings {
        0 => {}
        1 => sentence += ". One warning in the last ten minutes",
        many => sentence += &format!(". {many} warnings in the last ten minutes"),
    }
    let next_step = match most {
        None => Some("Install a heap meter, two lines: tower_memory::heap".into()),
        Some((bytes, part)) if bytes >= NOTABLE || level == Level::Urgent => {
            Some(part.next_step(bytes, snapshot))
        }
        Some(_) => newest_step(snapshot).filter(|_| warnings > 0),
    };
    Advice {
        level,
        sentence,
        next_step,
    }
}

/// Those of the last ten minutes, which is as long as the series by the second.
fn warnings(snapshot: &Snapshot) -> u64 {
    let seconds = snapshot.seconds.iter();
    seconds.map(|sample| u64::from(sample.warnings)).sum()
}

/// What the newest warning advises.
fn newest_step(snapshot: &Snapshot) -> Option<String> {
    let (route, warning) = snapshot.warnings.first()?;
    Some(format!("{route}: {}", warning.verdict.next_step()?))
}

/// What resident memory can be.
#[derive(Clone, Copy)]
enum Part {
    Live,
    Held,
    Shared,
}

impl Part {
    fn next_step(self, bytes: u64, snapshot: &Snapshot) -> String {
        match self {
            Self::Live => of_live(bytes, snapshot),
            Self::Held => "Most of it is freed pages that the allocator keeps, or memory of C libraries: consider reclaim, MALLOC_ARENA_MAX, or jemalloc".into(),
            Self::Shared => "Most of it is files or shared memory: the kernel takes pages of files back when memory is short".into(),
        }
    }
}

/// Routes are sorted by what they retain.
fn of_live(live: u64, snapshot: &Snapshot) -> String {
    let retained = snapshot.routes.iter().filter_map(|figures| {
        let retained = u64::try_from(figures.heap?.retained).ok()?;
        (retained > 0).then_some((figures, retained))
    });
    let retained: Vec<_> = retained.collect();
    let by_routes: u64 = retained.iter().map(|(_, bytes)| bytes).sum();
    match retained.first() {
        Some((most, bytes)) if *bytes >= live / 4 => format!(
            "Most of it is in use. {} retained {} in {}: look for what it stores, and whether each request adds to it",
            most.route,
            ByteSize(*bytes),
            match most.requests {
                1 => "one request".into(),
                many => format!("{many} requests"),
            }
        ),
        Some(_) if by_routes >= live / 2 => format!(
            "Most of it is in use. {} routes retained {} together: look for what they store",
            retained.len(),
            ByteSize(by_routes)
        ),
        _ => "Most of it is in use, and little of it was retained by requests: look at what runs beside them, and at what the process loaded when it began"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Resident, Route,
        routes::{Growth, Process, RouteFigures, RouteHeap, Routes},
    };

    /// With no route, and sizes in MiB.
    fn snapshot(shared: u64, live: Option<u64>, held: u64, limit: u64) -> Snapshot {
        let total = shared + live.unwrap_or(0) + held;
        let mut snapshot = Routes::new().snapshot();
        snapshot.process = Process {
            resident: Some(Resident::new(total * MIB, shared * MIB)),
            live: live.map(|live| live * MIB),
        };
        snapshot.limit = Some(limit * MIB);
        snapshot
    }

    fn said(snapshot: &Snapshot) -> String {
        let advice = advise(snapshot);
        let next_step = advice.next_step.unwrap_or_default();
        format!("{}|{}|{next_step}", advice.level.as_str(), advice.sentence)
    }

    fn assert_advises(snapshot: &Snapshot, part: &str) {
        let said = said(snapshot);
        assert!(said.contains(part), "{said}");
    }

    #[test]
    fn a_small_process_needs_nothing() {
        assert_eq!(
            said(&snapshot(5, Some(20), 35, 2048)),
            "fine|60.0 MiB resident of 2.0 GiB (2 %): 20.0 MiB in use, 35.0 MiB held by the allocator, 5.0 MiB of files|"
        );
    }

    #[test]
    fn the_largest_part_says_what_to_do() {
        assert_advises(&snapshot(5, Some(20), 880, 2048), "consider reclaim");
        assert_advises(&snapshot(880, Some(20), 30, 2048), "the kernel takes");
        assert_advises(
            &snapshot(5, Some(880), 30, 2048),
            "little of it was retained",
        );
        assert_advises(&snapshot(5, None, 880, 2048), "Install a heap meter");
    }

    #[test]
    fn a_small_process_near_its_limit_is_told_what_to_do() {
        let said = said(&snapshot(10, Some(60), 50, 128));
        assert!(said.starts_with("urgent|120.0 MiB"), "{said}");
        assert!(said.contains("|Most of it is in use"), "{said}");
    }

    #[test]
    fn routes_that_retained_most_of_it_are_named_or_counted() {
        let mut of_many = snapshot(5, Some(1600), 30, 4096);
        of_many.routes = vec![upload(80); 20];
        assert_advises(&of_many, "20 routes retained 1.6 GiB together");
        of_many.routes = vec![upload(1200)];
        assert_advises(&of_many, "/upload retained 1.2 GiB in 7 requests");
    }

    fn upload(retained: u64) -> RouteFigures {
        RouteFigures {
            route: Route::from("/upload"),
            requests: 7,
            overlapping: 0,
            outcomes: vec![],
            verdicts: vec![],
            growth: Growth::default(),
            shrink: 0,
            heap: Some(RouteHeap {
                retained: (retained * MIB).cast_signed(),
                ..RouteHeap::default()
            }),
            late: 0,
            last_warning: None,
        }
    }

    #[test]
    fn the_level_rises_with_the_share_of_the_limit() {
        let level = |live| advise(&snapshot(0, Some(live), 0, 1000)).level;
        assert_eq!(
            [799, 800, 899, 900].map(level),
            [Level::Fine, Level::Watch, Level::Watch, Level::Urgent]
        );
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let mut unread = snapshot(1, None, 1, 1);
        unread.process.resident = None;
        assert_advises(&unread, "watch|The resident set can't be read|");
    }
}
