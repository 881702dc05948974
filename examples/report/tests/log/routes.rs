//! Figures of routes, and requests that count once.

use super::*;

#[test]
fn routes_are_told_with_what_they_retained_and_grew_those_that_retain_most_first() {
    let mut said = vec![grown("/burst", 0, 600, "allocator_held")];
    said.extend((1..=10).map(|n| grown("/leak", n, 128, "retained")));
    said.extend((20..120).map(|n| quiet("/steady", n)));
    let (report, page) = Folder::with(log(&said)).report();

    assert_eq!(
        row(&report, "/leak"),
        [
            "/leak",
            "10",
            "1.2 GiB",
            "1.2 GiB",
            "128.0 MiB",
            "128.0 MiB",
            "128.0 MiB",
            "128.0 MiB"
        ]
    );
    assert_eq!(row(&report, "/burst")[1..4], ["1", "0 B", "600.0 MiB"]);
    assert_eq!(row(&report, "/steady")[1..4], ["100", "0 B", "0 B"]);
    let place = |route: &str| report.find(&format!("\n{route} ")).expect("a row");
    assert!(place("/leak") < place("/burst") && place("/burst") < place("/steady"));

    let report = unbroken(&report);
    for sentence in [
        "111 lines (",
        "Covers all requests, by their DEBUG events: 111.",
        "/leak grew memory most: 1.2 GiB in 10 requests, 68 % of all growth.",
        "/leak retains most: 1.2 GiB outlive its requests.",
        "Look for what this route stores (a cache, a session, a queue), and whether each request adds to it",
        "Not retained: consider reclaim, MALLOC_ARENA_MAX, or jemalloc",
        "+600.0 MiB 2026-01-01 00:00:00 GET /burst 200 allocator_held",
    ] {
        assert!(report.contains(sentence), "{sentence:?}: {report}");
        let words = sentence.split(['(', '+']).next().expect("a part");
        assert!(page.contains(words.trim()), "{words:?} is not on the page");
    }
}

#[test]
fn growths_of_hundreds_of_gib_are_told_as_large_as_they_are() {
    let of = |n: u64| grown("/huge", n, (n + 1) * (100 << 10), "mapped");
    let said: Vec<_> = (0..3).map(of).collect();
    let (report, page) = Folder::with(log(&said)).report();
    let [p50, max] = [4, 7].map(|column| row(&report, "/huge")[column]);
    // Rounded up by less than 7 %.
    assert!(p50.starts_with("20") && p50.ends_with(" GiB"), "{report}");
    assert_eq!(max, "300.0 GiB");
    assert!(page.contains("<td>300.0 GiB</td>"), "{page}");
}

#[test]
fn growth_that_others_caused_makes_no_route_the_one_that_grew_most() {
    let said = [
        grown("/bystander", 0, 900, "other_requests"),
        grown("/upload", 1, 300, "allocator_held"),
    ];
    let (report, _) = Folder::with(log(&said)).report();
    assert!(
        report.contains("/upload grew memory most: 300.0 MiB"),
        "{report}"
    );
}

#[test]
fn a_request_with_a_warning_and_a_debug_event_counts_once() {
    let mut said = Vec::new();
    for n in 0..30 {
        let request = grown("/leak", n * 1000, 128, "retained");
        said.push(warning(grown("/leak", n * 1000, 128, "retained"), 0));
        said.push(request);
    }
    // As from threads that log at once.
    said.sort_by_key(|said| (said.at / 5000, said.suppressed.is_some()));
    let (report, _) = Folder::with(log(&said)).report();
    assert_eq!(row(&report, "/leak")[1..3], ["30", "3.8 GiB"]);
    assert!(report.contains("30 warnings, 30 retained"), "{report}");
    assert!(
        report.contains("Covers all requests, by their DEBUG events: 30."),
        "{report}"
    );
}

