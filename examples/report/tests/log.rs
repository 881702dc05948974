//! What the report it tells from a log alone, and how it takes logs that are not as one would like.

#[path = "support/log_lines.rs"]
mod log_lines;
#[path = "support/report.rs"]
mod report;

use self::{
    log_lines::{Entry, foreign},
    report::{Folder, row, unbroken},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs,
    process::{Command, Stdio},
    thread,
};

const MIB: u64 = 1 << 20;
const HOUR: u64 = 3_600_000_000;

/// A request that changed nothing.
fn quiet(route: &str, at: u64) -> Entry {
    Entry {
        at,
        level: "DEBUG",
        route: route.to_owned(),
        status: 200,
        duration_us: at % 1_000_000,
        before: 300 * MIB,
        growth: 0,
        retained: 0,
        live: 100 * MIB,
        route_live: None,
        verdict: "within_threshold",
        suppressed: None,
    }
}

fn grown(route: &str, at: u64, mib: u64, verdict: &'static str) -> Entry {
    Entry {
        growth: mib * MIB,
        retained: if verdict == "retained" { mib * MIB } else { 0 },
        verdict,
        ..quiet(route, at)
    }
}

fn warning(said: Entry, suppressed: u64) -> Entry {
    Entry {
        level: "WARN",
        at: said.at + 40,
        suppressed: Some(suppressed),
        ..said
    }
}

fn log<'a>(said: impl IntoIterator<Item = &'a Entry>) -> String {
    said.into_iter().map(Entry::flat).collect()
}

// What it tells.

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

/// A low every ten minutes of twelve hours, in MiB at each hour.
fn day(low: impl Fn(u64) -> u64) -> String {
    let at = |n: u64| Entry {
        before: 2 * low(n / 6) * MIB,
        live: low(n / 6) * MIB,
        ..quiet("/", n * HOUR / 6)
    };
    log(&(0..72).map(at).collect::<Vec<_>>())
}

#[test]
fn memory_that_rises_through_the_period_is_a_trend_and_only_then_is_a_leak_spoken_of() {
    let trend = |low: &dyn Fn(u64) -> u64| unbroken(&Folder::with(day(low)).report().0);
    let rising = trend(&|hour| 100 + 20 * hour);
    assert!(
        rising.contains("The live heap rises: its low in each third of the period is 100.0 MiB, 180.0 MiB, 260.0 MiB (+20.0 MiB an hour)."),
        "{rising}"
    );
    assert!(
        rising.contains("as with a leak, or a cache that is still filling"),
        "{rising}"
    );
    let saw = trend(&|hour| 100 + 20 * (hour % 4));
    assert!(
        saw.contains("The live heap doesn't rise throughout"),
        "{saw}"
    );
    let step = trend(&|hour| if hour < 8 { 100 } else { 300 });
    assert!(
        step.contains("The live heap doesn't rise throughout"),
        "{step}"
    );
    let falling = trend(&|hour| 400 - 20 * hour);
    assert!(falling.contains("The live heap falls"), "{falling}");
    let single = unbroken(
        &Folder::with(log(&[grown("/leaky", 0, 900, "retained")]))
            .report()
            .0,
    );
    assert!(single.contains("Too short for a trend"), "{single}");
    for text in [saw, step, falling, single] {
        assert!(!text.replace("/leaky", "").contains("leak"), "{text}");
    }
}

#[test]
fn each_hour_names_the_route_that_grew_most_in_it() {
    let said = [
        grown("/small", 10 * HOUR, 110, "allocator_held"),
        grown("/large", 10 * HOUR + 5, 900, "allocator_held"),
        grown("/small", 10 * HOUR + 9, 110, "allocator_held"),
        grown("/late", 33 * HOUR + HOUR / 2, 200, "mapped"),
    ];
    let (report, page) = Folder::with(log(&said)).report();
    let lines = |hour: &str| {
        unbroken(
            report
                .lines()
                .find(|line| line.starts_with(hour))
                .expect("an hour"),
        )
    };
    assert_eq!(
        lines("2026-01-01 10:00"),
        "2026-01-01 10:00 3 0 1.1 GiB 0 B 1.2 GiB 100.0 MiB /large"
    );
    assert_eq!(
        lines("2026-01-02 09:00"),
        "2026-01-02 09:00 1 0 200.0 MiB 0 B 500.0 MiB 100.0 MiB /late"
    );
    assert_eq!(page.matches("<rect ").count(), 2);
    // A step of time begins where its name says.
    let said: Vec<_> = (0..60).map(|n| quiet("/", n * HOUR + HOUR / 2)).collect();
    let (report, _) = Folder::with(log(&said)).report();
    let steps = report
        .lines()
        .skip_while(|line| !line.starts_with("BY 4 HOURS"));
    let steps: Vec<_> = steps
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(unbroken)
        .collect();
    assert_eq!(steps.len(), 15);
    assert!(steps[1].starts_with("2026-01-01 04:00 4 0 "), "{steps:?}");
}

