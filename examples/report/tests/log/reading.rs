//! Logs as they come.

use super::*;

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
