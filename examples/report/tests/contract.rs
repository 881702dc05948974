//! The report of logs that tower-memory itself wrote, so that names and meaning of the fields hold from one end to the
//! other.

#[cfg(target_os = "linux")]
#[path = "../../../tests/support/built.rs"]
mod built;
#[path = "../../../tests/support/lines.rs"]
#[allow(dead_code, unreachable_pub)] // Only its table of fields is needed here.
mod lines;
#[path = "support/log_lines.rs"]
mod log_lines;
#[path = "support/report.rs"]
mod report;

use self::{
    lines::contract,
    log_lines::Entry,
    report::{Folder, row, unbroken},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use std::{
    convert::Infallible,
    io::{self, Write},
    mem,
    sync::{Condvar, Mutex, Once, mpsc},
    thread,
    time::Duration,
};
use tower::{Layer, ServiceExt, service_fn};
use tower_memory::{
    Log, MIB, MemoryLayer, ReadResident, Resident, Route,
    heap::{CurrentRequest, TrackingAllocator},
};
use tracing::{Instrument, Level, Subscriber, info_span, level_filters::LevelFilter};
use tracing_subscriber::{fmt, layer::SubscriberExt, registry::LookupSpan};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// The lines of one test, from a level upwards, flattened or not.
struct TestLog {
    test: &'static str,
    level: Level,
    flat: bool,
}

/// A line, with the test whose span it was written in. Reports may come from another thread than the test's.
struct Line {
    test: String,
    warns: bool,
    flat: bool,
    text: Vec<u8>,
}

static LINES: Mutex<Vec<Line>> = Mutex::new(Vec::new());
static WRITTEN: Condvar = Condvar::new();

/// Where the subscriber writes a line at once.
struct Lines {
    flat: bool,
}

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let line: Value = serde_json::from_slice(text)?;
        let Some(test) = line["span"]["test"].as_str() else {
            return Ok(text.len());
        };
        LINES.lock().expect("not poisoned").push(Line {
            test: test.to_owned(),
            warns: line["level"] == "WARN",
            flat: self.flat,
            text: text.to_owned(),
        });
        WRITTEN.notify_all();
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes events as JSON, flattened or not.
fn json<S>(flat: bool) -> impl tracing_subscriber::Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = fmt::layer().json().flatten_event(flat);
    layer.with_writer(move || Lines { flat })
}

fn listen(test: &'static str, level: Level, flat: bool) -> TestLog {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let subscriber = tracing_subscriber::registry()
            .with(LevelFilter::DEBUG)
            .with(json(true))
            .with(json(false));
        tracing::subscriber::set_global_default(subscriber).expect("the only one");
    });
    TestLog { test, level, flat }
}

impl TestLog {
    /// Serves one request to `route` that does `work`, in a span with a field of the same name as one of the log's.
    async fn serve(&self, layer: &MemoryLayer, route: &'static str, work: impl Fn()) {
        let layer = layer.clone().route_with(move |_| Some(Route::from(route)));
        let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
            work();
            std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
        }));
        let span = info_span!(
            "request",
            test = self.test,
            http.route = "/of/the/span",
            verdict = "none"
        );
        let answering = async {
            let request = Request::new(Full::default());
            let response = service.oneshot(request).await.expect("it answers");
            response.into_body().collect().await.expect("all of it");
        };
        answering.instrument(span).await;
    }

    /// The text, once it has this many lines.
    fn lines(&self, lines: usize) -> Vec<u8> {
        let all = LINES.lock().expect("not poisoned");
        let own = |line: &&Line| {
            let is_told = line.warns || self.level == Level::DEBUG;
            line.test == self.test && line.flat == self.flat && is_told
        };
        let lacks = |all: &mut Vec<Line>| all.iter().filter(own).count() < lines;
        let (all, waited) = WRITTEN
            .wait_timeout_while(all, Duration::from_secs(60), lacks)
            .expect("not poisoned");
        let text: Vec<_> = all.iter().filter(own).map(|line| &*line.text).collect();
        let text = text.concat();
        let told = String::from_utf8_lossy(&text);
        assert!(!waited.timed_out(), "not {lines} lines:\n{told}");
        text
    }

    fn report(&self, lines: usize) -> (String, String) {
        Folder::with(self.lines(lines)).report()
    }
}

