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

/// A listener that passes its figures to the installed recorder: Prometheus, OpenTelemetry, StatsD.
///
/// | name | kind | labels | meaning |
/// |---|---|---|---|
/// | `process.memory.usage` | gauge, bytes | | the resident set |
/// | `tower_memory.limit` | gauge, bytes | | the limit on it: the cgroup's, or the machine's memory |
/// | `tower_memory.heap.live` | gauge, bytes | | the live heap |
/// | `tower_memory.heap.nobody` | gauge, bytes | | the part that no request owns |
/// | `tower_memory.route.live` | gauge, bytes | `http.route` | the part that requests of the route own |
/// | `tower_memory.route.unsent` | gauge, bytes | `http.route` | the part of that in responses that clients have not read yet |
/// | `tower_memory.route.running` | gauge, bytes | `http.route` | the part of that in use by work that outlives its request |
/// | `tower_memory.requests` | counter | `http.route`, `verdict` | requests that ended, by verdict |
/// | `tower_memory.growth` | counter, bytes | `http.route` | growth of the process |
/// | `tower_memory.shrink` | counter, bytes | `http.route` | shrinking of the process |
/// | `tower_memory.request.growth` | histogram, bytes | `http.route` | growth of each request that grew the process |
/// | `tower_memory.allocated` | counter, bytes | `http.route` | bytes allocated by requests and their late work |
/// | `tower_memory.retained` | counter, bytes | `http.route` | bytes they left behind |
/// | `tower_memory.released` | counter, bytes | `http.route` | bytes they freed beyond their own |
///
/// Look at `tower_memory.route.live` first: a route whose live heap keeps rising retains memory, however little each
/// request keeps and whoever frees it. `tower_memory.heap.nobody` and the routes add up to the live heap.
/// [`observe`](Self::observe) sets these gauges, if blocks have an owner ([`heap::live_by_route`]).
///
/// [`process.memory.usage`](https://opentelemetry.io/docs/specs/semconv/system/process-metrics/) and
/// [`http.route`](https://opentelemetry.io/docs/specs/semconv/registry/attributes/http/) are OpenTelemetry's names.
/// Growth and shrink, and retained and released, are two counters each, because counters only rise. The labels are
/// bounded: the first 512 routes, of up to 128 bytes, then `other`, and [`Verdict::as_str`](crate::Verdict::as_str). A
/// figure that never existed is left out. The gauges of a route go to 0 once its memory is freed. If the resident set
/// or the limit can't be read any more, its gauge becomes NaN instead of keeping the old value.
///
/// # Use
///
/// Install the recorder first: as everywhere with `metrics`, metrics registered before that go nowhere. With
/// Prometheus, opt for the recommended names, give the histogram buckets (else it is a summary), and run the
/// upkeep, which sorts the histogram's samples. Without upkeep they pile up as long as nobody scrapes.
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
/// Prometheus sees these names. The histogram has `_bucket`, `_sum` and `_count`, and the label is `http_route`:
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
/// `examples/alerting` has alert rules for these, with tests.
///
/// # Cost
///
/// A request of a known route that did not grow the process takes no lock and allocates nothing here; the recorder's
/// own cost comes on top. With Prometheus's `idle_timeout`, a route that was quiet for that long is left out.
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
    /// Describes the metrics to the installed recorder, and sets the limit.
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

    /// Reads the process, its limit and live heap by route now, with the platform's reader. Call it whenever the
    /// metrics are scraped. Costs some tens of microseconds, and more with each thread.
    ///
    /// Requests also set the resident set and the live heap when they end.
    pub fn observe(&self) {
        let by_route = heap::live_by_route();
        // The sum, so the parts and the whole are from one reading.
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
            // The reading failed, and the previous value would be a lie.
            (None, Some(gauge)) => gauge.set(f64::NAN),
            (None, None) => {}
        }
        // `None` without a heap meter, and in reports with jemalloc's own counters.
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
        // Several routes can share the entry `other`, whatever their own table calls them.
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
