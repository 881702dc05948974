//! What the figures come to, for someone who has ten seconds.

use crate::{MIB, routes::Snapshot};
use bytesize::ByteSize;
use std::time::{Duration, SystemTime};

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

/// Less than this is nobody's trouble.
const NOTABLE: u64 = 100 * MIB;

/// How long a warning is news.
const RECENT: Duration = Duration::from_secs(600);

pub(super) fn advise(snapshot: &Snapshot, now: SystemTime) -> Advice {
    let sample = snapshot.seconds.last();
    let Some((sample, resident)) = sample.and_then(|sample| Some((sample, sample.resident?)))
    else {
        return Advice {
            level: Level::Watch,
            sentence: "The resident set can't be read".into(),
            next_step: Some("The log says why, once: look for target tower_memory".into()),
        };
    };
    let mut sentence = format!("{} resident", ByteSize(resident));
    let mut level = Level::Fine;
    if let Some(limit) = snapshot.limit {
        let percent = resident.saturating_mul(100) / limit.max(1);
        sentence += &format!(" of {} ({percent} %)", ByteSize(limit));
        level = match percent {
            // As the alert rules have it.
            90.. => Level::Urgent,
            80.. => Level::Watch,
            _ => Level::Fine,
        };
    }
    let next_step = match (sample.live, sample.held) {
        (Some(live), Some(held)) => {
            sentence += &format!(": {} in use, {} held", ByteSize(live), ByteSize(held));
            if held > live {
                of_held(held)
            } else {
                of_live(snapshot, live)
            }
        }
        _ => {
            sentence += ", and no heap meter tells what of it is in use";
            Some("Install a heap meter, two lines: tower_memory::heap".into())
        }
    };
    let is_recent = |at| now.duration_since(at).is_ok_and(|age| age < RECENT);
    match snapshot
        .warnings
        .iter()
        .filter(|(_, warning)| is_recent(warning.at))
        .count()
    {
        0 => {}
        1 => sentence += ". One warning in the last ten minutes",
        many => sentence += &format!(". {many} warnings in the last ten minutes"),
    }
    if snapshot
        .warnings
        .first()
        .is_some_and(|(_, warning)| is_recent(warning.at))
    {
        level = level.max(Level::Watch);
    }
    Advice {
        level,
        sentence,
        next_step,
    }
}

fn of_held(held: u64) -> Option<String> {
    (held >= NOTABLE).then(|| {
        "Most of it is freed pages that the allocator keeps, or memory of C libraries: consider reclaim, MALLOC_ARENA_MAX, or jemalloc".into()
    })
}

fn of_live(snapshot: &Snapshot, live: u64) -> Option<String> {
    if live < NOTABLE {
        return None;
    }
    let most = snapshot.routes.first();
    let most = most.filter(|most| most.retained >= NOTABLE.cast_signed());
    Some(match most {
        Some(most) => format!(
            "Most of it is in use. {} retained {} in {}: look for what it stores, and whether each request adds to it",
            most.route,
            ByteSize(most.retained.unsigned_abs()),
            match most.requests {
                1 => "one request".into(),
                many => format!("{many} requests"),
            }
        ),
        None => {
            "Most of it is in use, and no route retained it: look at what runs beside the requests"
                .into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Sample;

    fn snapshot(resident: u64, live: Option<u64>, limit: u64) -> Snapshot {
        let sample = Sample {
            at: Duration::ZERO,
            resident: Some(resident * MIB),
            live: live.map(|live| live * MIB),
            held: live.map(|live| (resident - live) * MIB),
            in_flight: 0,
        };
        Snapshot {
            began_at: SystemTime::UNIX_EPOCH,
            limit: Some(limit * MIB),
            routes: vec![],
            warnings: vec![],
            seconds: vec![sample],
            minutes: vec![sample],
        }
    }

    fn advice(snapshot: &Snapshot) -> (Level, String) {
        let advice = advise(snapshot, SystemTime::now());
        (
            advice.level,
            format!(
                "{}|{}",
                advice.sentence,
                advice.next_step.unwrap_or_default()
            ),
        )
    }

    #[test]
    fn a_small_process_needs_nothing() {
        let (level, said) = advice(&snapshot(60, Some(20), 2048));
        assert_eq!(level, Level::Fine);
        assert_eq!(
            said,
            "60.0 MiB resident of 2.0 GiB (2 %): 20.0 MiB in use, 40.0 MiB held|"
        );
    }

    #[test]
    fn pages_that_the_allocator_keeps_are_told_from_what_is_in_use() {
        assert!(
            advice(&snapshot(900, Some(20), 2048))
                .1
                .contains("consider reclaim")
        );
        assert!(
            advice(&snapshot(900, Some(800), 2048))
                .1
                .contains("Most of it is in use")
        );
        assert!(
            advice(&snapshot(900, None, 2048))
                .1
                .contains("no heap meter")
        );
    }

    #[test]
    fn the_level_rises_with_the_share_of_the_limit() {
        let level = |resident| advice(&snapshot(resident, Some(resident), 1000)).0;
        assert_eq!(
            [799, 800, 899, 900].map(level),
            [Level::Fine, Level::Watch, Level::Watch, Level::Urgent]
        );
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let mut unread = snapshot(1, None, 1);
        unread.seconds[0].resident = None;
        assert!(
            advice(&unread)
                .1
                .starts_with("The resident set can't be read|")
        );
    }
}