/// Whether the report says that `route` holds most: live heap or, where blocks have no owner, the bytes its requests
/// retained.
fn holds_most(report: &str, route: &str, size: &str) -> bool {
    report.contains(&format!("{route} holds most live heap: {size} "))
        || report.contains(&format!(
            "{route} retains most: {size} outlive its requests."
        ))
}

fn keep_20_mib() {
    mem::forget(vec![1_u8; 20 << 20]);
}

/// Warns above 10 MiB.
fn layer() -> MemoryLayer {
    MemoryLayer::new()
        .warn_above(10 * MIB)
        .resolution(Duration::ZERO)
}

/// The names of all verdicts.
fn verdicts() -> Vec<&'static str> {
    let source = include_str!("../../../src/verdict/mod.rs");
    let (_, names) = source.split_once("NAMES: ").expect("where they were");
    let (names, _) = names.split_once("];").expect("their end");
    let names: Vec<_> = names.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 5, "they are not where they were");
    names
}

#[test]
fn every_field_that_is_read_is_in_the_contract() {
    let source = include_str!("../src/event.rs");
    let parts = source.split("rename = \"").skip(1);
    let read: Vec<_> = parts.filter_map(|part| part.split('"').next()).collect();
    assert!(read.len() > 10, "they are not where they were");
    let contract = contract();
    for name in read {
        // From an event of its own, which the contract of requests doesn't have.
        let known = contract.iter().any(|row| row.name == name) || name == "reclaim.bytes";
        assert!(known, "{name}");
    }
}

#[test]
fn every_verdict_of_the_log_is_told_by_its_name() {
    let names = verdicts();
    let said = names.iter().map(|verdict| Entry {
        verdict,
        route: "/".to_owned(),
        ..Entry::numbered(0)
    });
    let log: String = said.map(|said| said.flat()).collect();
    let report = unbroken(&Folder::with(log).report().0);
    let told: Vec<_> = names.iter().map(|name| format!("1 {name}")).collect();
    assert!(report.contains(&told.join(", ")), "{report}");
    assert!(!report.contains("unknown"), "{report}");
}

#[test]
fn every_verdict_and_every_route_has_a_next_step() {
    for verdict in verdicts().into_iter().chain(["of_a_later_version"]) {
        for growth in [0, 200 * MIB] {
            let said = Entry {
                verdict,
                growth,
                route: "/".to_owned(),
                ..Entry::numbered(0)
            };
            let (report, page) = Folder::with(said.flat()).report();
            let report = unbroken(&report);
            if growth > 0 && verdict != "other_requests" {
                let (_, meaning) = report.split_once("of it came as ").expect("a cause");
                let doubt = meaning.starts_with("unknown");
                assert_eq!(doubt, verdict == "of_a_later_version", "{report}");
            }
            let step = next_step(&page, "/");
            assert!(step.len() > 5, "{verdict}: {page}");
            // As a line of the route, or in the sentence for all routes without one.
            assert!(report.contains(step), "{verdict}: {report}");
        }
    }
}

#[tokio::test]
async fn requests_that_retain_are_told_with_what_they_retain_in_both_layouts() {
    // Live heap covers all requests of a route, so each test has its own route.
    for (flat, test, leak) in [(true, "flat", "/flat"), (false, "nested", "/nested")] {
        let log = listen(test, Level::DEBUG, flat);
        let layer = layer();
        for _ in 0..3 {
            log.serve(&layer, leak, keep_20_mib).await;
        }
        log.serve(&layer, "/steady", || ()).await;
        let (report, _) = log.report(7);
        assert_eq!(row(&report, leak)[1..3], ["3", "60.0 MiB"]);
        assert_eq!(row(&report, "/steady")[1], "1");
        let report = unbroken(&report);
        for expected in [
            "7 lines (",
            "7 events of requests",
            "Covers all requests, by their DEBUG events: 4.",
            "3 warnings, 3 retained",
        ] {
            assert!(report.contains(expected), "{expected:?}: {report}");
        }
        assert!(holds_most(&report, leak, "60.0 MiB"), "{report}");
        assert!(!report.contains("/of/the/span"), "{report}");
        assert!(!report.contains("skipped"), "{report}");
    }
}