#[test]
fn growth_that_others_caused_names_no_route_in_its_hour() {
    let said = [
        grown("/bystander", 10 * HOUR, 900, "other_requests"),
        grown("/upload", 10 * HOUR + 1, 300, "allocator_held"),
        grown("/bystander", 11 * HOUR, 900, "other_requests"),
    ];
    let (report, page) = Folder::with(log(&said)).report();
    let hour = |from: &str| {
        let line = report.lines().find(|line| line.starts_with(from));
        unbroken(line.expect("an hour"))
    };
    assert!(hour("2026-01-01 10:00").ends_with(" /upload"), "{report}");
    assert!(hour("2026-01-01 11:00").ends_with(" MiB"), "{report}");
    let (_, hours) = page.split_once("id=\"steps\"").expect("steps");
    assert!(!hours.contains("/bystander"), "{hours}");
}

#[test]
fn of_growths_of_one_size_the_earlier_are_told_first() {
    let said = (0..30)
        .rev()
        .map(|n| grown(&format!("/{n}/"), n * HOUR, 128, "mapped"));
    let (report, _) = Folder::with(log(&said.collect::<Vec<_>>())).report();
    let told = report.lines().filter(|line| line.contains(" +128.0 MiB "));
    let told: Vec<_> = told
        .map(|line| line.split(' ').find(|word| word.starts_with('/')))
        .collect();
    let expected: Vec<_> = (0..10).map(|n| format!("/{n}/")).collect();
    assert!(told.iter().flatten().eq(&expected), "{told:?}");
}

#[test]
fn ten_years_are_told_in_longer_steps() {
    let years = (0..3650_u64).map(|day| {
        let line = quiet("/", 0).flat();
        let (year, day) = (2016 + day / 360, day % 360);
        line.replace(
            "2026-01-01",
            &format!("{year}-{:02}-{:02}", 1 + day / 30, 1 + day % 30),
        )
    });
    // No February has 30 days.
    let log: String = years
        .filter(|line| !line.contains("-02-3") && !line.contains("-02-29"))
        .collect();
    let (report, page) = Folder::with(log).report();
    assert!(report.contains("\nBY 256 DAYS "), "{report}");
    assert!(
        page.contains(">By 4 days<"),
        "the page has the finest that is kept"
    );
}

// What it takes.

#[test]
fn both_layouts_and_spans_are_read() {
    let said = [grown("/leak", 0, 128, "retained"), quiet("/steady", 1)];
    let flat: String = log(&said);
    let nested: String = said.iter().map(Entry::nested).collect();
    let spans = flat.replace(
        "\"target\":\"tower_memory\"",
        r#""target":"tower_memory","span":{"http.route":"/never","memory.growth":"odd","name":"r"},"spans":[{"verdict":7,"name":"r"}]"#,
    );
    let expected = Folder::with(&flat).report().0;
    for log in [nested, spans] {
        let report = Folder::with(&log).report().0;
        let after = |report: &str| report.split_once("Covers").expect("figures").1.to_owned();
        assert_eq!(after(&report), after(&expected));
    }
}

