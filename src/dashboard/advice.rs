//! What the figures come to, for someone who has ten seconds.

mod owners;

use crate::{
    MIB,
    reclaim::Found,
    routes::{LimitKind, Process, RouteFigures, Snapshot},
};
use bytesize::ByteSize;

pub(super) struct Advice {
    pub(super) level: Level,
    /// What matters most, with the route where one does; `None` while nothing is worth it.
    pub(super) headline: Option<String>,
    /// What is resident, and of what it consists.
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

/// A headline and the step that follows from it.
type Finding = (String, String);

pub(super) fn advise(snapshot: &Snapshot, allocators: Found) -> Advice {
    let Some(resident) = snapshot.process.resident else {
        return Advice {
            level: Level::Watch,
            headline: None,
            sentence: "The resident set can't be read".into(),
            next_step: Some("The log says why, once: look for target tower_memory".into()),
        };
    };
    let warnings = warnings(snapshot);
    let mut level = match warnings {
        0 => Level::Fine,
        _ => Level::Watch,
    };
    let mut sentence = format!("{} resident", ByteSize(resident.total));
    if let Some(limit) = snapshot.limit {
        let percent = percent(resident.total, limit);
        let of = match snapshot.limit_kind {
            Some(LimitKind::Machine) => "the machine's",
            _ => "its limit of",
        };
        sentence += &format!(" of {of} {} ({percent} %)", ByteSize(limit));
        level = level.max(match percent {
            // As the alert rules have it.
            90.. => Level::Urgent,
            80.. => Level::Watch,
            _ => Level::Fine,
        });
    }
    let parts = Parts::of(snapshot.process);
    match &parts {
        Some(parts) => sentence += &parts.sentence(),
        None => sentence += "; without a heap meter, live heap can't be told from freed pages",
    }
    match warnings {
        0 => {}
        1 => sentence += ". One warning in the last ten minutes",
        many => sentence += &format!(". {many} warnings in the last ten minutes"),
    }
    let is_notable = |bytes| bytes >= NOTABLE || level == Level::Urgent;
    let finding = parts
        .filter(|parts| is_notable(parts.largest()))
        .map(|parts| parts.finding(snapshot, allocators));
    let (headline, next_step) = match finding {
        Some((headline, next_step)) => (Some(headline), Some(next_step)),
        None if snapshot.process.live.is_none() => {
            let meter = "Install a heap meter, two lines: tower_memory::heap";
            (None, Some(meter.into()))
        }
        None => (None, newest_step(snapshot).filter(|_| warnings > 0)),
    };
    Advice {
        level,
        headline,
        sentence,
        next_step,
    }
}

fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100) / whole.max(1)
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

/// What the resident set consists of, in bytes; the first three add up to it.
struct Parts {
    /// Live heap, as far as it can be resident.
    in_use: u64,
    /// Anonymous memory beyond the live heap.
    held: u64,
    shared: u64,
    /// Live heap beyond all anonymous memory: nothing has been written to it yet.
    untouched: u64,
}

impl Parts {
    fn of(process: Process) -> Option<Self> {
        let (resident, live) = (process.resident?, process.live?);
        let anonymous = resident.anonymous();
        let in_use = live.min(anonymous);
        Some(Self {
            in_use,
            held: anonymous - in_use,
            shared: resident.total - anonymous,
            untouched: live - in_use,
        })
    }

    fn sentence(&self) -> String {
        let [in_use, held, shared] = [self.in_use, self.held, self.shared].map(ByteSize);
        let mut sentence =
            format!(": {in_use} in use, {held} freed pages, stacks and C code, {shared} files");
        if self.untouched > 0 {
            let untouched = ByteSize(self.untouched);
            sentence += &format!("; another {untouched} is reserved but untouched");
        }
        sentence
    }

    fn largest(&self) -> u64 {
        self.in_use.max(self.held).max(self.shared)
    }

    fn finding(&self, snapshot: &Snapshot, allocators: Found) -> Finding {
        let largest = self.largest();
        if largest == self.in_use {
            return owners::finding(snapshot, self.in_use + self.untouched);
        }
        let bytes = ByteSize(largest);
        if largest == self.held {
            return (
                format!(
                    "{bytes} is freed pages that the allocator keeps, thread stacks or C code{}",
                    most_growth(snapshot, "allocator_held")
                ),
                format!("If it stays, {}", allocators.next_step()),
            );
        }
        (
            format!(
                "{bytes} is files or shared memory{}",
                most_growth(snapshot, "mapped")
            ),
            "The kernel takes pages of files back when memory is short".into(),
        )
    }
}

/// The route that grew the process most among those of which this was said.
fn most_growth(snapshot: &Snapshot, verdict: &str) -> String {
    let is_said = |figures: &&RouteFigures| {
        let mut verdicts = figures.verdicts.iter();
        verdicts.any(|(name, _)| *name == verdict)
    };
    let routes = snapshot.routes.iter().filter(is_said);
    let most = routes.max_by_key(|figures| figures.growth.sum);
    most.map_or_else(String::new, |most| {
        let (route, grew) = (&most.route, ByteSize(most.growth.sum));
        let requests = requests(most.requests);
        format!("; {route} grew the process most: {grew} in {requests}")
    })
}