#[tokio::test]
async fn what_one_request_keeps_and_the_next_frees_is_not_retained() {
    let log = listen("cache", Level::DEBUG, true);
    let kept = Mutex::new(Vec::new());
    let layer = layer();
    for bytes in [20 << 20, 0] {
        let store = || *kept.lock().expect("not poisoned") = vec![1_u8; bytes];
        log.serve(&layer, "/cache", store).await;
        // A later report would find nothing live.
        log.lines(2);
    }
    let (report, _) = log.report(3);
    let held = row(&report, "/cache")[2];
    assert!(held.ends_with(" B") || held.ends_with(" KiB"), "{report}");
    assert!(report.contains("1 retained"), "{report}");
}

#[tokio::test]
async fn at_warn_the_suppressed_are_told_beside_the_warned() {
    let log = listen("limited", Level::WARN, true);
    // One for each route a minute: the first, and of another layer with its own count the first again.
    let limited = || {
        layer()
            .without_log()
            .on_report(Log::new().warnings_per_minute(1))
    };
    let (one, two) = (limited(), limited());
    for layer in [&one, &one, &two] {
        log.serve(layer, "/limited", keep_20_mib).await;
    }
    let (report, _) = log.report(2);
    assert_eq!(row(&report, "/limited")[1], "2");
    assert!(
        report.contains("Covers only requests with a warning, 2:"),
        "{report}"
    );
}

#[tokio::test]
async fn work_that_outlives_its_request_is_of_its_route_and_no_request() {
    let log = listen("spawn", Level::DEBUG, true);
    let (begin, begun) = mpsc::channel::<()>();
    let begun = Mutex::new(Some(begun));
    let (task, tasks) = mpsc::channel();
    log.serve(&layer(), "/spawn", || {
        let begun = begun.lock().expect("not poisoned").take().expect("once");
        let work = CurrentRequest::carry_fn(move || {
            begun.recv().expect("told");
            keep_20_mib();
        });
        task.send(thread::spawn(work)).expect("sent");
    })
    .await;
    log.lines(1);
    begin.send(()).expect("it waits");
    let thread = tasks.recv().expect("one");
    thread.join().expect("no panic");
    let (report, _) = log.report(3);
    assert_eq!(row(&report, "/spawn")[1..3], ["1", "20.0 MiB"]);
    let report = unbroken(&report);
    for part in ["1 warning, ", "1 piece of late work, 1 within_threshold"] {
        assert!(report.contains(part), "{report}");
    }
    assert!(report.contains("3 events of requests"), "{report}");
}

/// A given resident set, in MiB: first at the start of a request, then at its end.
struct Readings(Mutex<Vec<Option<u64>>>);

impl ReadResident for Readings {
    fn read(&self) -> io::Result<Resident> {
        let next = self.0.lock().expect("not poisoned").pop().flatten();
        let mib = next.ok_or_else(|| io::Error::other("the sensor is broken"))?;
        Ok(Resident::new(mib * MIB, 0))
    }

    fn may_block(&self) -> bool {
        false
    }
}

fn reads(mut mib: Vec<Option<u64>>) -> MemoryLayer {
    mib.reverse();
    layer().reader(Readings(Mutex::new(mib)))
}

#[tokio::test]
async fn what_could_not_be_read_is_no_growth_of_nothing() {
    let log = listen("unreadable", Level::DEBUG, true);
    let layer = reads(vec![None, None, Some(300), Some(100)]);
    log.serve(&layer, "/unreadable", || ()).await;
    log.serve(&layer, "/shrinks", || ()).await;
    let (report, page) = log.report(3);
    assert!(
        row(&report, "/unreadable")[3..].contains(&"0 B"),
        "{report}"
    );
    assert!(
        !row(&report, "/unreadable").contains(&"300.0 MiB"),
        "{report}"
    );
    assert!(report.contains("1 unreadable"), "{report}");
    assert!(
        unbroken(&report).contains("1 other of tower_memory"),
        "{report}"
    );
    let shrinks = page.split_once(">/shrinks</th>").expect("a row").1;
    assert!(shrinks.contains("<td>200.0 MiB</td>"), "{shrinks}");
    assert!(
        report.contains("RSS MAX") && report.contains("300.0 MiB"),
        "{report}"
    );
}

