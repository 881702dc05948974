use crate::{heap::HeapFlow, report::Report, route::Route, verdict::Verdict};
use ::metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::sync::{Arc, OnceLock};

/// The metrics of one route.
pub(super) struct OfRoute {
    route: Arc<str>,
    /// By [`Verdict::index`], each registered on first use.
    requests: [OnceLock<Counter>; Verdict::NAMES.len()],
    growth: Counter,
    shrink: Counter,
    grown: Histogram,
    allocated: Counter,
    retained: Counter,
    released: Counter,
    alive: OnceLock<Alive>,
}

/// Live heap that requests of one route own.
struct Alive {
    live: Gauge,
    unsent: Gauge,
    running: Gauge,
}

/// Values for [`Alive`], in bytes.
#[derive(Default, Clone, Copy)]
pub(super) struct Bytes {
    pub(super) live: u64,
    pub(super) unsent: u64,
    pub(super) running: u64,
}

impl OfRoute {
    pub(super) fn new(route: &Route) -> Self {
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
            alive: OnceLock::new(),
            route: name,
        }
    }

    /// Sets the gauges of live heap. A route that never owned any has none.
    pub(super) fn alive(&self, bytes: Option<Bytes>) {
        let alive = match bytes {
            Some(_) => Some(self.alive.get_or_init(|| Alive::new(&self.route))),
            None => self.alive.get(),
        };
        let Some(alive) = alive else { return };
        let bytes = bytes.unwrap_or_default();
        alive.live.set(bytes.live as f64);
        alive.unsent.set(bytes.unsent as f64);
        alive.running.set(bytes.running as f64);
    }

    pub(super) fn count(&self, report: &Report) {
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

    pub(super) fn flowed(&self, heap: &HeapFlow) {
        self.allocated.increment(heap.allocated);
        match heap.retained() {
            0 => {}
            retained @ 1.. => self.retained.increment(retained.unsigned_abs()),
            released => self.released.increment(released.unsigned_abs()),
        }
    }
}

impl Alive {
    fn new(route: &Arc<str>) -> Self {
        let label = || ::metrics::SharedString::from(Arc::clone(route));
        Self {
            live: gauge!("tower_memory.route.live", "http.route" => label()),
            unsent: gauge!("tower_memory.route.unsent", "http.route" => label()),
            running: gauge!("tower_memory.route.running", "http.route" => label()),
        }
    }
}