#[test]
fn foreign_lines_garbage_and_a_torn_end_are_skipped_and_counted() {
    let ours = quiet("/steady", 0).flat();
    let mut text = Vec::new();
    for line in [
        &*foreign(1),
        "plain text\n",
        "\n",
        &ours,
        // From others, though they name it, and with a field of ours that is no number.
        "{\"target\":\"app\",\"memory.growth\":-1,\"message\":\"tower_memory\"}\n",
        // Not in tracing-subscriber's format.
        "2026-01-01T00:00:00Z  WARN tower_memory: memory grew\n",
        &ours.replace("\"memory.growth\":0", "\"memory.growth\":-1"),
        &ours.replace("2026-01-01T", "yesterday "),
        // From tower-memory, but about no request.
        "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"m\",\"reclaim.bytes\":1048576,\"target\":\"tower_memory\"}\n",
    ] {
        text.extend(line.as_bytes());
    }
    text.extend(b"\0\xff\xfe tower_memory \x80\n");
    text.extend(vec![b'x'; 300 << 10]);
    text.extend(b"\n");
    text.extend(ours.as_bytes());
    text.extend(&ours.as_bytes()[..ours.len() / 2]);
    let (report, _) = Folder::with(text).report();
    let report = unbroken(&report);
    for expected in [
        "13 lines (",
        "2 events of requests; 1 other of tower_memory; 4 of others, skipped; 4 unreadable though they name tower_memory, skipped; 1 torn at the end, skipped; 1 longer than 256 KiB, skipped",
        "Pages were given back 1 time: 1.0 MiB.",
    ] {
        assert!(report.contains(expected), "{expected:?}: {report}");
    }
}

#[test]
fn a_last_line_without_its_line_end_is_read() {
    let text = log(&[quiet("/a", 0), quiet("/b", 1)]);
    let (report, _) = Folder::with(text.trim_end()).report();
    assert!(report.contains("2 lines ("), "{report}");
    assert_eq!(row(&report, "/b")[1], "1");
    assert!(!report.contains("torn"), "{report}");
}

#[test]
fn the_zeros_that_copytruncate_leaves_hide_no_line() {
    let mut text = vec![0; 5000];
    text.extend(log(&[quiet("/a", 0), quiet("/b", 1)]).as_bytes());
    let (report, _) = Folder::with(text).report();
    assert_eq!(row(&report, "/a")[1], "1");
    assert!(!report.contains("skipped"), "{report}");
}

#[test]
fn ten_thousand_routes_are_512_and_the_rest_together() {
    let said: Vec<_> = (0..10_000).map(|n| quiet(&format!("/{n}"), n)).collect();
    let (report, page) = Folder::with(log(&said)).report();
    assert_eq!(row(&report, "/0")[1], "1");
    assert!(report.contains("and 493 more routes"), "{report}");
    let other = page.split_once(">other</th>").expect("the rest").1;
    assert!(other.starts_with("<td>9,488</td>"), "{}", &other[..60]);
}