#[tokio::test]
async fn the_next_step_is_that_of_the_log() {
    let log = listen("steps", Level::WARN, true);
    log.serve(&reads(vec![Some(100), Some(160)]), "/mystery", || ())
        .await;
    log.serve(&layer(), "/stores", keep_20_mib).await;
    let text = String::from_utf8(log.lines(2)).expect("text");
    let (report, page) = log.report(2);
    let report = unbroken(&report);
    for route in ["/mystery", "/stores"] {
        let step = next_step(&page, route);
        assert!(text.contains(step), "{step}: {text}");
        // Of the route, and in the message of its growth.
        assert_eq!(report.matches(step).count(), 2, "{step}: {report}");
    }
}

/// The next step of a route, as on the page.
fn next_step<'a>(page: &'a str, route: &str) -> &'a str {
    let head = format!("<th scope=\"row\">{route}</th>");
    let (_, row) = page.split_once(&head).expect("a row");
    let (_, step) = row.split_once("<td class=\"words\">").expect("words");
    let (step, _) = step.split_once("</td>").expect("its end");
    step.split(". ").next().expect("a part")
}

#[cfg(target_os = "linux")]
mod zoo {
    use super::*;
    use std::{
        env,
        io::{BufRead, BufReader},
        process::{Child, Command, Stdio},
    };

    const HOW: &str = "cargo build --features dashboard --example zoo";

    /// The zoo, killed when it is dropped.
    struct Zoo(Child);

    impl Drop for Zoo {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    async fn ask(address: &str, path: &str) {
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new());
        let uri = format!("http://{address}{path}").parse().expect("valid");
        let response = client
            .build_http::<Full<Bytes>>()
            .get(uri)
            .await
            .expect("an answer");
        response.into_body().collect().await.expect("all of it");
    }

    #[tokio::test]
    async fn the_zoo_is_told_from_its_log() {
        let zoo = built::path("zoo");
        if !zoo.is_file() {
            // Of another package, so that cargo builds it for this test only where it runs those of all.
            let is_ci = env::var("CI").as_deref() == Ok("true");
            assert!(!is_ci, "no {zoo:?}: {HOW}");
            eprintln!("skipped, no {zoo:?}: {HOW}");
            return;
        }
        let mut zoo = Command::new(zoo);
        let zoo = zoo
            .args(["--json", "--port", "0"])
            .env("RUST_LOG", "tower_memory=debug");
        let mut zoo = Zoo(zoo.stdout(Stdio::piped()).spawn().expect("it starts"));
        let mut log = BufReader::new(zoo.0.stdout.take().expect("piped"));
        let mut first = String::new();
        log.read_line(&mut first).expect("text");
        let (_, address) = first.trim().split_once("http://").expect("an address");
        for path in [
            "/leak?mib=128",
            "/steady",
            "/leak?mib=128",
            "/burst?mib=8",
            // Long enough to outlive its request, and too little for a warning where it began.
            "/spawn?mib=1&ms=300",
        ] {
            ask(address, path).await;
        }
        // Five reports and the late work, in whatever order.
        let mut text = first.clone();
        let late = "\"event\":\"late_work\"";
        while ["\"DEBUG\"", late].map(|part| text.matches(part).count()) != [6, 1] {
            assert_ne!(
                log.read_line(&mut text).expect("text"),
                0,
                "it ended: {text}"
            );
        }
        drop(zoo);
        let folder = Folder::with(&text);
        let report = folder.run(&["app.log"]).report();
        assert_eq!(row(&report, "/leak")[1..3], ["2", "256.0 MiB"]);
        for route in ["/steady", "/burst", "/spawn"] {
            assert_eq!(row(&report, route)[1], "1");
        }
        let report = unbroken(&report);
        for expected in [
            "1 of others, skipped",
            "Covers all requests, by their DEBUG events: 5.",
            "2 warnings, 2 retained",
            "1 piece of late work",
        ] {
            assert!(report.contains(expected), "{expected:?}: {report}");
        }
        assert!(holds_most(&report, "/leak", "256.0 MiB"), "{report}");
    }
}