#[test]
fn warnings_in_one_file_and_debug_events_in_another_count_once() {
    let requests: Vec<_> = (0..30)
        .map(|n| grown("/leak", n * 1000, 128, "retained"))
        .collect();
    let warnings = (0..30).map(|n| warning(grown("/leak", n * 1000, 128, "retained"), 0));
    let folder = Folder::new();
    folder.put("debug.log", log(&requests));
    folder.put("warn.log", log(&warnings.collect::<Vec<_>>()));
    for files in [["debug.log", "warn.log"], ["warn.log", "debug.log"]] {
        let report = folder.run(&files).report();
        assert_eq!(row(&report, "/leak")[1..3], ["30", "3.8 GiB"]);
        assert!(
            report.contains("Covers all requests, by their DEBUG events: 30."),
            "{report}"
        );
    }
}

#[test]
fn where_only_warnings_are_logged_the_figures_say_so() {
    let said = [
        warning(grown("/leak", 0, 128, "retained"), 0),
        warning(grown("/leak", 70_000_000, 128, "retained"), 34),
    ];
    let (report, page) = Folder::with(log(&said)).report();
    for text in [&unbroken(&report), &page] {
        assert!(
            text.contains("Covers only requests with a warning, 2: nothing is known of others"),
            "{text}"
        );
        assert!(text.contains("34 warnings were suppressed"), "{text}");
    }
    assert!(report.contains("2 warnings, 34 suppressed"), "{report}");
}

#[test]
fn debug_that_was_on_for_a_part_of_the_time_is_told() {
    let mut said: Vec<_> = (0..5).map(|n| quiet("/steady", n)).collect();
    said.push(grown("/leak", 10, 128, "retained"));
    said.push(warning(grown("/leak", 10, 128, "retained"), 0));
    said.push(warning(grown("/leak", HOUR, 128, "retained"), 0));
    let (report, _) = Folder::with(log(&said)).report();
    let expected = "Covers 6 requests while DEBUG of tower_memory was on, and 1 request with a warning while it was off";
    assert!(unbroken(&report).contains(expected), "{report}");
    assert_eq!(row(&report, "/leak")[1], "2");
}

#[test]
fn requests_that_can_not_be_told_apart_any_more_are_said_to_be_doubtful() {
    let of = |n: u64| {
        let mut said = grown("/leak", n * 1000, 128, "retained");
        said.before += n;
        said
    };
    let debug: Vec<_> = (0..70_000).map(of).collect();
    let folder = Folder::new();
    folder.put("debug.log", log(&debug));
    folder.put("warn.log", log(&[warning(of(0), 0)]));
    folder.put("later.log", log(&[warning(of(3_600_000), 0)]));
    let report = unbroken(&folder.run(&["debug.log", "warn.log"]).report());
    assert!(
        report.contains("Up to 1 of these may be counted twice"),
        "{report}"
    );
    for others in ["debug.log", "later.log"] {
        let report = unbroken(&folder.run(&["debug.log", others]).report());
        assert!(!report.contains("twice"), "{report}");
    }
}

#[test]
fn late_work_that_does_the_same_each_time_is_counted_each_time() {
    let late = |said: Entry| {
        said.flat()
            .replace(r#""outcome":"completed","#, "")
            .replace(r#""event":"request""#, r#""event":"late_work""#)
            .replace(r#","heap.live":104857600"#, "")
    };
    let at = |n: u64| grown("/spawn", n * 60_000_000, 128, "retained");
    let same = |said: Entry| Entry {
        duration_us: 0,
        ..said
    };
    // The first two were suppressed while DEBUG was on; it was off for the third.
    let lines = [
        late(same(at(0))),
        late(same(at(1))),
        late(warning(same(at(2)), 2)),
    ];
    let (report, _) = Folder::with(lines.concat()).report();
    assert_eq!(row(&report, "/spawn")[2], "384.0 MiB");
    assert!(report.contains("3 pieces of late work"), "{report}");
}