#[test]
fn files_in_any_order_tell_the_same() {
    let said: Vec<_> = (0..3000).map(Entry::numbered).collect();
    let folder = Folder::new();
    for (name, part) in ["1.log", "2.log", "3.log"].iter().zip(said.chunks(1000)) {
        folder.put(name, log(part));
    }
    let figures = |files: &[&str]| {
        let report = folder.run(files).report();
        // Title and page differ only in names.
        report
            .lines()
            .skip(1)
            .filter(|line| !line.starts_with("The page"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(
        figures(&["1.log", "2.log", "3.log"]),
        figures(&["1.log", "3.log", "2.log"])
    );
}

#[test]
fn standard_input_is_read_where_it_is_named_or_a_pipe() {
    let text = log(&[quiet("/a", 0)]);
    for arguments in [&["-"][..], &[]] {
        let folder = Folder::new();
        let report = folder.pipe(arguments, text.as_bytes()).report();
        assert!(
            report.starts_with("Memory report of standard input: "),
            "{report}"
        );
        assert_eq!(folder.names(), ["log.report.html"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_log_cut_in_two_at_any_line_tells_the_same(
        requests in prop::collection::vec((0..4_u64, 0..200_u64, any::<bool>(), any::<bool>()), 1..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut lines = Vec::new();
        for (n, (route, mib, at_debug, retains)) in requests.into_iter().enumerate() {
            let verdict = match (mib, retains) {
                (0..100, _) => "within_threshold",
                (_, true) => "retained",
                (_, false) => "allocator_held",
            };
            let request = || grown(&format!("/{route}"), n as u64 * HOUR / 7, mib, verdict);
            if at_debug || mib < 100 {
                lines.push(request().flat());
            }
            if mib >= 100 {
                lines.push(warning(request(), route).flat());
            }
        }
        let (first, second) = lines.split_at(cut.index(lines.len()));
        let folder = Folder::with(lines.concat());
        folder.put("first.log", first.concat());
        folder.put("second.log", second.concat());
        let one = folder.run(&["app.log"]).report();
        let two = folder.run(&["first.log", "second.log", "--html", "two.html"]).report();
        let titled = two.replace("first.log and 1 more", "app.log").replace("two.html", "app.report.html");
        prop_assert_eq!(unbroken(&one), unbroken(&titled));
        let titled = folder.get("two.html").replace("first.log and 1 more", "app.log");
        prop_assert_eq!(folder.get("app.report.html"), titled);
    }
}

// What it is careful of.

const NASTY: &str = r#"/<script>alert(1)</script>&\u001b[31m\u202e\"'"#;

#[test]
fn what_a_log_says_can_neither_become_markup_nor_command_the_terminal() {
    let mut said = warning(grown(NASTY, 0, 128, "retained"), 0);
    said.status = 500;
    let folder = Folder::with(said.flat().replace("GET", "<b>"));
    let (report, page) = folder.report();
    assert!(
        !page.contains("<script") && !page.contains("<b>/"),
        "{page}"
    );
    assert!(
        page.contains("/&lt;script&gt;alert(1)&lt;/script&gt;&amp;\\u{1b}[31m\\u{202e}&quot;'"),
        "{page}"
    );
    for text in [&report, &page] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
    }
    assert!(
        report.contains(r#"/<script>alert(1)</script>&\u{1b}[31m\u{202e}"'"#),
        "{report}"
    );
}

#[test]
fn the_page_loads_nothing_and_allows_its_own_style_alone() {
    let page = Folder::with(log(&[grown("/leak", 0, 128, "retained")]))
        .report()
        .1;
    for absent in [
        "<script", "http://", "https://", "@import", "url(", " style=", "<img",
    ] {
        assert!(!page.contains(absent), "{absent}");
    }
    let (_, style) = page.split_once("<style>").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    let hash = STANDARD.encode(Sha256::digest(style));
    assert!(
        page.contains(&format!("style-src 'sha256-{hash}'")),
        "html.rs needs sha256-{hash}"
    );
    assert!(page.contains("content=\"default-src 'none';"));
}

#[test]
fn the_report_fits_a_hundred_columns() {
    let said: Vec<_> = (0..2000)
        .map(|n| {
            let mut said = grown(
                &"wide/".repeat(n as usize % 30),
                n * HOUR / 9,
                n % 1024,
                "allocator_held",
            );
            said.verdict = ["retained", "peaked", "mapped", "unmetered"][n as usize % 4];
            said
        })
        .collect();
    let (report, _) = Folder::with(log(&said)).report();
    for line in report.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn a_log_without_anything_of_tower_memory_is_no_report_and_leaves_no_page() {
    let ours = quiet("/a", 0).flat();
    let time = r#""timestamp":"2026-01-01T00:00:00.000000Z""#;
    let without_time = ours.replace(&format!("{time},"), "");
    let seconds = ours.replace(time, r#""timestamp":"1767225600.000000""#);
    let number = ours.replace(time, r#""timestamp":1767225600"#);
    let docker = json!({ "log": ours, "stream": "stdout", "time": "2026-01-01T00:00:00Z" });
    let docker = format!("{docker}\n");
    for (text, said) in [
        ("", "0 lines"),
        (
            &*foreign(1),
            "does the service log tower_memory at WARN or DEBUG?",
        ),
        (
            "WARN tower_memory: memory grew\n",
            "expected tracing-subscriber's JSON",
        ),
        (
            &without_time,
            "1 unreadable though they name tower_memory, skipped; expected a `timestamp` of RFC 3339",
        ),
        (&seconds, "expected a `timestamp` of RFC 3339"),
        (&number, "expected a `timestamp` of RFC 3339"),
        (
            &docker,
            "1 unreadable though they name tower_memory, skipped; docker wrapped them: docker logs NAME | tower-memory-report -",
        ),
    ] {
        let folder = Folder::with(text);
        let run = folder.run(&["app.log"]);
        assert_eq!((run.code, &*run.out), (Some(1), ""));
        assert!(run.err.contains(said), "{}", run.err);
        assert_eq!(folder.names(), ["app.log"]);
    }
}

#[test]
fn a_growth_is_explained_by_its_fields_whatever_its_message_says() {
    let grown = grown("/a", 0, 200, "allocator_held").flat();
    let (from, to) = grown.split_once("memory grew").expect("a message");
    let (_, to) = to.split_once("on GET /a").expect("its end");
    let reworded = format!("{from}on GET /a: 7 bytes (1 more warning suppressed){to}");
    for (overlapping, told) in [
        (
            0,
            "200.0 MiB 2026-01-01 00:00:00 GET /a 200 allocator_held allocator_held, for a reason. Do something",
        ),
        (
            1,
            "allocator_held while 1 other request ran: allocator_held, for a reason. Do something",
        ),
        (
            2,
            "allocator_held while 2 other requests ran: allocator_held, for a reason. Do something",
        ),
    ] {
        let others = format!("\"requests.overlapping\":{overlapping}");
        let (report, page) =
            Folder::with(reworded.replace("\"requests.overlapping\":0", &others)).report();
        assert!(unbroken(&report).contains(told), "{report}");
        assert!(page.contains("for a reason. Do something"), "{page}");
        assert!(!report.contains("7 bytes"), "{report}");
    }
}

#[test]
fn what_can_not_be_read_is_named_with_a_way_out() {
    let folder = Folder::new();
    folder.put("app.log.gz", b"\x1f\x8b\x08\0\0");
    for (file, said) in [
        (
            "none.log",
            "tower-memory-report: can't open none.log: No such file",
        ),
        (".", "tower-memory-report: . is a folder"),
        (
            "app.log.gz",
            "tower-memory-report: app.log.gz is compressed: pipe it, as in `zcat FILE | tower-memory-report -`",
        ),
    ] {
        let run = folder.run(&[file]);
        assert_eq!((run.code, &*run.out), (Some(2), ""));
        assert!(run.err.starts_with(said), "{}", run.err);
    }
    assert_eq!(folder.names(), ["app.log.gz"]);
}

#[test]
fn an_older_report_is_replaced_and_nothing_else() {
    let folder = Folder::with(log(&[quiet("/a", 0)]));
    folder.put("notes.html", "<!DOCTYPE html><p>mine");
    for named in ["notes.html", "app.log"] {
        let run = folder.run(&["app.log", "--html", named]);
        assert_eq!((run.code, &*run.out), (Some(2), ""));
        assert!(
            run.err
                .contains("is no report: name another file with --html"),
            "{}",
            run.err
        );
    }
    assert_eq!(folder.get("notes.html"), "<!DOCTYPE html><p>mine");
    let first = folder.report().1;
    folder.put("app.log", log(&[quiet("/b", 0)]));
    assert_ne!(folder.report().1, first);
    assert_eq!(folder.names(), ["app.log", "app.report.html", "notes.html"]);
}

#[test]
fn a_page_that_can_not_be_written_is_told_with_the_reason_and_a_way_out() {
    let folder = Folder::with(log(&[quiet("/a", 0)]));
    for (page, said) in [
        (
            "-",
            "tower-memory-report: can't write the page to standard output: name a file with --html\n",
        ),
        (
            ".",
            "tower-memory-report: . is a folder: name a file in it with --html\n",
        ),
        (
            "app.log/app.html",
            "tower-memory-report: can't write app.log/app.html: Not a directory (os error 20); name another file with --html\n",
        ),
        (
            "none/app.html",
            "tower-memory-report: can't write none/app.html: No such file or directory (os error 2); name another file with --html\n",
        ),
    ] {
        let run = folder.run(&["app.log", "--html", page]);
        assert_eq!((run.code, &*run.out, &*run.err), (Some(2), "", said));
        assert_eq!(folder.names(), ["app.log"]);
    }
}

#[test]
fn what_can_not_be_opened_or_written_is_told_before_anything_is_read() {
    let folder = Folder::new();
    // Who reads of it stops there.
    folder.put("app.log.gz", b"\x1f\x8b\x08\0\0");
    for (arguments, said) in [
        (
            &["none.log"][..],
            "tower-memory-report: can't open none.log: ",
        ),
        (
            &["--html", "none/app.html"],
            "tower-memory-report: can't write none/app.html: ",
        ),
    ] {
        let run = folder.run(&[&["app.log.gz"], arguments].concat());
        assert!(run.err.starts_with(said), "{}", run.err);
    }
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read() {
    let folder = Folder::new();
    let pipe = folder.path("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("it starts").success());
    let writer = thread::spawn(move || fs::write(pipe, log(&[quiet("/a", 0)])));
    let report = folder.run(&["pipe"]).report();
    assert_eq!(row(&report, "/a")[1], "1");
    writer.join().expect("no panic").expect("all was read");
}

#[test]
fn who_reads_only_the_first_lines_gets_the_page_all_the_same() {
    let folder = Folder::with(log(&[quiet("/a", 0)]));
    let mut command = folder.command(&["app.log"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(folder.names(), ["app.log", "app.report.html"]);
}
