//! Counters, gauges and a histogram through the [`metrics`] facade: [`Metrics`].

use crate::{
    heap,
    report::{LateWork, OnReport, Report},
    resident::{self, Resident},
    route::{Route, RouteTable},
    verdict::Verdict,
};
use ::metrics::{Counter, Gauge, Histogram, Unit, counter, gauge, histogram};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// A listener that hands its figures to whichever recorder is installed: Prometheus, OpenTelemetry,
/// StatsD.
///
/// | name | kind | labels | what it is |
/// |---|---|---|---|
/// | `process.memory.usage` | gauge, bytes | | the resident set |
/// | `tower_memory.limit` | gauge, bytes | | what it may grow to: the limit of the cgroup, or the memory of the machine |
/// | `tower_memory.heap.live` | gauge, bytes | | the live heap |
/// | `tower_memory.heap.nobody` | gauge, bytes | | what of it no request owns |
/// | `tower_memory.route.live` | gauge, bytes | `http.route` | what of it requests of the route own |
/// | `tower_memory.route.unsent` | gauge, bytes | `http.route` | what of that waits for clients to read it |
/// | `tower_memory.route.running` | gauge, bytes | `http.route` | what of that is in use by work that still runs |
/// | `tower_memory.requests` | counter | `http.route`, `verdict` | requests that ended, by what was said of them |
/// | `tower_memory.growth` | counter, bytes | `http.route` | growth of the process |
/// | `tower_memory.shrink` | counter, bytes | `http.route` | what it shrank by |
/// | `tower_memory.request.growth` | histogram, bytes | `http.route` | growth of each request that grew the process |
/// | `tower_memory.allocated` | counter, bytes | `http.route` | what requests and their late work allocated |
/// | `tower_memory.retained` | counter, bytes | `http.route` | what outlives them |
/// | `tower_memory.released` | counter, bytes | `http.route` | what they freed beyond their own |
///
/// [`process.memory.usage`](https://opentelemetry.io/docs/specs/semconv/system/process-metrics/) and
/// [`http.route`](https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/) are names of
/// OpenTelemetry.
/// Growth and shrink, and retained and released, are two counters each, because counters only rise: what a
/// route keeps is the difference. The labels are bounded: the first 512 routes, of up to 128 bytes, then
/// `other`, and [`Verdict::as_str`]. A figure that was never there is not told; where the resident set
/// or the limit can't be read any more its gauge is NaN, and not what it was before.
///
/// # Use
///
/// Install the recorder first: what is registered before that goes nowhere, as everywhere with
/// `metrics`.
///
/// ```
/// use metrics_exporter_prometheus::PrometheusBuilder;
/// use tower_memory::{MemoryLayer, metrics::Metrics};
///
/// let prometheus = PrometheusBuilder::new().install_recorder().unwrap();
/// let metrics = Metrics::new();
/// let layer = MemoryLayer::new().on_report(metrics.clone());
///
/// // Where Prometheus asks:
/// metrics.observe();
/// assert!(prometheus.render().contains("process_memory_usage"));
/// ```
///
/// # Cost
///
/// A request of a known route that did not grow the process takes no lock and allocates nothing here;
/// what the recorder does is its own. Prometheus's keeps each value of a histogram until it is asked, or
/// until its `run_upkeep`; and with its `idle_timeout`, a route that was quiet for that long is not told of any
/// more.
#[derive(Clone)]
pub struct Metrics(Arc<Registered>);

struct Registered {
    resident: OnceLock<Gauge>,
    live: OnceLock<Gauge>,
    limit: OnceLock<Gauge>,
    routes: RouteTable<OfRoute>,
}

impl Metrics {
    /// Describes the metrics to the recorder that is installed, and tells it the limit.
    pub fn new() -> Self {
        describe();
        let registered = Registered {
            resident: OnceLock::new(),
            live: OnceLock::new(),
            limit: OnceLock::new(),
            routes: RouteTable::new(),
        };
        registered.limit();
        Self(Arc::new(registered))
    }

