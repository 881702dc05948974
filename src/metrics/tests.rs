use super::*;
use crate::heap::RouteLive;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

/// What Prometheus would read for a series of live heaps, by route and nobody's.
struct Told {
    recorder: PrometheusRecorder,
    metrics: Metrics,
}

impl Told {
    fn new() -> Self {
        let recorder = PrometheusBuilder::new()
            .with_recommended_naming(true)
            .build_recorder();
        let metrics = ::metrics::with_local_recorder(&recorder, Metrics::new);
        Self { recorder, metrics }
    }

    fn is(&self, routes: &[(&str, [u64; 3])], nobody: u64) {
        let of_route = |(name, [live, unsent, running]): &(&str, [u64; 3])| RouteLive {
            route: Route::from(Arc::<str>::from(*name)),
            live: *live,
            open: 0,
            unsent: *unsent,
            running: *running,
            open_requests: 0,
            oldest_running: None,
        };
        let routes = routes.iter().map(of_route).collect();
        let by_route = LiveByRoute { routes, nobody };
        ::metrics::with_local_recorder(&self.recorder, || self.metrics.0.by_route(&by_route));
    }

    fn value(&self, name: &str) -> Option<f64> {
        let text = self.recorder.handle().render();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        value.parse().ok()
    }

    fn of_route(&self, route: &str) -> [Option<f64>; 3] {
        ["live", "unsent", "running"].map(|figure| {
            let name = format!("tower_memory_route_{figure}_bytes{{http_route=\"{route}\"}}");
            self.value(&name)
        })
    }
}

#[test]
fn a_route_has_the_bytes_that_its_requests_own_and_nobody_the_rest() {
    let told = Told::new();
    told.is(&[("/a", [64, 0, 0]), ("/b", [4096, 1024, 512])], 100);
    assert_eq!(told.of_route("/a"), [64.0, 0.0, 0.0].map(Some));
    assert_eq!(told.of_route("/b"), [4096.0, 1024.0, 512.0].map(Some));
    assert_eq!(told.value("tower_memory_heap_nobody_bytes"), Some(100.0));
}

#[test]
fn a_route_whose_memory_was_freed_is_at_zero_whether_it_is_named_or_not() {
    let told = Told::new();
    told.is(&[("/a", [64, 8, 8]), ("/b", [64, 8, 8])], 0);
    told.is(&[("/b", [0, 0, 0])], 0);
    assert_eq!(told.of_route("/a"), [0.0; 3].map(Some));
    assert_eq!(told.of_route("/b"), [0.0; 3].map(Some));
}

#[test]
fn a_route_that_never_owned_a_byte_is_left_out() {
    let told = Told::new();
    ::metrics::with_local_recorder(&told.recorder, || {
        told.metrics.0.of(&Route::UNMATCHED);
    });
    told.is(&[("/a", [64, 0, 0])], 0);
    assert_eq!(told.of_route("unmatched"), [None; 3]);
}

#[test]
fn routes_beyond_the_cap_are_summed_under_one_label() {
    let told = Told::new();
    let names: Vec<_> = (0..600).map(|n| format!("/{n}")).collect();
    let mut routes: Vec<_> = names
        .iter()
        .map(|name| (name.as_str(), [1, 1, 1]))
        .collect();
    routes.push(("other", [10, 0, 0]));
    told.is(&routes, 0);
    assert_eq!(told.of_route("/511"), [1.0; 3].map(Some));
    assert_eq!(told.of_route("other"), [98.0, 88.0, 88.0].map(Some));
}