fn requests(count: u64) -> String {
    match count {
        1 => "one request".into(),
        many => format!("{many} requests"),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        Resident,
        routes::{Routes, tests::counted},
    };

    pub(super) const GLIBC: Found = Found {
        glibc: true,
        jemalloc: false,
        mimalloc: false,
    };

    /// With no route, and sizes in MiB.
    pub(super) fn snapshot(shared: u64, live: Option<u64>, held: u64, limit: u64) -> Snapshot {
        let total = shared + live.unwrap_or(0) + held;
        let mut snapshot = Routes::new().snapshot();
        snapshot.process = Process {
            resident: Some(Resident::new(total * MIB, shared * MIB)),
            live: live.map(|live| live * MIB),
        };
        snapshot.limit = Some(limit * MIB);
        snapshot.limit_kind = Some(LimitKind::Cgroup);
        snapshot
    }

    pub(super) fn said(snapshot: &Snapshot) -> String {
        let advice = advise(snapshot, GLIBC);
        let [headline, next_step] =
            [advice.headline, advice.next_step].map(Option::unwrap_or_default);
        let (level, sentence) = (advice.level.as_str(), advice.sentence);
        format!("{level}|{headline}|{sentence}|{next_step}")
    }

    pub(super) fn assert_advises(snapshot: &Snapshot, part: &str) {
        let said = said(snapshot);
        assert!(said.contains(part), "{said}");
    }

    #[test]
    fn a_small_process_needs_nothing() {
        assert_eq!(
            said(&snapshot(5, Some(20), 35, 2048)),
            "fine||60.0 MiB resident of its limit of 2.0 GiB (2 %): 20.0 MiB in use, 35.0 MiB freed pages, stacks and C code, 5.0 MiB files|"
        );
    }

    #[test]
    fn the_memory_of_the_machine_is_not_called_a_limit() {
        let mut snapshot = snapshot(5, Some(20), 35, 2048);
        snapshot.limit_kind = Some(LimitKind::Machine);
        assert_advises(
            &snapshot,
            "60.0 MiB resident of the machine's 2.0 GiB (2 %)",
        );
    }

    #[test]
    fn the_largest_part_says_what_to_do() {
        assert_advises(&snapshot(5, Some(20), 880, 2048), "MALLOC_ARENA_MAX");
        assert_advises(&snapshot(880, Some(20), 30, 2048), "|The kernel takes");
        assert_advises(&snapshot(5, Some(880), 30, 2048), "in use");
        assert_advises(&snapshot(5, None, 880, 2048), "Install a heap meter");
    }

    #[test]
    fn who_may_have_jemalloc_is_not_told_to_use_it() {
        let jemalloc = Found {
            jemalloc: true,
            ..GLIBC
        };
        let advice = advise(&snapshot(5, Some(20), 880, 2048), jemalloc);
        assert_eq!(
            advice.next_step.as_deref(),
            Some(
                "If it stays, consider reclaim, or shorter decay times of jemalloc (dirty_decay_ms)"
            )
        );
    }

    #[test]
    fn pages_that_are_kept_and_files_have_the_route_that_grew_them() {
        let mut grown = counted("/burst", 0);
        grown.requests = 3;
        grown.growth.sum = 1400 * MIB;
        grown.verdicts = vec![("allocator_held", 2), ("mapped", 1)];
        for (shared, held) in [(5, 880), (880, 30)] {
            let mut snapshot = snapshot(shared, Some(20), held, 2048);
            snapshot.routes = vec![grown.clone()];
            assert_advises(
                &snapshot,
                "; /burst grew the process most: 1.4 GiB in 3 requests|",
            );
        }
    }

    #[test]
    fn what_is_reserved_but_untouched_is_not_in_use() {
        let mut reserved = snapshot(1, Some(4), 0, 2048);
        reserved.process.live = Some(4096 * MIB);
        assert_advises(
            &reserved,
            ": 4.0 MiB in use, 0 B freed pages, stacks and C code, 1.0 MiB files; another 4.0 GiB is reserved but untouched|",
        );
    }

    #[test]
    fn a_small_process_near_its_limit_is_told_what_to_do() {
        let said = said(&snapshot(10, Some(60), 50, 128));
        assert!(said.starts_with("urgent|60.0 MiB"), "{said}");
    }

    #[test]
    fn the_level_rises_with_the_share_of_the_limit() {
        let level = |live| advise(&snapshot(0, Some(live), 0, 1000), GLIBC).level;
        assert_eq!(
            [799, 800, 899, 900].map(level),
            [Level::Fine, Level::Watch, Level::Watch, Level::Urgent]
        );
    }

    #[test]
    fn what_could_not_be_read_is_said() {
        let mut unread = snapshot(1, None, 1, 1);
        unread.process.resident = None;
        assert_advises(&unread, "watch||The resident set can't be read|");
    }
}
