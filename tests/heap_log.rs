//! The log with a heap meter.

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use std::{convert::Infallible, mem, sync::mpsc, thread};
use support::{
    lines::{Line, contract, listen},
    reports_of,
};
use tokio::sync::Mutex;
use tower::{Layer, service_fn};
use tower_memory::{
    LateWork, MIB, MemoryLayer, OnReport, Report, Route,
    heap::{CurrentRequest, TrackingAllocator},
};
use tracing::Level;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Live heap belongs to the process, so tests run one at a time.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Serves one request that does `work`, and waits until it is reported, in the log first.
async fn serve(layer: MemoryLayer, work: impl Fn()) {
    let (layer, mut reports) = reports_of(layer);
    let layer = layer.route_with(|_| Some(Route::from("/work")));
    let service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        work();
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    support::read(service).await;
    reports.next().await;
}

fn keep_20_mib() {
    mem::forget(vec![1_u8; 20 << 20]);
}

/// Signals when late work is reported.
struct Ended(mpsc::Sender<()>);

impl OnReport for Ended {
    fn on_report(&self, _: &Report) {}

    fn on_late_work(&self, _: &LateWork) {
        let _ = self.0.send(());
    }
}

fn only(lines: &[Line]) -> &Line {
    let [line] = lines else { panic!("{lines:?}") };
    line
}

#[tokio::test]
async fn a_request_that_retains_is_warned_of_with_its_figures_in_the_documented_order() {
    let _alone = ALONE.lock().await;
    let (lines, _guard) = listen(Level::WARN);
    serve(MemoryLayer::new().warn_above(10 * MIB), keep_20_mib).await;
    let lines = lines.all();
    let warning = only(&lines);
    let optional = [
        "http.response.status_code",
        "http.request.body.size",
        "rpc.grpc.status_code",
    ];
    let contract = contract();
    let rows = contract.iter().filter(|row| !row.of_a_verdict);
    let names: Vec<_> = rows.map(|row| row.name).collect();
    let mut logged = warning.fields.names();
    logged.retain(|name| !optional.contains(name));
    assert!(
        names
            .iter()
            .filter(|name| !optional.contains(name))
            .eq(&logged),
        "{logged:?}"
    );
    let bytes = |name| warning.fields.get(name).as_u64().expect("a number");
    for name in ["heap.allocated", "heap.peak", "heap.retained"] {
        assert!(bytes(name).abs_diff(20 << 20) < 4096, "{name}: {warning:?}");
    }
    assert!(bytes("heap.live") >= 20 << 20);
    assert_eq!(bytes("heap.released"), 0);
    assert_eq!(bytes("heap.unsent") + bytes("heap.running"), 0);
    assert!(bytes("heap.route_live") >= 20 << 20);
    assert_eq!(warning.fields.get("verdict"), "retained");
    let explanation = "on GET /work: 20.0 MiB allocated by this request is still live \
        (20.0 MiB allocated, ";
    assert!(warning.message().contains(explanation), "{warning:?}");
    assert_is_explained(warning);
}

/// The message ends with the explanation, which is a field as well.
#[track_caller]
fn assert_is_explained(warning: &Line) {
    let field = warning.fields.get("explanation").as_str();
    let field = field.expect("a sentence");
    let message = warning.message();
    assert!(message.ends_with(&format!(": {field}")), "{warning:?}");
}

#[tokio::test]
async fn a_peak_is_warned_of_where_asked_for() {
    let _alone = ALONE.lock().await;
    let (lines, _guard) = listen(Level::WARN);
    let layer = MemoryLayer::new().warn_above(1 << 40);
    let burst = || drop(vec![1_u8; 20 << 20]);
    serve(layer.clone(), burst).await;
    assert!(lines.all().is_empty());
    serve(layer.warn_peak_above(10 * MIB), burst).await;
    let lines = lines.all();
    let warning = only(&lines);
    let explanation = "20.0 MiB was live at once and has been freed";
    assert!(warning.message().contains(explanation), "{warning:?}");
    assert_eq!(warning.fields.get("verdict"), "peaked");
}

#[tokio::test]
async fn work_that_outlives_its_request_and_retains_is_warned_of_when_it_ends() {
    let _alone = ALONE.lock().await;
    let (lines, _guard) = listen(Level::WARN);
    let (sender, carried) = mpsc::channel();
    let (ended, late) = mpsc::channel();
    let layer = MemoryLayer::new().warn_above(10 * MIB);
    serve(layer.on_report(Ended(ended)), move || {
        let request = CurrentRequest::get().expect("a request");
        sender.send(request).expect("the test listens");
    })
    .await;
    let request = carried.recv().expect("a request");
    thread::scope(|scope| {
        scope.spawn(|| request.in_scope(keep_20_mib));
    });
    assert!(lines.all().is_empty());
    drop(request);
    late.recv().expect("late work");
    let lines = lines.all();
    let warning = only(&lines);
    assert!(
        warning.message().starts_with(
            "background work from GET /work changed the live heap by +20.0 MiB: \
             20.0 MiB allocated by this request is still live"
        ),
        "{warning:?}"
    );
    assert_eq!(warning.fields.get("event"), "late_work");
    assert_eq!(warning.fields.get("verdict"), "retained");
    assert_eq!(warning.fields.get("http.route"), "/work");
    assert_is_explained(warning);
}

#[tokio::test]
async fn requests_that_end_just_before_the_process_are_reported_by_a_flush() {
    let _alone = ALONE.lock().await;
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
        keep_20_mib();
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    support::read(service).await;
    tower_memory::flush();
    let heap = reports.now().heap.expect("it counts");
    assert!(heap.retained() >= 20 << 20, "{heap:?}");
}
