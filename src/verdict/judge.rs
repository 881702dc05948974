use super::Verdict;
use crate::{heap::HeapFlow, resident::Resident};

/// The figures of one request, all in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Evidence<'a> {
    pub(crate) before: Option<Resident>,
    pub(crate) after: Option<Resident>,
    /// Live heap of the process at the start and end of the window.
    pub(crate) live: Option<(u64, u64)>,
    pub(crate) overlap: u32,
    pub(crate) heap: Option<&'a HeapFlow>,
}

/// When to warn about a request, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thresholds {
    pub(crate) growth: u64,
    pub(crate) peak: Option<u64>,
}

impl Thresholds {
    /// Whether the figures are so small, as those of nearly all requests, that [`judge`] has nothing to explain.
    #[inline]
    pub(crate) fn are_above(
        &self,
        before: Option<&Resident>,
        after: Option<&Resident>,
        heap: Option<&HeapFlow>,
    ) -> bool {
        let (Some(before), Some(after)) = (before, after) else {
            return false;
        };
        let growth = after.total.saturating_sub(before.total);
        let limit = self.growth.max(1);
        growth < limit
            && heap.is_none_or(|heap| {
                // More than it can have retained, running, unsent or at once.
                let held = heap.allocated.max(heap.peak).saturating_add(heap.received);
                held < limit && self.peak.is_none_or(|peak| held < peak)
            })
    }
}

/// The explanation that the figures allow.
///
/// Exact figures come first: the request's live bytes. Then the composition of the growth, where each
/// part counts from half of it on.
pub(crate) fn judge(evidence: &Evidence<'_>, thresholds: &Thresholds) -> Verdict {
    let threshold = thresholds.growth.max(1);
    if let Some(verdict) = alive(evidence, threshold) {
        return verdict;
    }
    let (Some(before), Some(after)) = (evidence.before, evidence.after) else {
        return Verdict::Unreadable;
    };
    let growth = after.total.saturating_sub(before.total);
    if growth < threshold {
        return within(evidence, thresholds);
    }
    let half = growth.div_ceil(2);
    let shared_growth = after.shared.saturating_sub(before.shared);
    if shared_growth >= half {
        return Verdict::Mapped { shared_growth };
    }
    match evidence.heap {
        Some(heap) => {
            alive(evidence, half).unwrap_or_else(|| share(evidence, heap, growth, shared_growth))
        }
        None if evidence.overlap > 0 => Verdict::Overlapped,
        None => Verdict::Unmetered,
    }
}

/// The verdict on background work that has ended.
pub(crate) fn judge_late(heap: &HeapFlow, thresholds: &Thresholds) -> Verdict {
    match retained_by(heap) >= thresholds.growth.max(1) {
        true => Verdict::retained(heap),
        false => Verdict::WithinThreshold,
    }
}

/// Live bytes of the request, if one part of them is at least `enough`.
fn alive(evidence: &Evidence<'_>, enough: u64) -> Option<Verdict> {
    let heap = evidence.heap?;
    let retained = evidence.retained();
    if retained >= enough {
        return Some(match evidence.touched(retained) {
            Some(resident) if resident < retained / 2 => Verdict::Reserved { retained, resident },
            _ => Verdict::retained(heap),
        });
    }
    let HeapFlow {
        running, unsent, ..
    } = *heap;
    if running >= enough && running >= unsent {
        return Some(Verdict::Running { running });
    }
    (unsent >= enough).then_some(Verdict::Unsent { unsent })
}

/// Attributes a growth that is mostly neither files nor live bytes of the request.
fn share(evidence: &Evidence<'_>, heap: &HeapFlow, growth: u64, shared_growth: u64) -> Verdict {
    let half = growth.div_ceil(2);
    let peak = held_at_once(heap);
    let live = evidence.live_growth().unwrap_or(0).min(growth);
    let held = growth - live;
    // Still live, but as good as freed: the connection frees it once the response is sent.
    let handed_off = heap.handed_off.min(live);
    if held + handed_off >= half && peak >= half {
        return Verdict::AllocatorHeld {
            held,
            in_use: live,
            retained: evidence.retained(),
            handed_off,
        };
    }
    if evidence.overlap > 0 {
        return Verdict::OtherRequests {
            elsewhere: growth.saturating_sub(peak),
            peak,
        };
    }
    Verdict::Outside {
        live: live.saturating_sub(evidence.retained()),
        other: held.saturating_sub(shared_growth),
    }
}

fn within(evidence: &Evidence<'_>, thresholds: &Thresholds) -> Verdict {
    match (evidence.heap, thresholds.peak) {
        (Some(heap), Some(threshold)) if held_at_once(heap) >= threshold => Verdict::Peaked {
            peak: held_at_once(heap),
        },
        _ => Verdict::WithinThreshold,
    }
}

fn retained_by(heap: &HeapFlow) -> u64 {
    heap.retained().max(0) as u64
}

/// The most that can have been resident for the request, including its body.
fn held_at_once(heap: &HeapFlow) -> u64 {
    heap.peak.saturating_add(heap.received)
}

impl Evidence<'_> {
    /// By how much the live heap of the process grew.
    fn live_growth(&self) -> Option<u64> {
        let (before, after) = self.live?;
        Some(after.saturating_sub(before))
    }

    /// The request's net addition to live heap. If it ran alone and freed as much as it stored (a full
    /// cache), that is nothing.
    fn retained(&self) -> u64 {
        let retained = self.heap.map_or(0, retained_by);
        match self.live_growth() {
            Some(growth) if self.overlap == 0 => retained.min(growth),
            _ => retained,
        }
    }

    /// How many of the `retained` bytes can be resident at most: the growth of the process plus the
    /// freed pages it already had. `None` if either is unknown.
    fn touched(&self, retained: u64) -> Option<u64> {
        let (before, after) = (self.before?.anonymous(), self.after?.anonymous());
        let (live, _) = self.live?;
        let grown = after.saturating_sub(before);
        let free = before.saturating_sub(live);
        Some(retained.min(grown.saturating_add(free)))
    }
}

impl Verdict {
    fn retained(heap: &HeapFlow) -> Self {
        Self::Retained {
            retained: retained_by(heap),
            allocated: heap.allocated,
            freed: heap.freed,
        }
    }
}

#[cfg(test)]
mod tests;
