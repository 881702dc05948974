//! What holds whatever the figures are.

use super::*;
use proptest::prelude::*;

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
