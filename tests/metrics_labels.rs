//! Labels of metrics are bounded. In a process of its own, because routes are numbered per process.
#![cfg(feature = "metrics")]

use http::{Request, Response};
use http_body_util::Empty;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{convert::Infallible, sync::Arc};
use tower::{Layer, Service, service_fn};
use tower_memory::{MemoryLayer, Route, metrics::Metrics};

#[tokio::test]
async fn ten_thousand_paths_make_513_labels() {
    let prometheus = PrometheusBuilder::new()
        .install_recorder()
        .expect("the only recorder");
    let layer = MemoryLayer::new()
        .route_with(|request| Some(Route::from(Arc::<str>::from(request.uri.path()))))
        .on_report(Metrics::new());
    let mut service = layer.layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(Empty::<&[u8]>::new()))
    }));
    for n in 0..10_000 {
        let request = Request::get(format!("/{n}")).body(()).expect("a request");
        drop(service.call(request).await.expect("a response"));
    }
    let text = prometheus.render();
    let requests = text
        .lines()
        .filter_map(|line| line.strip_prefix("tower_memory_requests{"));
    let (others, known): (Vec<_>, Vec<_>) =
        requests.partition(|line| line.contains(r#"http_route="other""#));
    assert_eq!((known.len(), others.len()), (512, 1));
    assert!(
        others[0].ends_with(&format!(" {}", 10_000 - 512)),
        "{others:?}"
    );
}
