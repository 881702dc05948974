//! The metrics that mtail reads from log lines.

use super::{has, run};
use std::{
    env,
    sync::atomic::{AtomicU32, Ordering},
};

/// mtail's metrics after these lines.
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    fn of(lines: &[String]) -> Option<Self> {
        static LOGS: AtomicU32 = AtomicU32::new(0);
        if !has(&["mtail"]) {
            return None;
        }
        let number = LOGS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tower-memory-{}-{number}.log", std::process::id());
        let log = env::temp_dir().join(name);
        std::fs::write(&log, lines.join("\n") + "\n").expect("written");
        let path = log.to_str().expect("text");
        // It takes a port even for this.
        let arguments =
            "--address 127.0.0.1 --port 0 --one_shot --one_shot_format prometheus --progs . --logs";
        let arguments: Vec<_> = arguments.split(' ').chain([path]).collect();
        let metrics = run("mtail", &arguments);
        std::fs::remove_file(&log).expect("removed");
        Some(Self(metrics))
    }

    /// The value of `name{labels}`, with the labels in the order of their names.
    fn get(&self, name: &str) -> Option<f64> {
        let value = |line: &str| {
            let line = line.replace(r#"prog="tower_memory.mtail","#, "");
            let line = line.replace(r#"{prog="tower_memory.mtail"}"#, "");
            let value = line.strip_prefix("tower_memory_")?.strip_prefix(name)?;
            value.strip_prefix(' ')?.parse().ok()
        };
        self.0.lines().find_map(value)
    }

    #[track_caller]
    pub(crate) fn assert(&self, expected: &[(&str, f64)]) {
        for (name, value) in expected {
            assert_eq!(self.get(name), Some(*value), "{name} in\n{}", self.0);
        }
    }
}

/// A line, given the text between its message and its target.
fn line(level: &str, fields: &str) -> String {
    format!(
        r#"{{"timestamp":"2026-01-02T03:04:05.678901Z","level":"{level}","message":"m",{fields},"target":"tower_memory"}}"#
    )
}

const LEAK: &str = r#""http.request.method":"GET","http.route":"/leak","http.response.status_code":200,"http.response.body.size":23,"outcome":"completed","duration_ms":104.082,"memory.before":100,"memory.after":350,"memory.growth":250,"memory.shrink":0,"memory.shared_growth":0,"heap.allocated":240,"heap.freed":20,"heap.allocations":13,"heap.peak":230,"heap.received":0,"heap.handed_off":20,"heap.retained":200,"heap.released":0,"heap.unsent":10,"heap.running":5,"heap.live":300,"heap.route_live":220,"requests.overlapping":0,"verdict":"retained","explanation":"200 B (240 B allocated, \"20 B freed\") are live. Look for it","event":"request""#;

#[test]
fn a_warning_becomes_metrics_of_its_route_and_verdict() {
    let warning = line("WARN", &format!(r#"{LEAK},"warnings.suppressed":3"#));
    let Some(metrics) = Metrics::of(&[warning]) else {
        return;
    };
    metrics.assert(&[
        (
            r#"warnings_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        (r#"warnings_suppressed_total{route="/leak"}"#, 3.0),
        (
            r#"growth_bytes_total{route="/leak",verdict="retained"}"#,
            250.0,
        ),
        (
            r#"shrink_bytes_total{route="/leak",verdict="retained"}"#,
            0.0,
        ),
        (
            r#"retained_bytes_total{route="/leak",verdict="retained"}"#,
            200.0,
        ),
        (
            r#"last_warning_bytes{route="/leak",verdict="retained"}"#,
            200.0,
        ),
        (
            r#"last_warning_timestamp_seconds{route="/leak",verdict="retained"}"#,
            1_767_323_045.0,
        ),
        (r#"heap_peak_bytes_sum{route="/leak"}"#, 230.0),
        ("rss_bytes", 350.0),
        ("heap_live_bytes", 300.0),
        (r#"route_live_bytes{route="/leak"}"#, 220.0),
        ("lines_total", 1.0),
        ("lines_unparsed_total", 0.0),
    ]);
}

#[test]
fn a_request_with_a_debug_event_and_a_warning_counts_once() {
    let warning = line("WARN", &format!(r#"{LEAK},"warnings.suppressed":0"#));
    let Some(metrics) = Metrics::of(&[line("DEBUG", LEAK), warning]) else {
        return;
    };
    metrics.assert(&[
        (
            r#"warnings_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        (
            r#"requests_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        (
            r#"growth_bytes_total{route="/leak",verdict="retained"}"#,
            250.0,
        ),
        (r#"heap_peak_bytes_count{route="/leak"}"#, 1.0),
        ("lines_total", 2.0),
    ]);
}

#[test]
fn fields_without_a_value_leave_their_metrics_as_they_are() {
    let bare = r#""http.request.method":"GET","http.route":"unmatched","outcome":"cancelled","duration_ms":6.8,"requests.overlapping":0,"verdict":"unreadable","event":"request""#;
    let Some(metrics) = Metrics::of(&[line("DEBUG", LEAK), line("DEBUG", bare)]) else {
        return;
    };
    metrics.assert(&[
        ("rss_bytes", 350.0),
        ("heap_live_bytes", 300.0),
        ("readings_unreadable_total", 1.0),
        (
            r#"requests_total{method="GET",route="unmatched",verdict="unreadable"}"#,
            1.0,
        ),
        ("lines_unparsed_total", 0.0),
    ]);
    let growth = r#"growth_bytes_total{route="unmatched",verdict="unreadable"}"#;
    assert_eq!(metrics.get(growth), None);
}

#[test]
fn quotes_and_braces_of_a_route_and_the_fields_of_spans_do_not_confuse_it() {
    let fields = LEAK.replace("/leak", r#"/q\"{x}\\"#);
    let fields = fields.replace(r#""heap.live":300,"#, "");
    let line = line("DEBUG", &fields).replace(
        r#""message":"m""#,
        r#""message":"on /q\"{x}\\: \"heap.live\":7""#,
    );
    let span = r#"{"heap.live":999,"memory.after":999,"name":"request"}"#;
    let line = line.strip_suffix('}').expect("closed").to_owned()
        + &format!(r#","span":{span},"spans":[{span}]}}"#);
    let Some(metrics) = Metrics::of(&[line]) else {
        return;
    };
    metrics.assert(&[
        // Each backslash of the JSON, escaped again by Prometheus.
        (
            r#"retained_bytes_total{route="/q\\\"{x}\\\\",verdict="retained"}"#,
            200.0,
        ),
        ("rss_bytes", 350.0),
    ]);
    assert_eq!(metrics.get("heap_live_bytes"), None);
}

#[test]
fn a_warning_is_about_the_bytes_that_its_verdict_names() {
    let about = [
        ("retained", 200.0),
        ("reserved", 200.0),
        ("running", 5.0),
        ("unsent", 10.0),
        ("peaked", 230.0),
        ("allocator_held", 250.0),
        ("outside", 250.0),
        ("unmetered", 250.0),
    ];
    let warning = |(verdict, _): &(&str, f64)| {
        let fields = LEAK.replace(
            r#""verdict":"retained""#,
            &format!(r#""verdict":"{verdict}""#),
        );
        line("WARN", &format!(r#"{fields},"warnings.suppressed":0"#))
    };
    let Some(metrics) = Metrics::of(&about.each_ref().map(warning)) else {
        return;
    };
    for (verdict, bytes) in about {
        let name = format!(r#"last_warning_bytes{{route="/leak",verdict="{verdict}"}}"#);
        metrics.assert(&[(&name, bytes)]);
    }
    metrics.assert(&[("lines_unparsed_total", 0.0)]);
}

#[test]
fn the_live_heap_of_a_route_is_that_of_its_last_line() {
    let last = LEAK.replace(r#""heap.route_live":220"#, r#""heap.route_live":0"#);
    let other = LEAK.replace("/leak", "/other");
    let Some(metrics) = Metrics::of(&[LEAK, &other, &last].map(|fields| line("DEBUG", fields)))
    else {
        return;
    };
    metrics.assert(&[
        (r#"route_live_bytes{route="/leak"}"#, 0.0),
        (r#"route_live_bytes{route="/other"}"#, 220.0),
    ]);
}

#[test]
fn lines_of_blocks_that_have_no_owner_have_no_live_heap_by_route() {
    let fields = LEAK.replace(r#""heap.route_live":220,"#, "");
    let Some(metrics) = Metrics::of(&[line("DEBUG", &fields)]) else {
        return;
    };
    metrics.assert(&[("heap_live_bytes", 300.0), ("lines_unparsed_total", 0.0)]);
    assert_eq!(metrics.get(r#"route_live_bytes{route="/leak"}"#), None);
}

#[test]
fn methods_that_clients_make_up_share_one_label() {
    let lines = ["A", "B", "C"].map(|m| line("DEBUG", &LEAK.replace("GET", m)));
    let Some(metrics) = Metrics::of(&lines) else {
        return;
    };
    let name = r#"requests_total{method="_OTHER",route="/leak",verdict="retained"}"#;
    metrics.assert(&[(name, 3.0)]);
}

#[test]
fn work_that_outlives_its_request_is_counted_apart() {
    let late = r#""http.request.method":"GET","http.route":"/spawn","heap.allocated":9,"heap.freed":2,"heap.allocations":1,"heap.peak":9,"heap.retained":7,"heap.released":0,"heap.route_live":77,"verdict":"retained","explanation":"7 B are live","event":"late_work""#;
    let warning = format!(r#"{late},"warnings.suppressed":0"#);
    let Some(metrics) = Metrics::of(&[line("DEBUG", late), line("WARN", &warning)]) else {
        return;
    };
    metrics.assert(&[
        (r#"late_work_total{route="/spawn",verdict="retained"}"#, 1.0),
        (
            r#"retained_bytes_total{route="/spawn",verdict="retained"}"#,
            7.0,
        ),
        (
            r#"last_warning_bytes{route="/spawn",verdict="retained"}"#,
            7.0,
        ),
        (r#"route_live_bytes{route="/spawn"}"#, 77.0),
    ]);
}

#[test]
fn the_monitor_counts_what_it_can_not_read() {
    let lines = [
        line("INFO", r#""reclaim.bytes":64,"reclaim.duration_ms":15.6,"memory.before":90,"memory.after":26,"event":"reclaim""#),
        line("WARN", r#""error":"the \"sensor\" is broken","event":"unreadable""#),
        line("WARN", r#""error":"no thread is left","event":"reclaim_failed""#),
        line("WARN", r#""error":"no cgroup""#),
        // Not flattened, not JSON, of another crate, and cut short.
        r#"{"timestamp":"2026-01-02T03:04:05Z","level":"WARN","fields":{"message":"m"},"target":"tower_memory"}"#.to_owned(),
        "2026-01-02T03:04:05Z  WARN tower_memory: memory grew".to_owned(),
        line("WARN", LEAK).replace("tower_memory", "app"),
        line("WARN", LEAK)[..200].to_owned(),
    ];
    let Some(metrics) = Metrics::of(&lines) else {
        return;
    };
    metrics.assert(&[
        ("readings_unreadable_total", 1.0),
        ("reclaimed_bytes_total", 64.0),
        ("rss_bytes", 26.0),
        ("lines_total", 4.0),
        ("lines_unparsed_total", 2.0),
    ]);
}

#[test]
fn lines_whose_time_is_not_of_rfc_3339_are_counted_as_unparsed() {
    let at = |time: &str| line("DEBUG", LEAK).replace("2026-01-02T03:04:05.678901Z", time);
    let unread = [
        "1767323045.678",
        "2026-01-02 03:04:05",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+0200",
        "   0.001234567s",
        "",
    ];
    let reclaimed = line("INFO", r#""reclaim.bytes":64,"memory.after":26"#);
    let reclaimed = reclaimed.replace("2026-01-02T", "yesterday ");
    let lines: Vec<_> = unread.map(at).into_iter().chain([reclaimed]).collect();
    let Some(metrics) = Metrics::of(&lines) else {
        return;
    };
    metrics.assert(&[("lines_total", 0.0), ("lines_unparsed_total", 7.0)]);

    let read = ["2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z"];
    let Some(metrics) = Metrics::of(&read.map(at)) else {
        return;
    };
    metrics.assert(&[
        ("lines_total", 2.0),
        ("lines_unparsed_total", 0.0),
        ("last_reading_timestamp_seconds", 1_767_323_045.0),
    ]);
}
