//! `examples/report` on logs that this very crate wrote, so that names and meaning of the fields hold from one end to the
//! other.

#[path = "support/log_lines.rs"]
mod log_lines;
#[path = "support/report.rs"]
mod report;
mod support;

use self::{
    log_lines::Said,
    report::{Folder, row, unbroken},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{convert::Infallible, io, mem, sync::mpsc, thread, time::Duration};
use support::lines::{Lines, contract};
use tower::{Layer, service_fn};
use tower_memory::{
    Log, MIB, MemoryLayer, ReadResident, Resident, Route,
    heap::{CurrentRequest, TrackingAllocator},
};
use tracing::{Instrument, Level, info_span, subscriber::DefaultGuard};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Writes this thread's events of `level` and above in JSON, flattened or not, until the guard is dropped.
fn listen(level: Level, flat: bool) -> (Lines, DefaultGuard) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(flat)
        .with_max_level(level)
        .with_writer(move || writer.clone())
        .finish();
    (lines, tracing::subscriber::set_default(subscriber))
}

fn report_of(lines: &Lines) -> (String, String) {
    Folder::with(lines.text()).report()
}

/// Serves one request to `route` that does `work`, in a span with a field of the same name as one of the log's.
async fn serve(layer: &MemoryLayer, route: &'static str, work: impl Fn()) {
    let layer = layer.clone().route_with(move |_| Some(Route::from(route)));
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        work();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    let span = info_span!("request", http.route = "/of/the/span", verdict = "none");
    support::read(service).instrument(span).await;
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
    let source = include_str!("../src/verdict/mod.rs");
    let (_, names) = source.split_once("NAMES: ").expect("where they were");
    let (names, _) = names.split_once("];").expect("their end");
    let names: Vec<_> = names.split('"').skip(1).step_by(2).collect();
    assert!(names.len() > 5, "they are not where they were");
    names
}

#[test]
fn every_field_that_is_read_is_in_the_contract() {
    let source = include_str!("../examples/report/event.rs");
    let parts = source.split("rename = \"").skip(1);
    let read: Vec<_> = parts.filter_map(|part| part.split('"').next()).collect();
    assert!(read.len() > 10, "they are not where they were");
    let contract = contract();
    for name in read {
        // Of an event of its own, which the contract of requests doesn't have.
        let known = contract.iter().any(|row| row.name == name) || name == "reclaim.bytes";
        assert!(known, "{name}");
    }
}

#[test]
fn every_verdict_of_the_log_is_told_by_its_name() {
    let names = verdicts();
    let said = names.iter().map(|verdict| Said {
        verdict,
        route: "/".to_owned(),
        ..Said::numbered(0)
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
            let said = Said {
                verdict,
                growth,
                route: "/".to_owned(),
                ..Said::numbered(0)
            };
            let (report, page) = Folder::with(said.flat()).report();
            let report = unbroken(&report);
            if growth > 0 && verdict != "other_requests" {
                let (_, meaning) = report.split_once("of it came as ").expect("a cause");
                let doubt = meaning.starts_with("unknown");
                assert_eq!(doubt, verdict == "of_a_later_version", "{report}");
            }
            let (_, row) = page.split_once("<th scope=\"row\">/</th>").expect("a row");
            let (_, step) = row.split_once("<td class=\"words\">").expect("words");
            let (step, _) = step.split_once("</td>").expect("its end");
            assert!(step.len() > 5, "{verdict}: {page}");
            // As a line of the route, or by the sentence for all routes without one.
            let step = step.split(". ").next().expect("a part");
            assert!(
                report.contains(&*step.replace("&amp;", "&")),
                "{verdict}: {report}"
            );
        }
    }
}

#[tokio::test]
async fn requests_that_retain_are_told_with_what_they_retain_in_both_layouts() {
    for flat in [true, false] {
        let (lines, _guard) = listen(Level::DEBUG, flat);
        let layer = layer();
        for _ in 0..3 {
            serve(&layer, "/leak", keep_20_mib).await;
        }
        serve(&layer, "/steady", || ()).await;
        let (report, _) = report_of(&lines);
        assert_eq!(row(&report, "/leak")[1..3], ["3", "60.0 MiB"]);
        assert_eq!(row(&report, "/steady")[1], "1");
        let report = unbroken(&report);
        for expected in [
            "7 lines (",
            "7 events of requests",
            "Covers all requests, by their DEBUG events: 4.",
            "/leak retains most: 60.0 MiB outlive its requests.",
            "3 warnings, 3 retained",
        ] {
            assert!(report.contains(expected), "{expected:?}: {report}");
        }
        assert!(!report.contains("/of/the/span"), "{report}");
        assert!(!report.contains("skipped"), "{report}");
    }
}

#[tokio::test]
async fn what_one_request_keeps_and_the_next_frees_is_not_retained() {
    let (lines, _guard) = listen(Level::DEBUG, true);
    let kept = std::sync::Mutex::new(Vec::new());
    let layer = layer();
    serve(&layer, "/cache", || {
        *kept.lock().expect("not poisoned") = vec![1_u8; 20 << 20]
    })
    .await;
    serve(&layer, "/cache", || {
        *kept.lock().expect("not poisoned") = Vec::new()
    })
    .await;
    let (report, _) = report_of(&lines);
    let retained = row(&report, "/cache")[2];
    assert!(
        retained.ends_with(" B") || retained.ends_with(" KiB"),
        "{report}"
    );
    assert!(report.contains("1 retained"), "{report}");
}

