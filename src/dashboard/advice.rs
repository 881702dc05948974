//! The figures, summed up for someone who has ten seconds.

mod owners;
#[cfg(test)]
mod tests;

use crate::{
    MIB,
    reclaim::Allocator,
    routes::{LimitKind, Process, RouteFigures, Snapshot},
};
use bytesize::ByteSize;

pub(super) struct Advice {
    pub(super) level: Level,
    /// The most important finding, with its route if it has one; `None` if nothing is worth
    /// it.
    pub(super) headline: Option<String>,
    /// The size of the resident set and its parts.
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

pub(super) fn advise(snapshot: &Snapshot, allocator: Allocator) -> Advice {
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
            // The same as in the alert rules.
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
        .map(|parts| parts.finding(snapshot, allocator));
    let (headline, next_step) = match finding {
        Some((headline, next_step)) => (Some(headline), Some(next_step)),
        None if snapshot.process.live.is_none() => {
            let meter = "Install a heap meter (two lines): tower_memory::heap";
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

/// Warnings of the last ten minutes, which is the length of the second-by-second series.
fn warnings(snapshot: &Snapshot) -> u64 {
    let seconds = snapshot.seconds.iter();
    seconds.map(|sample| u64::from(sample.warnings)).sum()
}

/// The next step of the newest warning.
fn newest_step(snapshot: &Snapshot) -> Option<String> {
    let (route, warning) = snapshot.warnings.first()?;
    Some(format!("{route}: {}", warning.verdict.next_step()?))
}

/// The parts of the resident set, in bytes. The first three add up to it.
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

    fn finding(&self, snapshot: &Snapshot, allocator: Allocator) -> Finding {
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
                format!("If it stays, {}", allocator.next_step()),
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

/// The route that grew the process most among those with this verdict.
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