    /// Reads the process and its limit now, with the reader of the platform. Requests set the gauges of
    /// the process when they end; where they are rare, and for the live heap with jemalloc, call this
    /// whenever the metrics are asked for. Costs some tens of microseconds.
    pub fn observe(&self) {
        self.0.process(resident::now(), heap::live_bytes());
        self.0.limit();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl OnReport for Metrics {
    fn on_report(&self, report: &Report) {
        self.0.process(report.after, report.live_after);
        self.0.of(&report.route).count(report);
    }

    fn on_late_work(&self, work: &LateWork) {
        self.0.of(&work.route).flowed(&work.heap);
    }
}

impl Registered {
    fn of(&self, route: &Route) -> &OfRoute {
        &self.routes.of(route, OfRoute::new).1
    }

    fn process(&self, resident: Option<Resident>, live: Option<u64>) {
        match (resident, self.resident.get()) {
            (Some(resident), _) => {
                let gauge = self.resident.get_or_init(|| gauge!("process.memory.usage"));
                gauge.set(resident.total as f64);
            }
            // It failed: what was before would be a lie.
            (None, Some(gauge)) => gauge.set(f64::NAN),
            (None, None) => {}
        }
        // `None` where no meter counts, and in reports where jemalloc does.
        if let Some(live) = live {
            let gauge = self.live.get_or_init(|| gauge!("tower_memory.heap.live"));
            gauge.set(live as f64);
        }
    }

    fn limit(&self) {
        match (resident::limit(), self.limit.get()) {
            (Some((limit, _)), _) => {
                let gauge = self.limit.get_or_init(|| gauge!("tower_memory.limit"));
                gauge.set(limit as f64);
            }
            // As above.
            (None, Some(gauge)) => gauge.set(f64::NAN),
            (None, None) => {}
        }
    }
}

/// The metrics of one route.
struct OfRoute {
    route: Arc<str>,
    /// By [`Verdict::index`], registered when it is first said.
    requests: [OnceLock<Counter>; Verdict::NAMES.len()],
    growth: Counter,
    shrink: Counter,
    grown: Histogram,
    allocated: Counter,
    retained: Counter,
    released: Counter,
}

impl OfRoute {
    fn new(route: &Route) -> Self {
        let name: Arc<str> = route.as_str().into();
        let label = || ::metrics::SharedString::from(Arc::clone(&name));
        Self {
            requests: Default::default(),
            growth: counter!("tower_memory.growth", "http.route" => label()),
            shrink: counter!("tower_memory.shrink", "http.route" => label()),
            grown: histogram!("tower_memory.request.growth", "http.route" => label()),
            allocated: counter!("tower_memory.allocated", "http.route" => label()),
            retained: counter!("tower_memory.retained", "http.route" => label()),
            released: counter!("tower_memory.released", "http.route" => label()),
            route: name,
        }
    }

    fn count(&self, report: &Report) {
        self.requests(report.verdict).increment(1);
        match report.growth().unwrap_or(0) {
            0 => {}
            grown @ 1.. => {
                self.growth.increment(grown.unsigned_abs());
                self.grown.record(grown as f64);
            }
            shrunk => self.shrink.increment(shrunk.unsigned_abs()),
        }
        if let Some(heap) = &report.heap {
            self.flowed(heap);
        }
    }

    fn requests(&self, verdict: Verdict) -> &Counter {
        self.requests[verdict.index()].get_or_init(|| {
            counter!(
                "tower_memory.requests",
                "http.route" => ::metrics::SharedString::from(Arc::clone(&self.route)),
                "verdict" => verdict.as_str(),
            )
        })
    }

    fn flowed(&self, heap: &heap::HeapFlow) {
        self.allocated.increment(heap.allocated);
        match heap.retained() {
            0 => {}
            retained @ 1.. => self.retained.increment(retained.unsigned_abs()),
            released => self.released.increment(released.unsigned_abs()),
        }
    }
}

fn describe() {
    use ::metrics::{describe_counter, describe_gauge, describe_histogram};
    let bytes = Unit::Bytes;
    describe_gauge!(
        "process.memory.usage",
        bytes,
        "Resident set of the process."
    );
    describe_gauge!("tower_memory.limit", bytes, "What the process may grow to.");
    describe_gauge!("tower_memory.heap.live", bytes, "Live heap of the process.");
    describe_counter!("tower_memory.requests", "Requests that ended.");
    describe_counter!(
        "tower_memory.growth",
        bytes,
        "Growth of the resident set in requests."
    );
    describe_counter!(
        "tower_memory.shrink",
        bytes,
        "Shrinking of the resident set in requests."
    );
    describe_histogram!(
        "tower_memory.request.growth",
        bytes,
        "Growth in each request that grew the resident set."
    );
    describe_counter!("tower_memory.allocated", bytes, "Allocated by requests.");
    describe_counter!(
        "tower_memory.retained",
        bytes,
        "Live heap that outlives requests."
    );
    describe_counter!(
        "tower_memory.released",
        bytes,
        "Freed by requests beyond their own."
    );
}
