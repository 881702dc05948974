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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: Thresholds = Thresholds {
        growth: 100,
        peak: None,
    };

    /// A process that grew by `growth`, with no other requests and no meter.
    fn grown(growth: u64) -> Evidence<'static> {
        Evidence {
            before: Some(Resident::new(1_000, 0)),
            after: Some(Resident::new(1_000 + growth, 0)),
            ..Evidence::default()
        }
    }

    /// The same with a meter, where live heap of the process grew by `live`.
    fn metered(growth: u64, live: u64, heap: &HeapFlow) -> Evidence<'_> {
        Evidence {
            live: Some((500, 500 + live)),
            heap: Some(heap),
            ..grown(growth)
        }
    }

    fn flow(allocated: u64, freed: u64, peak: u64) -> HeapFlow {
        HeapFlow {
            allocated,
            freed,
            peak,
            ..HeapFlow::default()
        }
    }

    #[test]
    fn growth_at_the_threshold_is_a_warning_and_one_byte_less_is_not() {
        assert_eq!(judge(&grown(99), &LIMIT), Verdict::WithinThreshold);
        assert_eq!(judge(&grown(100), &LIMIT), Verdict::Unmetered);
    }

    #[test]
    fn a_threshold_of_zero_warns_of_any_growth_but_not_of_none() {
        let any = Thresholds { growth: 0, ..LIMIT };
        assert_eq!(judge(&grown(0), &any), Verdict::WithinThreshold);
        assert_eq!(judge(&grown(1), &any), Verdict::Unmetered);
    }

    #[test]
    fn growth_that_others_overlapped_says_so_where_no_meter_counts() {
        let evidence = Evidence {
            overlap: 1,
            ..grown(100)
        };
        assert_eq!(judge(&evidence, &LIMIT), Verdict::Overlapped);
    }

    #[test]
    fn growth_that_is_half_files_or_more_is_mapped_even_when_others_overlapped() {
        for overlap in [0, 1] {
            let evidence = Evidence {
                after: Some(Resident::new(1_100, 50)),
                overlap,
                ..grown(0)
            };
            let mapped = Verdict::Mapped { shared_growth: 50 };
            assert_eq!(judge(&evidence, &LIMIT), mapped);
        }
    }

    #[test]
    fn a_missing_reading_is_unreadable_whatever_the_other_says() {
        let huge = Some(Resident::new(u64::MAX, 0));
        let nothing = Some(Resident::new(0, 0));
        for (before, after) in [(None, huge), (nothing, None), (None, None)] {
            let evidence = Evidence {
                before,
                after,
                overlap: 3,
                ..Evidence::default()
            };
            assert_eq!(judge(&evidence, &LIMIT), Verdict::Unreadable);
        }
    }

    #[test]
    fn what_a_request_keeps_is_retained_whatever_ran_beside_it_unless_it_freed_as_much() {
        let heap = flow(300, 150, 200);
        let retained = Verdict::Retained {
            retained: 150,
            allocated: 300,
            freed: 150,
        };
        for (overlap, growth, live) in [
            (0, 150, 150),
            (0, 5_000, 5_000),
            (63, 150, 150),
            (63, 5_000, 0),
        ] {
            let evidence = Evidence {
                overlap,
                ..metered(growth, live, &heap)
            };
            assert_eq!(judge(&evidence, &LIMIT), retained);
        }
        // A full cache: it evicts as much as it stores.
        assert_eq!(
            judge(&metered(0, 0, &heap), &LIMIT),
            Verdict::WithinThreshold
        );
    }

    #[test]
    fn what_is_kept_but_was_never_touched_is_reserved() {
        let heap = flow(4_000, 0, 4_000);
        let mut evidence = metered(50, 4_000, &heap);
        evidence.live = Some((980, 4_980));
        let reserved = Verdict::Reserved {
            retained: 4_000,
            resident: 70,
        };
        assert_eq!(judge(&evidence, &LIMIT), reserved);
        // Freed pages may hold more than the threshold of it, and still not half.
        evidence.live = Some((600, 4_600));
        let at_most = |verdict| match verdict {
            Verdict::Reserved { resident, .. } => resident,
            other => panic!("{other:?}"),
        };
        assert_eq!(at_most(judge(&evidence, &LIMIT)), 450);
    }

    #[test]
    fn what_is_kept_and_may_be_resident_by_half_is_retained() {
        let heap = flow(150, 0, 150);
        let mut evidence = metered(50, 150, &heap);
        evidence.live = Some((975, 1_125));
        assert_eq!(judge(&evidence, &LIMIT).as_str(), "retained");
    }

    #[test]
    fn what_work_still_uses_and_what_waits_for_a_client_is_not_retained() {
        let running = HeapFlow {
            running: 150,
            ..flow(150, 0, 150)
        };
        let unsent = HeapFlow {
            unsent: 150,
            ..flow(150, 0, 150)
        };
        let judged = |heap| judge(&metered(150, 150, heap), &LIMIT);
        assert_eq!(judged(&running), Verdict::Running { running: 150 });
        assert_eq!(judged(&unsent), Verdict::Unsent { unsent: 150 });
    }

    #[test]
    fn what_is_retained_is_warned_of_where_pages_that_were_kept_were_enough_for_it() {
        let heap = flow(100, 0, 100);
        let verdict = judge(&metered(0, 100, &heap), &LIMIT);
        assert!(matches!(verdict, Verdict::Retained { .. }), "{verdict:?}");
        let unreadable = Evidence {
            before: None,
            ..metered(0, 100, &heap)
        };
        let verdict = judge(&unreadable, &LIMIT);
        assert!(matches!(verdict, Verdict::Retained { .. }), "{verdict:?}");
    }

    #[test]
    fn half_of_the_growth_is_enough_to_be_retained_and_one_byte_less_is_not() {
        let verdict = |kept| judge(&metered(160, 160, &flow(kept, 0, kept)), &LIMIT).as_str();
        assert_eq!([verdict(80), verdict(79)], ["retained", "outside"]);
    }

    #[test]
    fn pages_that_a_request_used_and_gave_back_are_held_by_the_allocator() {
        let heap = flow(400, 395, 380);
        let held = Verdict::AllocatorHeld {
            held: 455,
            in_use: 5,
            retained: 5,
            handed_off: 0,
        };
        assert_eq!(judge(&metered(460, 5, &heap), &LIMIT), held);
    }

    #[test]
    fn a_response_that_waits_to_be_sent_is_neither_retained_nor_of_others() {
        let heap = HeapFlow {
            handed_off: 200,
            ..flow(200, 0, 200)
        };
        let held = Verdict::AllocatorHeld {
            held: 4,
            in_use: 200,
            retained: 0,
            handed_off: 200,
        };
        assert_eq!(judge(&metered(204, 200, &heap), &LIMIT), held);
    }

    #[test]
    fn an_upload_counts_for_what_the_request_held_at_once() {
        let heap = HeapFlow {
            received: 200,
            ..flow(0, 200, 0)
        };
        let verdict = judge(&metered(200, 0, &heap), &LIMIT);
        assert_eq!(verdict.as_str(), "allocator_held");
    }

    #[test]
    fn a_request_that_never_held_half_of_the_growth_is_not_blamed_for_it() {
        let heap = flow(10, 10, 10);
        let others = Verdict::OtherRequests {
            elsewhere: 450,
            peak: 10,
        };
        // A neighbour that burst, and one that keeps its memory.
        for live in [0, 460] {
            let evidence = Evidence {
                overlap: 1,
                ..metered(460, live, &heap)
            };
            assert_eq!(judge(&evidence, &LIMIT), others);
        }
    }

    #[test]
    fn growth_that_a_lone_request_never_held_came_from_outside_of_it() {
        let heap = flow(10, 10, 10);
        // A thread that carries no request and keeps its memory, and one that burst.
        for (live, other) in [(460, 0), (0, 460)] {
            let verdict = judge(&metered(460, live, &heap), &LIMIT);
            assert_eq!(verdict, Verdict::Outside { live, other });
        }
    }

    #[test]
    fn a_peak_is_warned_of_where_asked_for_and_nothing_else_is_to_be_said() {
        let heap = flow(80, 80, 80);
        let evidence = metered(0, 0, &heap);
        let limit = |peak| Thresholds { peak, ..LIMIT };
        let peaked = Verdict::Peaked { peak: 80 };
        assert_eq!(judge(&evidence, &limit(Some(80))), peaked);
        let within = Verdict::WithinThreshold;
        assert_eq!(judge(&evidence, &limit(Some(81))), within);
        assert_eq!(judge(&evidence, &limit(None)), within);
        let grown = judge(&metered(100, 0, &heap), &limit(Some(80)));
        assert_eq!(grown.as_str(), "allocator_held");
    }

    fn any_flow() -> impl Strategy<Value = HeapFlow> {
        any::<[u32; 6]>().prop_map(|n| HeapFlow {
            allocated: n[0].into(),
            freed: n[1].into(),
            allocations: n[2].into(),
            peak: n[3].into(),
            received: n[4].into(),
            handed_off: n[5].into(),
            ..HeapFlow::default()
        })
    }

    proptest! {
        #[test]
        fn whatever_the_numbers_a_warning_means_growth_or_retention_at_or_above_the_threshold(
            before in any::<(u32, u32)>(),
            after in any::<(u32, u32)>(),
            live in any::<Option<(u64, u64)>>(),
            heap in prop::option::of(any_flow()),
            overlap: u32,
            growth: u32,
        ) {
            let resident = |(total, shared)| Resident::new(u64::from(total), u64::from(shared));
            let evidence = Evidence {
                before: Some(resident(before)),
                after: Some(resident(after)),
                live,
                overlap,
                heap: heap.as_ref(),
            };
            let growth = u64::from(growth);
            let verdict = judge(&evidence, &Thresholds { growth, peak: None });
            let grown = after.0 > before.0 && u64::from(after.0 - before.0) >= growth;
            let retained = heap.map_or(0, |heap| heap.retained());
            let kept = retained > 0 && retained.unsigned_abs() >= growth;
            prop_assert!(!grown || verdict.is_warning());
            prop_assert!(!verdict.is_warning() || grown || kept);
        }

        #[test]
        fn of_small_figures_there_is_nothing_to_explain(
            before in 0_u64..200,
            after in 0_u64..200,
            heap in prop::option::of(any::<[u8; 8]>()),
            growth in 0_u64..300,
            peak in prop::option::of(0_u64..300),
            overlap in 0_u32..2,
        ) {
            let heap = heap.map(|n| {
                let [allocated, freed, peak, received, handed_off] = [n[0], n[1], n[2], n[3], n[4]].map(u64::from);
                let unsent = u64::from(n[5]).min(allocated);
                let running = u64::from(n[6]).min(allocated - unsent);
                HeapFlow { allocated, freed, peak, received, handed_off, unsent, running, ..HeapFlow::default() }
            });
            let evidence = Evidence {
                before: Some(Resident::new(before, 0)),
                after: Some(Resident::new(after, 0)),
                overlap,
                heap: heap.as_ref(),
                ..Evidence::default()
            };
            let limits = Thresholds { growth, peak };
            let (before, after) = (evidence.before.as_ref(), evidence.after.as_ref());
            if limits.are_above(before, after, evidence.heap) {
                prop_assert_eq!(judge(&evidence, &limits), Verdict::WithinThreshold);
            }
        }

        #[test]
        fn nobody_is_said_to_retain_or_to_have_left_what_it_never_held(
            heap in any_flow(),
            growth: u32,
            live in any::<(u64, u64)>(),
            overlap: u32,
        ) {
            let evidence = Evidence {
                live: Some(live),
                overlap,
                ..metered(growth.into(), 0, &heap)
            };
            match judge(&evidence, &LIMIT) {
                Verdict::Retained { retained, .. } => {
                    prop_assert_eq!(i64::try_from(retained).ok(), Some(heap.retained()));
                }
                Verdict::AllocatorHeld { held, handed_off, .. } => {
                    prop_assert!(heap.peak + heap.received >= u64::from(growth).div_ceil(2));
                    prop_assert!(held + handed_off <= u64::from(growth));
                }
                _ => {}
            }
        }
    }
}
