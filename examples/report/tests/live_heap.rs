//! Whose live heap rises, from a log that says what requests of each route own.

#[path = "support/log_lines.rs"]
mod log_lines;
#[path = "support/report.rs"]
mod report;

use self::{
    log_lines::Entry,
    report::{Folder, row, unbroken},
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A route's live heap at each of its requests.
type Route<'a> = (&'a str, &'a dyn Fn(u64) -> u64);

/// Each route has this many requests a minute, for this many minutes. Beside the routes' memory, this much is
/// nobody's.
fn log_of(
    minutes: u64,
    a_minute: u64,
    routes: &[Route<'_>],
    nobody: impl Fn(u64) -> u64,
) -> String {
    let mut log = String::new();
    for n in 0..minutes * a_minute {
        let owned: u64 = routes.iter().map(|(_, live)| live(n)).sum();
        for (place, (name, live)) in routes.iter().enumerate() {
            let mut said = Entry::owned(name, 0, live(n), owned + nobody(n));
            said.at = n * 60_000_000 / a_minute + place as u64;
            log += &said.flat();
        }
    }
    log
}

fn report_of(minutes: u64, routes: &[Route<'_>]) -> (String, String) {
    Folder::with(log_of(minutes, 10, routes, |_| 100 * MIB)).report()
}

/// Live heap, its change and its trend.
fn live<'a>(report: &'a str, route: &str) -> [&'a str; 3] {
    let row = row(report, route);
    [row[2], row[3], row[4]]
}

#[test]
fn a_route_that_keeps_more_with_each_request_leads_with_start_end_and_bytes_per_request() {
    let (report, page) = report_of(
        30,
        &[("/leak", &|n| MIB + n * 64 * KIB), ("/steady", &|_| 0)],
    );
    let expected =
        "/leak rises: it held 1.0 MiB at the start and 19.7 MiB at the end, 64.0 KiB per request.";
    let body = report.split_once("\n\n").expect("a paragraph").1;
    assert!(body.starts_with(expected), "{report}");
    assert!(
        page.contains(&format!("<ul class=\"said\"><li>{expected}")),
        "{page}"
    );
    assert_eq!(live(&report, "/leak"), ["19.7 MiB", "+18.7 MiB", "rises"]);
    assert_eq!(live(&report, "/steady"), ["0 B", "0 B", "flat"]);
    assert!(
        unbroken(&report).contains("Look for what this route stores"),
        "{report}"
    );
    // Its plot, and of no route that doesn't rise.
    assert_eq!(page.matches("aria-label=\"Live heap of /leak\"").count(), 1);
    assert!(!page.contains("\"Live heap of /steady\""), "{page}");
}

#[test]
fn sixty_four_bytes_a_request_are_enough_to_rise() {
    let (report, _) = Folder::with(log_of(
        30,
        700,
        &[("/small", &|n| n * 64), ("/none", &|n| n % 7 * 656)],
        |_| 100 * MIB,
    ))
    .report();
    assert!(
        report.contains("/small rises: it held 0 B at the start"),
        "{report}"
    );
    assert!(report.contains(", 64 B per request."), "{report}");
    assert_eq!(live(&report, "/none")[2], "flat");
}

#[test]
fn a_bounded_cache_is_flat_once_it_is_full_and_what_others_free_falls() {
    let filled = |n: u64| n.min(150) * 128 * KIB;
    let emptied = |n: u64| 50 * MIB - n.min(290) * 128 * KIB;
    let bursts = |n: u64| n % 10 * 30 * MIB;
    let (report, page) = report_of(
        30,
        &[
            ("/cache", &filled),
            ("/queue", &emptied),
            ("/burst", &bursts),
        ],
    );
    assert_eq!(live(&report, "/cache"), ["18.8 MiB", "+18.8 MiB", "flat"]);
    assert_eq!(live(&report, "/queue")[2], "falls");
    assert_eq!(live(&report, "/burst")[2], "flat");
    for text in [&report, &page] {
        assert!(!text.contains(" rises: it held"), "{text}");
        assert!(
            text.contains("No route's live heap rises. /burst holds most live heap"),
            "{text}"
        );
    }
}

#[test]
fn routes_that_rise_come_first_then_those_that_hold_most() {
    let (report, _) = report_of(
        30,
        &[
            ("/large", &|_| 500 * MIB),
            ("/medium", &|_| 50 * MIB),
            ("/leak", &|n| n * 8 * KIB),
            ("/steeper", &|n| n * 16 * KIB),
        ],
    );
    let names: Vec<_> = ["/steeper", "/leak", "/large", "/medium"]
        .map(|name| report.find(&format!("\n{name} ")).expect("a row"))
        .into();
    assert!(names.is_sorted(), "{report}");
    assert!(report.contains("\n/steeper rises: "), "{report}");
    assert!(report.contains("\n/leak rises: "), "{report}");
}

#[test]
fn live_heap_that_nobody_owns_is_told_where_it_rises_and_no_route_does() {
    let steady: Route<'_> = ("/steady", &|_| 5 * MIB);
    let report = |nobody: &dyn Fn(u64) -> u64, routes: &[Route<'_>]| {
        unbroken(&Folder::with(log_of(30, 10, routes, nobody)).report().0)
    };
    let rising = report(&|n| 50 * MIB + n * 200 * KIB, &[steady]);
    for expected in [
        "Live heap that no request owns rises, and no route does: its low in each third of the period is 50.0 MiB, 69.5 MiB, 89.1 MiB.",
        "small `Bytes` or header values that are kept (each pins a whole read buffer: copy them)",
        "tasks that carry no request",
    ] {
        assert!(rising.contains(expected), "{rising}");
    }
    // A route's memory is not nobody's, whether or not it existed before the route's first request.
    let leak: Route<'_> = ("/leak", &|n| n * 200 * KIB);
    let owned = report(&|_| 50 * MIB, &[steady, leak]);
    assert!(
        owned.contains("Live heap that no request owns doesn't rise: 50.0 MiB at the end."),
        "{owned}"
    );
}

#[test]
fn warnings_alone_say_nothing_of_what_nobody_owns_and_of_each_request() {
    let log = log_of(30, 10, &[("/leak", &|n| n * 200 * KIB)], |n| n * MIB);
    let log = log.replace("\"DEBUG\"", "\"WARN\"").replace(
        "\"verdict\":\"within_threshold\"",
        "\"verdict\":\"retained\",\"warnings.suppressed\":3",
    );
    let report = unbroken(&Folder::with(log).report().0);
    assert!(
        report.contains("/leak rises: it held 0 B at the start and 58.4 MiB at the end. "),
        "{report}"
    );
    assert!(!report.contains("no request owns"), "{report}");
    assert!(
        report.contains("Warnings are an uneven sample of the time"),
        "{report}"
    );
}

#[test]
fn without_owners_the_report_goes_by_what_was_retained_and_says_so() {
    let log = log_of(30, 10, &[("/leak", &|n| n * 200 * KIB)], |_| 0);
    let older: String = log
        .lines()
        .map(|line| {
            let (start, rest) = line.split_once(",\"heap.route_live\":").expect("a field");
            let (_, end) = rest.split_once(',').expect("more");
            format!("{start},{end}\n")
        })
        .collect();
    let (report, page) = Folder::with(older).report();
    for text in [&unbroken(&report), &page] {
        assert!(
            text.contains("Live heap by route is not in this log."),
            "{text}"
        );
        assert!(!text.contains("rises: it held"), "{text}");
    }
    assert!(report.contains("  RETAINED "), "{report}");
    assert!(!page.contains("Live heap of "), "{page}");
}

#[test]
fn a_log_of_less_than_an_hour_is_told_by_the_minute_and_has_a_trend_from_six_minutes_on() {
    let leak: Route<'_> = ("/leak", &|n| n * MIB);
    let (report, page) = report_of(50, &[leak]);
    let rows = report
        .lines()
        .skip_while(|line| !line.starts_with("BY MINUTE "));
    let rows: Vec<_> = rows.skip(1).take_while(|line| !line.is_empty()).collect();
    assert_eq!(rows.len(), 50, "{report}");
    assert!(rows[49].starts_with("2026-01-01 00:49 "), "{report}");
    assert!(page.contains(">By minute<"), "{page}");
    assert!(
        unbroken(&report).contains("The live heap rises: its low in each third"),
        "{report}"
    );
    assert!(unbroken(&report).contains(" a minute)."), "{report}");

    let brief = unbroken(&report_of(5, &[leak]).0);
    let expected = "Too short for a trend: it takes readings in 6 minutes or more, at least two of them in each third of the period. This log has 5.";
    assert!(brief.contains(expected), "{brief}");
    assert!(
        brief.contains(
            "/leak holds most live heap: 49.0 MiB (+49.0 MiB since its first request in this log)."
        ),
        "{brief}"
    );
    assert!(report_of(6, &[leak]).0.contains("/leak rises: "));
}

#[test]
fn longer_logs_are_told_in_longer_steps_that_begin_where_their_length_says() {
    for (minutes, step, first) in [
        (61, "MINUTE", "00:00"),
        (62, "5 MINUTES", "00:00"),
        (6 * 60, "15 MINUTES", "00:00"),
        (12 * 60, "HOUR", "00:00"),
    ] {
        let (report, _) = report_of(minutes, &[("/", &|_| 0)]);
        let head = format!("BY {step} ");
        let mut rows = report.lines().skip_while(|line| !line.starts_with(&head));
        let first = format!("2026-01-01 {first} ");
        assert!(
            rows.nth(1).is_some_and(|row| row.starts_with(&first)),
            "{step}: {report}"
        );
    }
}

#[test]
fn figures_don_t_depend_on_the_order_of_the_log() {
    let log = log_of(
        200,
        10,
        &[("/leak", &|n| n * KIB), ("/cache", &|n| n.min(700) * MIB)],
        |n| n * 3 * KIB,
    );
    let mut lines: Vec<_> = log.split_inclusive('\n').collect();
    let in_order = Folder::with(lines.concat()).report();
    lines.reverse();
    assert_eq!(Folder::with(lines.concat()).report(), in_order);
    lines.sort_by_key(|line| line.len() * 7919 % 101);
    assert_eq!(Folder::with(lines.concat()).report(), in_order);
}

#[test]
fn what_is_unsent_or_in_use_by_work_is_told_of_its_route() {
    let log = log_of(1, 10, &[("/slow", &|_| 70 * MIB)], |_| 0)
        .replace("\"heap.unsent\":0", "\"heap.unsent\":52428800")
        .replace("\"heap.running\":0", "\"heap.running\":1048576")
        .replace("within_threshold", "unsent");
    let (report, page) = Folder::with(log).report();
    let report = unbroken(&report);
    assert!(
        report.contains("unsent up to 50.0 MiB, running up to 1.0 MiB"),
        "{report}"
    );
    assert!(report.contains("a timeout for slow clients"), "{report}");
    assert!(page.contains("<td>50.0 MiB</td><td>1.0 MiB</td>"), "{page}");
}

#[test]
fn a_route_that_retains_what_doesn_t_rise_isn_t_sent_looking_for_a_leak() {
    let log = log_of(30, 10, &[("/cache", &|_| 70 * MIB)], |_| 0);
    let log = log.replacen("within_threshold", "retained", 3);
    let report = unbroken(&Folder::with(log).report().0);
    assert!(
        report.contains("What this route stores doesn't rise"),
        "{report}"
    );
    assert!(
        !report.contains("Look for what this route stores"),
        "{report}"
    );
}
