//! A request below the threshold allocates no more than it would without the layer.

mod support;

use allocation_counter::measure;
use axum::Router;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use std::{
    convert::Infallible,
    future, io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use support::finish;
use tower::{Layer, Service, service_fn};
use tower_memory::{MemoryLayer, Report};
use tracing::{Level, info_span, subscriber::DefaultGuard};

/// How many times a request is sent while allocations are counted, and before that: threads and
/// files are set up once.
const TIMES: u64 = 10;

/// The result: all allocations of `request`, sent repeatedly.
fn allocations(mut request: impl FnMut()) -> u64 {
    (0..TIMES).for_each(|_| request());
    measure(|| (0..TIMES).for_each(|_| request())).count_total
}

/// Layers that take a reading each time and that share one, and how many readable reports they
/// made.
fn layers() -> [(MemoryLayer, Arc<AtomicU64>); 2] {
    [Duration::ZERO, Duration::from_secs(3600)].map(|resolution| {
        let readable = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&readable);
        let layer = MemoryLayer::new()
            .warn_above(u64::MAX)
            .resolution(resolution)
            .on_report(move |report: &Report| {
                let one = u64::from(report.growth().is_some());
                count.fetch_add(one, Ordering::Relaxed);
            });
        (layer, readable)
    })
}

fn assert_all_were_readable(readable: &AtomicU64) {
    assert_eq!(readable.load(Ordering::Relaxed), 2 * TIMES);
}

/// A subscriber that wants no DEBUG events.
fn quiet_subscriber() -> DefaultGuard {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::INFO)
        .with_writer(io::sink)
        .finish();
    tracing::subscriber::set_default(subscriber)
}

type Answer = Result<Response<Full<Bytes>>, Infallible>;

fn hello<B>(_: Request<B>) -> future::Ready<Answer> {
    let body = Full::new(Bytes::from_static(b"hello"));
    future::ready(Ok(Response::new(body)))
}

fn read_to_its_end<B: Body>(response: Response<B>) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
        assert!(frame.is_ok());
    }
}

#[test]
fn a_request_allocates_nothing() {
    for (layer, readable) in layers() {
        let mut service = layer.layer(service_fn(hello::<()>));
        let request = || {
            let Ok(response) = finish(service.call(Request::new(())));
            read_to_its_end(response);
        };
        assert_eq!(allocations(request), 0);
        assert_all_were_readable(&readable);
    }
}

#[test]
fn a_request_allocates_nothing_under_a_subscriber_that_wants_no_debug_events() {
    let _guard = quiet_subscriber();
    let span = info_span!("request", id = 7);
    for (layer, readable) in layers() {
        let mut service = layer.layer(service_fn(hello::<()>));
        let request = || {
            let Ok(response) = span.in_scope(|| finish(service.call(Request::new(()))));
            read_to_its_end(response);
        };
        assert_eq!(allocations(request), 0);
        assert_all_were_readable(&readable);
    }
}

#[cfg(feature = "metrics")]
#[test]
fn a_request_of_a_known_route_allocates_nothing_where_it_is_counted_for_prometheus() {
    use tower_memory::{
        metrics::Metrics,
        resident::{ReadResident, Resident},
    };

    /// A process that stays the same: an exporter keeps growth in memory of its own.
    struct Steady;

    impl ReadResident for Steady {
        fn read(&self) -> io::Result<Resident> {
            Ok(Resident::new(4096, 0))
        }
    }

    let prometheus = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&prometheus, || {
        for (layer, readable) in layers() {
            let mut service = layer
                .reader(Steady)
                .on_report(Metrics::new())
                .layer(service_fn(hello::<()>));
            let request = || {
                let Ok(response) = finish(service.call(Request::new(())));
                read_to_its_end(response);
            };
            assert_eq!(allocations(request), 0);
            assert_all_were_readable(&readable);
        }
    });
    assert!(
        prometheus
            .handle()
            .render()
            .contains("tower_memory_requests")
    );
}

#[cfg(feature = "routes")]
#[test]
fn a_request_of_a_known_route_allocates_nothing_where_figures_are_kept_of_it() {
    use tower_memory::routes::Routes;

    for (layer, readable) in layers() {
        let routes = Routes::new();
        let layer = layer.on_report(routes.clone());
        let mut service = layer.layer(service_fn(hello::<()>));
        let request = || {
            let Ok(response) = finish(service.call(Request::new(())));
            read_to_its_end(response);
        };
        assert_eq!(allocations(request), 0);
        assert_all_were_readable(&readable);
        assert_eq!(routes.snapshot().routes[0].requests, 2 * TIMES);
    }
}

#[test]
fn a_request_that_ends_early_allocates_nothing() {
    for (layer, readable) in layers() {
        let mut never = layer.layer(service_fn(|_: Request<()>| future::pending::<Answer>()));
        assert_eq!(allocations(|| drop(never.call(Request::new(())))), 0);
        assert_all_were_readable(&readable);
    }
    for (layer, readable) in layers() {
        let mut refusing = layer.layer(service_fn(|_: Request<()>| {
            future::ready(Err::<Response<Full<Bytes>>, _>("refused"))
        }));
        let request = || assert!(finish(refusing.call(Request::new(()))).is_err());
        assert_eq!(allocations(request), 0);
        assert_all_were_readable(&readable);
    }
    for (layer, readable) in layers() {
        let mut service = layer.layer(service_fn(hello::<()>));
        let request = || drop(finish(service.call(Request::new(()))));
        assert_eq!(allocations(request), 0);
        assert_all_were_readable(&readable);
    }
}

/// Allocations of requests to an axum route. The router makes some itself, for example one for
/// the body of each response, whatever its type.
fn allocations_in_axum<S>(service: S) -> u64
where
    S: Service<Request<axum::body::Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Response: axum::response::IntoResponse,
    S::Future: Send,
{
    let mut app: Router = Router::new().route_service("/systems/{id}", service);
    allocations(|| {
        let request = Request::builder().uri("/systems/7");
        let request = request.body(axum::body::Body::empty());
        let Ok(response) = finish(app.call(request.expect("a valid request")));
        assert_eq!(response.status(), 200);
        read_to_its_end(response);
    })
}

#[test]
fn a_request_with_a_matched_path_allocates_no_more_than_without_the_layer() {
    // Not of size zero: the router boxes a clone of the service for each request.
    let body = Full::new(Bytes::from_static(b"hello"));
    let service = service_fn(move |_| future::ready(Ok(Response::new(body.clone()))));
    let bare = allocations_in_axum(service.clone());
    assert!(bare > 0);
    for (layer, readable) in layers() {
        let watched = allocations_in_axum(layer.layer(service.clone()));
        assert_eq!(watched, bare);
        assert_all_were_readable(&readable);
    }
    let _guard = quiet_subscriber();
    for (layer, _) in layers() {
        let watched = allocations_in_axum(layer.layer(service.clone()));
        assert_eq!(watched, bare);
    }
}

#[test]
fn an_allocation_would_be_counted() {
    assert_eq!(allocations(|| drop(Box::new(7))), TIMES);
    let boxing = MemoryLayer::new().on_report(|_: &Report| drop(std::hint::black_box(Box::new(7))));
    let mut service = boxing.layer(service_fn(hello::<()>));
    let request = || drop(finish(service.call(Request::new(()))));
    assert_eq!(allocations(request), TIMES);
}
