//! The log, for people and for programs: names, order and values as documented.

mod support;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use std::{
    future, io,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use support::{
    Answer, get, hello,
    lines::{contract, listen},
    request,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::trace::TraceLayer;
use tower_memory::{Log, MIB, MemoryLayer, ReadResident, Resident, Route};
use tracing::{Level, field::Empty, info_span};

// The requests: each grows the process as the test prescribes.

/// A resident set that is read once for each number, in MiB; `None` fails.
struct Readings(Vec<Option<f64>>, AtomicUsize);

impl ReadResident for Readings {
    fn read(&self) -> io::Result<Resident> {
        let n = self.1.fetch_add(1, Ordering::Relaxed);
        let size = self.0[n % self.0.len()];
        let size = size.ok_or_else(|| io::Error::other("the sensor is broken"))?;
        let bytes = |mib: f64| (mib * MIB as f64).round() as u64;
        Ok(Resident::new(bytes(size), bytes(size / 10.0)))
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// Requests start at the first reading and end at the second, and so on, cyclically.
fn layer(readings: &[Option<f64>]) -> MemoryLayer {
    MemoryLayer::new()
        .resolution(Duration::ZERO)
        .reader(Readings(readings.to_vec(), AtomicUsize::new(0)))
        .route_with(|request| match request.uri.path() {
            "/api/systems" => Some(Route::from("/api/systems")),
            "/other" => Some(Route::from("/other")),
            _ => None,
        })
}

const GROWING: [Option<f64>; 2] = [Some(26.1), Some(486.3)];
const STEADY: [Option<f64>; 2] = [Some(26.1), Some(26.1)];
const BROKEN: [Option<f64>; 2] = [None, None];

fn upload() -> Request<Full<Bytes>> {
    let mut request = request("POST", "/api/systems");
    request.headers_mut().insert("content-length", 7.into());
    request
}

async fn send(layer: &MemoryLayer, request: Request<Full<Bytes>>) {
    let service = layer.layer(service_fn(hello));
    let response = service.oneshot(request).await.expect("it answers");
    response.into_body().collect().await.expect("all of it");
}

#[tokio::test]
async fn a_warning_has_the_documented_fields_in_the_documented_order() {
    let (lines, _guard) = listen(Level::WARN);
    send(&layer(&GROWING), upload()).await;
    let contract = contract();
    let rows = contract.iter().filter(|row| row.is_of_all_requests());
    let names: Vec<_> = rows.map(|row| row.name).collect();
    let [warning] = &lines.all()[..] else {
        panic!("{lines:?}", lines = lines.all())
    };
    assert_eq!(warning.fields.names(), names);
    assert_eq!(
        (&*warning.level, &*warning.target),
        ("WARN", "tower_memory")
    );
}

#[tokio::test]
async fn a_debug_event_has_the_documented_fields_in_the_documented_order() {
    let (lines, _guard) = listen(Level::DEBUG);
    send(&layer(&STEADY), upload()).await;
    let contract = contract();
    let rows = contract
        .iter()
        .filter(|row| row.is_of_all_requests() && !row.warn_only && !row.of_warnings);
    let names: Vec<_> = rows.map(|row| row.name).collect();
    let [event] = &lines.all()[..] else {
        panic!("{lines:?}", lines = lines.all())
    };
    assert_eq!(event.fields.names(), names);
    assert_eq!((&*event.level, &*event.target), ("DEBUG", "tower_memory"));
}

#[tokio::test]
async fn a_field_without_a_value_is_left_out() {
    let (lines, _guard) = listen(Level::DEBUG);
    let mut service = layer(&BROKEN).layer(service_fn(|_: Request<Full<Bytes>>| {
        future::pending::<Answer>()
    }));
    drop(service.call(get("/")));
    let contract = contract();
    let rows = contract
        .iter()
        .filter(|row| !row.warn_only && !row.optional);
    let names: Vec<_> = rows.map(|row| row.name).collect();
    let [event] = &lines.of("DEBUG")[..] else {
        panic!("{lines:?}", lines = lines.all())
    };
    assert_eq!(event.fields.names(), names);
    assert_eq!(event.fields.get("outcome"), "cancelled");
    assert_eq!(event.fields.get("verdict"), "unreadable");
    assert_eq!(
        event.message(),
        "memory could not be read for GET unmatched"
    );
}

#[tokio::test]
async fn values_are_whole_bytes_and_names_that_programs_can_match() {
    let (lines, _guard) = listen(Level::WARN);
    send(&layer(&GROWING), upload()).await;
    let warning = lines.of("WARN").remove(0);
    let bytes = |mib: f64| json!((mib * MIB as f64).round() as u64);
    for (name, value) in [
        ("http.request.method", json!("POST")),
        ("http.route", json!("/api/systems")),
        ("http.response.status_code", json!(200)),
        ("http.request.body.size", json!(7)),
        ("http.response.body.size", json!(5)),
        ("outcome", json!("completed")),
        ("memory.before", bytes(26.1)),
        ("memory.after", bytes(486.3)),
        ("memory.growth", bytes(460.2)),
        ("memory.shrink", json!(0)),
        ("memory.shared_growth", bytes(46.02)),
        ("requests.overlapping", json!(0)),
        ("verdict", json!("unmetered")),
        ("event", json!("request")),
        ("warnings.suppressed", json!(0)),
    ] {
        assert_eq!(warning.fields.get(name), &value, "{name}");
    }
    let duration = warning.fields.get("duration_ms").as_f64();
    assert!(duration.is_some_and(|ms| (0.0..20_000.0).contains(&ms)));
}

#[tokio::test]
async fn the_message_is_a_sentence_for_people() {
    let (lines, _guard) = listen(Level::DEBUG);
    let alone = [
        (
            GROWING,
            "memory grew 26.1 MiB -> 486.3 MiB (+460.2 MiB) on POST /api/systems: \
             without a heap meter, live heap can't be told from freed pages. \
             Install a heap meter, which is two lines: tower_memory::heap",
        ),
        (
            [Some(486.3), Some(26.1)],
            "memory shrank 486.3 MiB -> 26.1 MiB (-460.2 MiB) on POST /api/systems",
        ),
        (STEADY, "memory stayed at 26.1 MiB on POST /api/systems"),
        (BROKEN, "memory could not be read for POST /api/systems"),
    ];
    for (readings, message) in alone {
        send(&layer(&readings), upload()).await;
        assert_eq!(
            lines.of("DEBUG").last().expect("an event").message(),
            message
        );
    }
    for (others, suffix) in [
        (1, "while 1 other request ran"),
        (2, "while 2 other requests ran"),
    ] {
        let layer = layer(&STEADY);
        let mut service = layer.layer(service_fn(hello));
        let open: Vec<_> = (0..others).map(|_| service.call(get("/other"))).collect();
        send(&layer, upload()).await;
        let meant = format!("memory stayed at 26.1 MiB on POST /api/systems {suffix}");
        assert_eq!(lines.of("DEBUG").last().expect("an event").message(), meant);
        drop(open);
    }
}

#[tokio::test]
async fn only_what_is_warned_of_is_explained_and_at_both_levels() {
    let (lines, _guard) = listen(Level::DEBUG);
    send(&layer(&GROWING), upload()).await;
    send(&layer(&STEADY), upload()).await;
    let [debug, warning, steady] = &lines.all()[..] else {
        panic!("{lines:?}", lines = lines.all())
    };
    let explanation = "without a heap meter, live heap can't be told from freed pages. \
                       Install a heap meter, which is two lines: tower_memory::heap";
    for event in [debug, warning] {
        assert_eq!(event.fields.get("explanation"), explanation);
    }
    assert!(!steady.fields.names().contains(&"explanation"));
}

// Levels.

#[tokio::test]
async fn growth_at_the_threshold_is_a_warning_and_below_it_is_none() {
    let (lines, _guard) = listen(Level::INFO);
    let growing = layer(&[Some(10.0), Some(110.0)]);
    send(&growing.clone().warn_above(100 * MIB + 1), upload()).await;
    assert!(lines.all().is_empty());
    send(&growing.clone().warn_above(100 * MIB), upload()).await;
    assert_eq!(lines.all().len(), 1);
    send(&growing, upload()).await;
    assert_eq!(lines.all().len(), 2);
}

#[tokio::test]
async fn memory_that_shrinks_or_stays_is_no_warning_even_with_a_threshold_of_zero() {
    let (lines, _guard) = listen(Level::INFO);
    send(&layer(&[Some(486.3), Some(26.1)]).warn_above(0), upload()).await;
    send(&layer(&STEADY).warn_above(0), upload()).await;
    assert!(lines.all().is_empty());
    send(&layer(&[Some(26.1), Some(26.2)]).warn_above(0), upload()).await;
    assert_eq!(lines.all().len(), 1);
}

#[tokio::test]
async fn every_report_is_a_debug_event() {
    let (lines, _guard) = listen(Level::DEBUG);
    let steady = layer(&STEADY);
    for _ in 0..25 {
        send(&steady, upload()).await;
    }
    send(&layer(&GROWING), upload()).await;
    assert_eq!(lines.of("DEBUG").len(), 26);
    assert_eq!(lines.of("WARN").len(), 1);
}

#[tokio::test]
async fn the_eleventh_warning_of_a_route_within_a_minute_is_suppressed() {
    let (lines, _guard) = listen(Level::DEBUG);
    let growing = layer(&GROWING);
    for _ in 0..10 {
        send(&growing, upload()).await;
    }
    assert_eq!(lines.of("WARN").len(), 10);
    send(&growing.clone(), upload()).await;
    assert_eq!(lines.of("WARN").len(), 10);
    send(&growing, get("/other")).await;
    assert_eq!(lines.of("WARN").len(), 11);
    assert_eq!(lines.of("DEBUG").len(), 12);
}

#[tokio::test]
async fn another_rate_can_be_chosen() {
    let (lines, _guard) = listen(Level::INFO);
    let growing = layer(&GROWING)
        .without_log()
        .on_report(Log::new().warnings_per_minute(2));
    for _ in 0..5 {
        send(&growing, upload()).await;
    }
    assert_eq!(lines.of("WARN").len(), 2);
}

#[tokio::test]
async fn without_its_log_a_layer_says_nothing() {
    let (lines, _guard) = listen(Level::TRACE);
    send(&layer(&GROWING).without_log(), upload()).await;
    send(&layer(&STEADY).without_log(), upload()).await;
    assert!(lines.all().is_empty());
}

#[tokio::test]
async fn a_resident_set_that_can_not_be_read_is_told_of_once_and_with_the_reason() {
    let (lines, _guard) = listen(Level::INFO);
    let broken = layer(&[None, None, None, Some(1.0), Some(1.0), None]);
    for _ in 0..6 {
        send(&broken.clone(), upload()).await;
    }
    let [line] = &lines.all()[..] else {
        panic!("{lines:?}", lines = lines.all())
    };
    assert_eq!((&*line.level, &*line.target), ("WARN", "tower_memory"));
    assert!(
        line.message()
            .ends_with("until it can: the sensor is broken")
    );
    assert_eq!(line.fields.get("event"), "unreadable");
    assert_eq!(line.fields.get("error"), "the sensor is broken");
}

// Spans.

#[tokio::test]
async fn the_request_span_gets_the_fields_that_it_declares() {
    let (lines, _guard) = listen(Level::INFO);
    let span = info_span!("request", memory.growth = Empty, outcome = Empty, id = 7);
    let mut service = layer(&GROWING).layer(service_fn(hello));
    let response = span.in_scope(|| service.call(upload())).await;
    let body = response.expect("it answers").into_body();
    body.collect().await.expect("all of it");
    tracing::info!(parent: &span, "after the request");
    let growth = (460.2 * MIB as f64).round() as u64;
    let declared =
        json!({"name": "request", "memory.growth": growth, "outcome": "completed", "id": 7});
    assert_eq!(lines.all().last().expect("a line").span, declared);
}

#[tokio::test]
async fn a_trace_layer_around_the_layer_gives_the_span() {
    let (lines, _guard) = listen(Level::INFO);
    let spans = TraceLayer::new_for_http()
        .make_span_with(|_: &Request<_>| info_span!("request", outcome = Empty));
    let service = ServiceBuilder::new()
        .layer(spans)
        .layer(layer(&GROWING))
        .service_fn(hello);
    let response = service.oneshot(upload()).await.expect("it answers");
    response.into_body().collect().await.expect("all of it");
    let warning = lines.of("WARN").remove(0);
    assert_eq!(
        warning.span,
        json!({"name": "request", "outcome": "completed"})
    );
}

#[tokio::test]
async fn an_event_belongs_to_the_span_of_its_request_wherever_its_body_ends() {
    let (lines, _guard) = listen(Level::DEBUG);
    let mut service = layer(&GROWING).layer(service_fn(hello));
    let span = info_span!("request", id = 7);
    let response = span.in_scope(|| service.call(upload())).await;
    drop(span);
    info_span!("elsewhere").in_scope(|| drop(response));
    let lines = lines.all();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!(line.span, json!({"name": "request", "id": 7}));
        assert_eq!(line.fields.get("outcome"), "body_dropped");
    }
}
