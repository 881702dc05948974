mod properties;

use super::*;

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
