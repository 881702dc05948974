//! What `metrics::Metrics` passes to Prometheus.
#![cfg(feature = "metrics")]

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use tower::{Layer, ServiceExt, service_fn};
use tower_memory::{
    LateWork, MIB, MemoryLayer, OnReport, Report, Route,
    heap::{CurrentRequest, TrackingAllocator},
    metrics::Metrics,
    resident::{ReadResident, Resident},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// A process with the resident set that the test sets; `u64::MAX` can't be read.
#[derive(Clone)]
struct Process(Arc<AtomicU64>);

impl Process {
    fn new() -> Self {
        Self(Arc::new(AtomicU64::new(MIB)))
    }

    fn is(&self, bytes: u64) {
        self.0.store(bytes, Ordering::SeqCst);
    }
}

impl ReadResident for Process {
    fn read(&self) -> io::Result<Resident> {
        match self.0.load(Ordering::SeqCst) {
            u64::MAX => Err(io::Error::other("out of order")),
            total => Ok(Resident::new(total, 0)),
        }
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// A process, memory kept by its requests, and a Prometheus that gets its metrics.
struct Watched {
    process: Process,
    kept: Arc<Mutex<Vec<u8>>>,
    layer: MemoryLayer,
    metrics: Metrics,
    recorder: Arc<PrometheusRecorder>,
    told: Mutex<mpsc::Receiver<()>>,
}

/// Passes reports to the metrics of a recorder that isn't the process's, on any thread.
struct Told {
    metrics: Metrics,
    recorder: Arc<PrometheusRecorder>,
    done: mpsc::Sender<()>,
}

impl OnReport for Told {
    fn on_report(&self, report: &Report) {
        metrics::with_local_recorder(&self.recorder, || self.metrics.on_report(report));
        self.done.send(()).expect("the test waits");
    }

    fn on_late_work(&self, work: &LateWork) {
        metrics::with_local_recorder(&self.recorder, || self.metrics.on_late_work(work));
        self.done.send(()).expect("the test waits");
    }
}

impl Watched {
    fn new() -> Self {
        let recorder = PrometheusBuilder::new()
            .with_recommended_naming(true)
            .build_recorder();
        let recorder = Arc::new(recorder);
        let (done, told) = mpsc::channel();
        let metrics = metrics::with_local_recorder(&recorder, Metrics::new);
        let process = Process::new();
        let layer = MemoryLayer::new()
            .without_log()
            .warn_above(MIB)
            .resolution(Duration::ZERO)
            .reader(process.clone())
            .route_with(|request| Some(Route::from(Arc::<str>::from(request.uri.path()))))
            .on_report(Told {
                metrics: metrics.clone(),
                recorder: Arc::clone(&recorder),
                done,
            });
        Self {
            process,
            kept: Arc::default(),
            layer,
            metrics,
            recorder,
            told: Mutex::new(told),
        }
    }

    /// A request during which the process reaches `resident` bytes, and which keeps `kept`.
    fn request(&self, path: &str, resident: u64, kept: usize) {
        let service = service_fn(|_| {
            self.process.is(resident);
            *self.kept.lock().expect("no panic") = Vec::with_capacity(kept);
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
        });
        let request = Request::builder().uri(path).body(()).expect("a request");
        let response = self.layer.layer(service).oneshot(request);
        drop(block_on(response).expect("a response"));
        self.wait();
    }

    /// Waits until a report, or one of late work, was counted.
    fn wait(&self) {
        let told = self.told.lock().expect("no panic");
        told.recv().expect("the layer reports");
    }

    /// The value of a line that Prometheus would read.
    fn told(&self, name: &str) -> Option<f64> {
        let text = self.recorder.handle().render();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.parse().ok()
    }

    fn text(&self) -> String {
        self.recorder.handle().render()
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

#[test]
fn growth_and_shrink_of_a_route_are_two_counters_and_the_resident_set_is_a_gauge() {
    let watched = Watched::new();
    watched.request("/a", 6 * MIB, 0);
    watched.request("/a", 2 * MIB, 0);
    watched.request("/a", 3 * MIB, 0);
    let told = |name| watched.told(name);
    let mib = MIB as f64;
    assert_eq!(told("process_memory_usage_bytes"), Some(3.0 * mib));
    assert_eq!(
        told(r#"tower_memory_growth_bytes_total{http_route="/a"}"#),
        Some(6.0 * mib)
    );
    assert_eq!(
        told(r#"tower_memory_shrink_bytes_total{http_route="/a"}"#),
        Some(4.0 * mib)
    );
    assert_eq!(
        told(r#"tower_memory_request_growth_bytes_count{http_route="/a"}"#),
        Some(2.0)
    );
    assert_eq!(
        told(r#"tower_memory_request_growth_bytes_sum{http_route="/a"}"#),
        Some(6.0 * mib)
    );
}

#[test]
fn requests_are_counted_by_what_was_said_of_them() {
    let watched = Watched::new();
    watched.request("/a", MIB / 2, 0);
    watched.request("/a", MIB / 2, 0);
    watched.request("/a", MIB / 2, 3 << 20);
    let requests = |verdict: &str| {
        let labels = format!(r#"http_route="/a",verdict="{verdict}""#);
        watched.told(&format!("tower_memory_requests_total{{{labels}}}"))
    };
    assert_eq!(requests("within_threshold"), Some(2.0));
    // Kept, but never written to, and more than is resident.
    assert_eq!(requests("reserved"), Some(1.0));
    assert_eq!(requests("mapped"), None, "what was never said is not told");
}

#[test]
fn what_a_route_keeps_is_retained_and_who_frees_it_released_nothing_of_its_own() {
    let watched = Watched::new();
    watched.request("/a", MIB, 3 << 20);
    watched.request("/b", MIB, 0);
    let of = |name: &str, route: &str| {
        let name = format!("tower_memory_{name}_bytes_total{{http_route=\"{route}\"}}");
        watched.told(&name).expect("a figure")
    };
    let kept = of("retained", "/a");
    let three_mib = 3.0 * MIB as f64;
    assert!(
        (three_mib * 0.99..three_mib * 1.01).contains(&kept),
        "{kept}"
    );
    assert_eq!([of("released", "/a"), of("released", "/b")], [0.0; 2]);
    assert!(of("allocated", "/a") >= three_mib);
    assert!(watched.told("tower_memory_heap_live_bytes") > Some(0.0));
}

#[test]
fn work_that_a_request_leaves_behind_counts_for_its_route() {
    let watched = Watched::new();
    let late = Arc::new(Mutex::new(None));
    let service = service_fn(|_: Request<()>| {
        *late.lock().expect("no panic") = CurrentRequest::get();
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
    });
    let request = Request::builder().uri("/a").body(()).expect("a request");
    drop(block_on(watched.layer.layer(service).oneshot(request)));
    watched.wait();
    let late = late.lock().expect("no panic").take().expect("a request");
    late.in_scope(|| watched.kept.lock().expect("no panic").reserve(4 << 20));
    drop(late);
    watched.wait();
    let retained = watched.told(r#"tower_memory_retained_bytes_total{http_route="/a"}"#);
    assert!(retained >= Some(4.0 * MIB as f64), "{retained:?}");
}

#[test]
fn a_reading_that_fails_is_not_zero_and_not_what_was_before() {
    let watched = Watched::new();
    watched.request("/a", u64::MAX, 0);
    assert!(
        !watched.text().contains("process_memory_usage_bytes "),
        "nothing was read yet"
    );
    watched.process.is(MIB);
    watched.request("/a", MIB, 0);
    watched.request("/a", u64::MAX, 0);
    let told = watched
        .told("process_memory_usage_bytes")
        .expect("it was there");
    assert!(told.is_nan(), "{told}");
    let unreadable = r#"tower_memory_requests_total{http_route="/a",verdict="unreadable"}"#;
    assert_eq!(watched.told(unreadable), Some(2.0));
}

#[test]
fn the_process_can_be_observed_where_there_are_no_requests() {
    let watched = Watched::new();
    metrics::with_local_recorder(&watched.recorder, || watched.metrics.observe());
    let told = |name| watched.told(name).expect("a figure");
    assert!(told("process_memory_usage_bytes") > told("tower_memory_heap_live_bytes"));
    assert!(told("tower_memory_limit_bytes") > told("process_memory_usage_bytes"));
}

#[test]
fn what_a_route_keeps_is_its_live_heap_until_somebody_frees_it() {
    let watched = Watched::new();
    let live = || {
        metrics::with_local_recorder(&watched.recorder, || watched.metrics.observe());
        let told = watched.told(r#"tower_memory_route_live_bytes{http_route="/keeps"}"#);
        told.expect("a figure")
    };
    watched.request("/keeps", MIB, 3 << 20);
    let kept = live();
    assert!(kept >= 3.0 * MIB as f64, "{kept}");
    watched.request("/frees", MIB, 0);
    let left = live();
    assert!(left <= kept - 3.0 * MIB as f64, "{left}");
}

#[test]
fn routes_and_nobody_sum_to_the_live_heap() {
    let watched = Watched::new();
    watched.request("/a", MIB, 64);
    metrics::with_local_recorder(&watched.recorder, || watched.metrics.observe());
    let text = watched.text();
    let routes = text
        .lines()
        .filter(|line| line.starts_with("tower_memory_route_live_bytes{"));
    let routes = routes.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    let sum = watched
        .told("tower_memory_heap_nobody_bytes")
        .map(|nobody| routes.sum::<f64>() + nobody);
    assert_eq!(sum, watched.told("tower_memory_heap_live_bytes"));
}

#[test]
fn prometheus_gets_the_names_that_the_documentation_lists_and_no_others() {
    let watched = Watched::new();
    watched.request("/a", MIB, 64);
    metrics::with_local_recorder(&watched.recorder, || watched.metrics.observe());
    let text = watched.text();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut rendered: Vec<_> = types.filter_map(|line| line.split(' ').next()).collect();
    rendered.sort_unstable();

    let source = include_str!("../src/metrics.rs");
    let list = source.split("/// ```text\n").nth(1).expect("a list");
    let list = list.split("/// ```\n").next().expect("its end");
    let mut listed: Vec<_> = list
        .lines()
        .map(|line| line.trim_start_matches("/// "))
        .collect();
    listed.sort_unstable();
    assert_eq!(rendered, listed);
    for name in listed {
        assert!(
            text.contains(&format!("# HELP {name} ")),
            "{name} is not described"
        );
    }
}
