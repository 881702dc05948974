//! Counters, gauges and a histogram through the [`metrics`] facade: [`Metrics`].

mod describe;
mod of_route;

use self::{
    describe::describe,
    of_route::{Bytes, OfRoute},
};
use crate::{
    heap::{self, LiveByRoute},
    report::{LateWork, OnReport, Report},
    resident::{self, Resident},
    route::{Route, RouteTable},
};
use ::metrics::{Gauge, gauge};
use std::{
    collections::HashMap,
    fmt, ptr,
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
/// | `tower_memory.requests` | counter | `http.route`, `verdict` | requests that ended, by verdict |
/// | `tower_memory.growth` | counter, bytes | `http.route` | growth of the process |
/// | `tower_memory.shrink` | counter, bytes | `http.route` | what it shrank by |
/// | `tower_memory.request.growth` | histogram, bytes | `http.route` | growth of each request that grew the process |
/// | `tower_memory.allocated` | counter, bytes | `http.route` | what requests and their late work allocated |
/// | `tower_memory.retained` | counter, bytes | `http.route` | what they left behind |
/// | `tower_memory.released` | counter, bytes | `http.route` | what they freed beyond their own |
///
/// Look at `tower_memory.route.live` first: a route whose live heap keeps rising retains memory, however
/// little a request keeps and whoever frees it. `tower_memory.heap.nobody` and the routes sum to the live
/// heap. [`observe`](Self::observe) sets these gauges, where blocks have an owner
/// ([`heap::live_by_route`]).
///
/// [`process.memory.usage`](https://opentelemetry.io/docs/specs/semconv/system/process-metrics/) and
/// [`http.route`](https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/) are names of
/// OpenTelemetry.
/// Growth and shrink, and retained and released, are two counters each, because counters only rise. The labels
/// are bounded: the first 512 routes, of up to 128 bytes, then `other`, and
/// [`Verdict::as_str`](crate::Verdict::as_str). A figure that was never there is left out; the gauges of a route
/// whose memory was freed go to 0; and where the resident set or the limit can't be read any more its gauge
/// is NaN, and not what it was before.
///
/// # Use
///
/// Install the recorder first: what is registered before that goes nowhere, as everywhere with
/// `metrics`. With Prometheus, ask for the recommended names, give the histogram buckets (it is a summary
/// without), and run the upkeep, which sorts what the histogram has gathered: it would pile up where nobody scrapes.
///
/// ```
/// use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
/// use std::time::Duration;
/// use tower_memory::{MIB, MemoryLayer, metrics::Metrics};
///
/// let growth = Matcher::Full("tower_memory.request.growth".to_owned());
/// let buckets = [1, 4, 16, 64, 256, 1024, 4096].map(|mib| (mib * MIB) as f64);
/// let prometheus = PrometheusBuilder::new()
///     .with_recommended_naming(true)
///     .set_buckets_for_metric(growth, &buckets)?
///     .install_recorder()?;
/// let metrics = Metrics::new();
/// let layer = MemoryLayer::new().on_report(metrics.clone());
///
/// let upkeep = prometheus.clone();
/// std::thread::spawn(move || loop {
///     std::thread::sleep(Duration::from_secs(5));
///     upkeep.run_upkeep();
/// });
///
/// // Where Prometheus scrapes:
/// metrics.observe();
/// assert!(prometheus.render().contains("process_memory_usage_bytes"));
/// # Ok::<_, metrics_exporter_prometheus::BuildError>(())
/// ```
///
/// These are the names that Prometheus gets; the histogram has `_bucket`, `_sum` and `_count`, and the label is
/// `http_route`:
///
/// ```text
/// process_memory_usage_bytes
/// tower_memory_limit_bytes
/// tower_memory_heap_live_bytes
/// tower_memory_heap_nobody_bytes
/// tower_memory_route_live_bytes
/// tower_memory_route_unsent_bytes
/// tower_memory_route_running_bytes
/// tower_memory_requests_total
/// tower_memory_growth_bytes_total
/// tower_memory_shrink_bytes_total
/// tower_memory_request_growth_bytes
/// tower_memory_allocated_bytes_total
/// tower_memory_retained_bytes_total
/// tower_memory_released_bytes_total
/// ```
///
/// `examples/alerting` has alert rules for them, with tests.
///
/// # Cost
///
/// A request of a known route that did not grow the process takes no lock and allocates nothing here;
/// what the recorder does is its own. With Prometheus's `idle_timeout`, a route that was quiet for that long is
/// left out.
#[derive(Clone)]
pub struct Metrics(Arc<Registered>);

struct Registered {
    resident: OnceLock<Gauge>,
    live: OnceLock<Gauge>,
    nobody: OnceLock<Gauge>,
    limit: OnceLock<Gauge>,
    routes: RouteTable<OfRoute>,
}

impl Metrics {
    /// Describes the metrics to the recorder that is installed, and sets the limit.
    pub fn new() -> Self {
        describe();
        let registered = Registered {
            resident: OnceLock::new(),
            live: OnceLock::new(),
            nobody: OnceLock::new(),
            limit: OnceLock::new(),
            routes: RouteTable::new(),
        };
        registered.limit();
        Self(Arc::new(registered))
    }

    /// Reads the process, its limit and live heap by route now, with the reader of the platform: call it
    /// whenever the metrics are scraped. Costs some tens of microseconds, and more with each thread.
    ///
    /// Requests set the resident set and the live heap too, when they end.
    pub fn observe(&self) {
        let by_route = heap::live_by_route();
        // The sum, so that the parts and the whole are of one reading.
        let live = by_route.as_ref().map(LiveByRoute::total);
        let live = live.or_else(heap::live_bytes);
        self.0.process(resident::now(), live);
        self.0.limit();
        if let Some(by_route) = by_route {
            self.0.by_route(&by_route);
        }
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

    fn by_route(&self, by_route: &LiveByRoute) {
        let nobody = self
            .nobody
            .get_or_init(|| gauge!("tower_memory.heap.nobody"));
        nobody.set(by_route.nobody as f64);
        // Several can share the entry `other`, whatever their own table calls them.
        let mut of_routes = HashMap::<_, Bytes>::new();
        for route in &by_route.routes {
            let sum = of_routes.entry(ptr::from_ref(self.of(&route.route)));
            let sum = sum.or_default();
            sum.live = sum.live.saturating_add(route.live);
            sum.unsent = sum.unsent.saturating_add(route.unsent);
            sum.running = sum.running.saturating_add(route.running);
        }
        for (_, of_route) in self.routes.iter() {
            of_route.alive(of_routes.get(&ptr::from_ref(of_route)).copied());
        }
    }
}

#[cfg(test)]
mod tests;
