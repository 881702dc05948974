//! Panics and cancellations can be told apart, and panics of listeners hurt nobody.

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    future::{self, Future},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};
use support::{Answer, get, hello, read, reports_of};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_memory::{MemoryLayer, Outcome, Report};
use tracing_subscriber::layer::SubscriberExt;

#[tokio::test]
async fn a_panic_before_there_is_a_future_is_reported() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let mut service = layer.layer(service_fn(
        |_: Request<Full<Bytes>>| -> future::Ready<Answer> {
            panic!("the call panicked, as planned")
        },
    ));
    let called = catch_unwind(AssertUnwindSafe(|| drop(service.call(get("/")))));
    assert!(called.is_err());
    drop((layer, service));
    assert_eq!(reports.only().await.outcome, Outcome::Panicked);
}

#[tokio::test]
async fn a_panic_of_what_is_dropped_is_reported() {
    struct Panicking;
    impl Drop for Panicking {
        fn drop(&mut self) {
            panic!("the destructor panicked, as planned");
        }
    }
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let mut service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        let panicking = Panicking;
        async move {
            let _panicking = panicking;
            future::pending::<Answer>().await
        }
    }));
    let request = service.call(get("/"));
    assert!(catch_unwind(AssertUnwindSafe(|| drop(request))).is_err());
    assert_eq!(reports.now().outcome, Outcome::Panicked);

    let mut service = layer.layer(service_fn(|_: Request<Full<Bytes>>| {
        let panicking = Panicking;
        let body = Full::new(Bytes::from("hello")).map_frame(move |frame| {
            let _ = &panicking;
            frame
        });
        future::ready(Ok::<_, Infallible>(Response::new(body)))
    }));
    let response = service.call(get("/")).await.expect("it answers");
    assert!(catch_unwind(AssertUnwindSafe(|| drop(response))).is_err());
    assert_eq!(reports.now().outcome, Outcome::Panicked);
}

#[tokio::test]
async fn a_panic_in_your_own_naming_of_routes_is_reported() {
    let layer = MemoryLayer::new().route_with(|_| panic!("the naming panicked, as planned"));
    let (layer, reports) = reports_of(layer);
    let mut service = layer.layer(service_fn(hello));
    let called = catch_unwind(AssertUnwindSafe(|| drop(service.call(get("/")))));
    assert!(called.is_err());
    drop((layer, service));
    let report = reports.only().await;
    assert_eq!(report.outcome, Outcome::Panicked);
    assert_eq!(report.route.as_str(), "unmatched");
}

#[tokio::test]
async fn a_service_goes_on_after_a_panic() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let service = layer.layer(service_fn(async |request: Request<Full<Bytes>>| {
        assert_eq!(request.uri(), "/", "the handler panicked, as planned");
        hello(request).await
    }));
    let panicking = tokio::spawn(service.clone().oneshot(get("/panic")));
    assert!(panicking.await.expect_err("it panics").is_panic());
    assert_eq!(reports.now().outcome, Outcome::Panicked);
    assert_eq!(read(service).await, "hello");
    let report = reports.now();
    assert_eq!((report.outcome, report.overlap), (Outcome::Completed, 0));
}

#[tokio::test]
async fn a_body_that_panics_when_asked_for_its_size_is_reported_as_such() {
    struct NoHint;
    impl http_body::Body for NoHint {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: std::pin::Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }

        fn size_hint(&self) -> http_body::SizeHint {
            panic!("the body panicked, as planned")
        }
    }
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = layer.layer(service_fn(async |_: Request<Full<Bytes>>| {
        Ok::<_, Infallible>(Response::new(NoHint))
    }));
    let panicking = tokio::spawn(async { drop(service.oneshot(get("/")).await) });
    assert!(panicking.await.expect_err("it panics").is_panic());
    drop(layer);
    assert_eq!(reports.only().await.outcome, Outcome::Panicked);
}

// Listeners.