#[tokio::test]
async fn at_warn_the_suppressed_are_told_beside_the_warned() {
    let (lines, _guard) = listen(Level::WARN, true);
    // One for each route a minute: the first, and of another layer with its own count the first again.
    let limited = || {
        layer()
            .without_log()
            .on_report(Log::new().warnings_per_minute(1))
    };
    let (one, two) = (limited(), limited());
    for layer in [&one, &one, &two] {
        serve(layer, "/leak", keep_20_mib).await;
    }
    let (report, _) = report_of(&lines);
    assert_eq!(row(&report, "/leak")[1], "2");
    assert!(
        report.contains("Covers only requests with a warning, 2:"),
        "{report}"
    );
}

#[tokio::test]
async fn work_that_outlives_its_request_is_of_its_route_and_no_request() {
    let (lines, _guard) = listen(Level::DEBUG, true);
    let (begin, begun) = mpsc::channel::<()>();
    let begun = std::sync::Mutex::new(Some(begun));
    let (task, tasks) = mpsc::channel();
    serve(&layer(), "/spawn", || {
        let begun = begun.lock().expect("not poisoned").take().expect("once");
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let work = CurrentRequest::carry_fn(move || {
            begun.recv().expect("told");
            keep_20_mib();
        });
        let carried = move || tracing::dispatcher::with_default(&dispatch, work);
        task.send(thread::spawn(carried)).expect("sent");
    })
    .await;
    begin.send(()).expect("it waits");
    let thread = tasks.recv().expect("one");
    thread.join().expect("no panic");
    let (report, _) = report_of(&lines);
    assert_eq!(row(&report, "/spawn")[1..3], ["1", "20.0 MiB"]);
    let report = unbroken(&report);
    assert!(
        report.contains("1 warning, 1 piece of late work"),
        "{report}"
    );
    assert!(report.contains("3 events of requests"), "{report}");
}

/// A resident set as it is told, in MiB: first when a request begins, then when it ends.
struct Readings(std::sync::Mutex<Vec<Option<u64>>>);

impl ReadResident for Readings {
    fn read(&self) -> io::Result<Resident> {
        let next = self.0.lock().expect("not poisoned").pop().flatten();
        let mib = next.ok_or_else(|| io::Error::other("the sensor is broken"))?;
        Ok(Resident::new(mib * MIB, 0))
    }
}

fn reads(mut mib: Vec<Option<u64>>) -> MemoryLayer {
    mib.reverse();
    layer().reader(Readings(std::sync::Mutex::new(mib)))
}

#[tokio::test]
async fn what_could_not_be_read_is_no_growth_of_nothing() {
    let (lines, _guard) = listen(Level::DEBUG, true);
    let layer = reads(vec![None, None, Some(300), Some(100)]);
    serve(&layer, "/unreadable", || ()).await;
    serve(&layer, "/shrinks", || ()).await;
    let (report, page) = report_of(&lines);
    assert_eq!(row(&report, "/unreadable")[3], "0 B");
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
    let (lines, _guard) = listen(Level::WARN, true);
    serve(&reads(vec![Some(100), Some(160)]), "/mystery", || ()).await;
    serve(&layer(), "/leak", keep_20_mib).await;
    let (report, page) = report_of(&lines);
    let report = unbroken(&report);
    let text = String::from_utf8(lines.text()).expect("text");
    for step in [
        "A heap meter tells live heap from kept pages: tower_memory::heap",
        "Look for what this route stores (a cache, a session, a queue), and whether each request adds to it",
    ] {
        assert!(text.contains(step), "{text}");
        // Of the route, and in the message of its growth.
        assert!(report.contains(step), "{report}");
        assert!(page.matches(step).count() >= 1, "{page}");
    }
}

#[cfg(all(feature = "axum", target_os = "linux"))]
mod zoo {
    use super::*;
    use std::{
        io::{BufRead, BufReader},
        process::{Child, Command, Stdio},
    };

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
        http_body_util::BodyExt::collect(response.into_body())
            .await
            .expect("all of it");
    }

    #[tokio::test]
    async fn the_zoo_is_told_from_its_log() {
        let zoo = report::built("zoo", "cargo build --features axum --example zoo");
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
            // Long enough to outlive its request, and too little to be warned of where it began within it.
            "/spawn?mib=1&ms=300",
        ] {
            ask(address, path).await;
        }
        // Five reports and the late work, in whatever order.
        let mut text = first.clone();
        while ["\"DEBUG\"", "work that outlived"].map(|part| text.matches(part).count()) != [6, 1] {
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
            "/leak retains most: 256.0 MiB outlive its requests.",
            "2 warnings, 2 retained",
            "1 piece of late work",
        ] {
            assert!(report.contains(expected), "{expected:?}: {report}");
        }
    }
}
