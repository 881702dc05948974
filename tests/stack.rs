//! The layer among other layers, on any thread.

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    future::{self, Future},
    io,
    task::{Context, Poll, Waker},
};
use support::{Answer, Pieces, get, hello, read, reports_of};
use tower::{
    Layer, Service, ServiceBuilder, ServiceExt, buffer::BufferLayer, limit::ConcurrencyLimitLayer,
    load_shed::error::Overloaded, service_fn,
};
use tower_memory::{MemoryLayer, Outcome};

#[tokio::test]
async fn an_error_through_a_buffer_is_reported_and_keeps_its_type() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new()
        .layer(BufferLayer::new(4))
        .layer(layer)
        .service_fn(async |_: Request<Full<Bytes>>| {
            let error = io::Error::new(io::ErrorKind::NotFound, "no such system");
            Err::<Response<Full<Bytes>>, _>(error)
        });
    let error = service.oneshot(get("/")).await.expect_err("it fails");
    let error = error.downcast::<io::Error>().expect("the service's error");
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(reports.next().await.outcome, Outcome::ServiceError);
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_response_through_a_buffer_is_reported_once_read() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new()
        .layer(BufferLayer::new(4))
        .layer(layer)
        .service_fn(hello);
    assert_eq!(read(service.clone()).await, "hello");
    assert_eq!(reports.next().await.outcome, Outcome::Completed);
    drop(service);
    assert!(reports.all().await.is_empty());
}

/// Never ready, never called.
#[derive(Clone)]
struct Busy;

impl Service<Request<Full<Bytes>>> for Busy {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = future::Pending<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        panic!("called without being ready")
    }
}

#[tokio::test]
async fn load_that_is_shed_outside_the_layer_never_was_a_request() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new().load_shed().layer(layer).service(Busy);
    let error = service.oneshot(get("/")).await.expect_err("it sheds");
    assert!(error.is::<Overloaded>());
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn load_that_is_shed_inside_the_layer_is_a_service_error() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new().layer(layer).load_shed().service(Busy);
    let error = service.oneshot(get("/")).await.expect_err("it sheds");
    assert!(error.is::<Overloaded>());
    let report = reports.only().await;
    assert_eq!(
        (report.outcome, report.status),
        (Outcome::ServiceError, None)
    );
}

#[tokio::test]
async fn a_limit_inside_the_layer_gives_its_permit_to_the_instance_that_asked() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let mut first = ServiceBuilder::new()
        .layer(layer)
        .layer(ConcurrencyLimitLayer::new(1))
        .service_fn(hello);
    let mut second = first.clone();
    for _ in 0..3 {
        let ready = first.ready().await.expect("it is open");
        let mut cx = Context::from_waker(Waker::noop());
        assert!(second.poll_ready(&mut cx).is_pending());
        // Calling a limit that did not get its permit panics.
        let response = ready.call(get("/")).await.expect("it answers");
        drop(response);
        assert_eq!(reports.now().outcome, Outcome::BodyDropped);
        let ready = second.ready().await.expect("it is open");
        ready.call(get("/")).await.expect("it answers");
        assert_eq!(reports.now().outcome, Outcome::BodyDropped);
    }
}

#[tokio::test]
async fn two_layers_in_one_stack_report_each_for_itself() {
    let (outer, outer_reports) = reports_of(MemoryLayer::new());
    let (inner, inner_reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new().layer(outer).layer(inner);
    assert_eq!(read(service.service_fn(hello)).await, "hello");
    for reports in [outer_reports, inner_reports] {
        let report = reports.only().await;
        assert_eq!(
            (report.outcome, report.response_size),
            (Outcome::Completed, 5)
        );
        assert_eq!(report.overlap, 0);
    }
}

#[tokio::test]
async fn a_future_that_is_never_polled_is_a_cancelled_request() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    drop(layer.layer(service_fn(hello)).call(get("/")));
    drop(layer);
    assert_eq!(reports.only().await.outcome, Outcome::Cancelled);
}

#[tokio::test]
async fn a_body_moved_to_another_thread_is_reported_from_there() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let (mut sender, body) = Pieces::new(1);
    let mut body = Some(body);
    let mut service = layer.layer(service_fn(move |_: Request<Full<Bytes>>| {
        let body = body.take().expect("called once");
        future::ready(Ok::<_, Infallible>(Response::new(body)))
    }));
    let response = service.call(get("/")).await.expect("it answers");
    assert!(reports.none_yet());
    let frame = http_body::Frame::data("hello".into());
    sender.try_send(frame).expect("there is room");
    drop(sender);
    let reader = std::thread::spawn(move || {
        let mut body = Box::pin(response.into_body().collect());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(body.as_mut().poll(&mut cx).is_ready());
    });
    reader.join().expect("it reads all");
    let report = reports.now();
    assert_eq!(
        (report.outcome, report.response_size),
        (Outcome::Completed, 5)
    );
}