#[tokio::test]
async fn a_listener_that_panics_hurts_neither_the_request_nor_the_listeners_after_it() {
    let layer =
        MemoryLayer::new().on_report(|_: &Report| panic!("the listener panicked, as planned"));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    for _ in 0..2 {
        assert_eq!(read(service.clone()).await, "hello");
        let report = reports.now();
        assert_eq!((report.outcome, report.overlap), (Outcome::Completed, 0));
    }
}

#[tokio::test]
async fn a_listener_that_panics_while_the_request_unwinds_does_not_abort_the_process() {
    let layer =
        MemoryLayer::new().on_report(|_: &Report| panic!("the listener panicked, as planned"));
    let (layer, reports) = reports_of(layer);
    let mut service = layer.layer(service_fn(
        |_: Request<Full<Bytes>>| -> future::Ready<Answer> {
            panic!("the call panicked, as planned")
        },
    ));
    let called = catch_unwind(AssertUnwindSafe(|| drop(service.call(get("/")))));
    let payload = called.expect_err("it panics");
    assert_eq!(
        payload.downcast_ref(),
        Some(&"the call panicked, as planned")
    );
    drop((layer, service));
    assert_eq!(reports.only().await.outcome, Outcome::Panicked);
}

#[tokio::test]
async fn a_listener_whose_panic_panics_once_more_when_dropped_hurts_nobody() {
    struct Spiteful;
    impl Drop for Spiteful {
        fn drop(&mut self) {
            panic!("the payload panicked, as planned");
        }
    }
    let layer = MemoryLayer::new().on_report(|_: &Report| std::panic::panic_any(Spiteful));
    let (layer, mut reports) = reports_of(layer);
    assert_eq!(read(layer.layer(service_fn(hello))).await, "hello");
    assert_eq!(reports.now().outcome, Outcome::Completed);
}

#[tokio::test]
async fn a_listener_may_itself_make_a_request() {
    let (inner, mut inner_reports) = reports_of(MemoryLayer::new());
    let service = inner.layer(service_fn(hello));
    let layer = inner.clone().on_report(move |_: &Report| {
        let mut future = Box::pin(service.clone().oneshot(get("/")));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_ready());
    });
    assert_eq!(read(layer.layer(service_fn(hello))).await, "hello");
    let outcomes = [inner_reports.next().await, inner_reports.next().await].map(|r| r.outcome);
    assert_eq!(outcomes, [Outcome::Completed, Outcome::BodyDropped]);
    assert!(inner_reports.none_yet());
}

#[tokio::test]
async fn listeners_are_told_in_the_order_in_which_they_were_added() {
    let told = Arc::new(AtomicU64::new(0));
    let listener = |digit| {
        let told = Arc::clone(&told);
        move |_: &Report| {
            told.store(told.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed);
        }
    };
    let layer = MemoryLayer::new()
        .on_report(listener(1))
        .on_report(listener(2))
        .on_report(listener(3));
    assert_eq!(read(layer.layer(service_fn(hello))).await, "hello");
    assert_eq!(told.load(Ordering::Relaxed), 123);
}

#[test]
fn a_subscriber_that_panics_when_a_span_closes_hurts_nobody() {
    struct Closing;
    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Closing {
        fn on_close(&self, _: tracing::Id, _: tracing_subscriber::layer::Context<'_, S>) {
            panic!("the subscriber panicked, as planned")
        }
    }
    let subscriber = tracing_subscriber::registry().with(Closing);
    tracing::subscriber::with_default(subscriber, || {
        let heard = Arc::new(AtomicU64::new(0));
        let hearing = Arc::clone(&heard);
        let layer = MemoryLayer::new().on_report(move |_: &Report| {
            hearing.fetch_add(1, Ordering::Relaxed);
        });
        let mut service = layer.layer(service_fn(hello));
        let future = tracing::info_span!("request").in_scope(|| service.call(get("/")));
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
        assert!(dropped.is_ok());
        assert_eq!(heard.load(Ordering::Relaxed), 1);
    });
}
