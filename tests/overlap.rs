//! Requests that share any part of their windows report it; when all are over, none is left in
//! flight.

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::time::Duration;
use support::{get, hello, read, reports_of, within_reason};
use tokio::sync::{mpsc, oneshot};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use tower_memory::{MIB, MemoryLayer, Report};

/// Answers on demand: each request hands out the sender that ends it.
fn held() -> (
    BoxCloneService,
    mpsc::UnboundedReceiver<oneshot::Sender<()>>,
) {
    let (holds, held) = mpsc::unbounded_channel();
    let service = service_fn(move |request| {
        let (release, released) = oneshot::channel();
        holds.send(release).expect("the test holds it");
        async move {
            released.await?;
            Ok(hello(request).await?)
        }
    });
    (BoxCloneService::new(service), held)
}

type BoxCloneService =
    tower::util::BoxCloneService<Request<Full<Bytes>>, Response<Full<Bytes>>, BoxError>;

#[tokio::test]
async fn two_requests_that_overlap_both_say_so_and_the_next_one_does_not() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let (service, mut held) = held();
    let service = layer.layer(service);
    let first = tokio::spawn(read(service.clone()));
    let release_first = within_reason(held.recv()).await.expect("the first");
    let second = tokio::spawn(read(service.clone()));
    let release_second = within_reason(held.recv()).await.expect("the second");
    for (release, request) in [(release_first, first), (release_second, second)] {
        release.send(()).expect("it waits");
        request.await.expect("it answers");
        assert_eq!(reports.now().overlap, 1);
    }
    let third = tokio::spawn(read(service));
    let release = within_reason(held.recv()).await.expect("the third");
    release.send(()).expect("it waits");
    third.await.expect("it answers");
    assert_eq!(reports.now().overlap, 0);
}

#[tokio::test]
async fn a_window_is_open_until_the_body_is_read() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let service = layer.layer(service_fn(hello));
    let response = service.clone().oneshot(get("/")).await.expect("it answers");
    assert_eq!(read(service.clone()).await, "hello");
    assert_eq!(reports.now().overlap, 1);
    response.into_body().collect().await.expect("all of it");
    assert_eq!(reports.now().overlap, 1);
    read(service).await;
    assert_eq!(reports.now().overlap, 0);
}

#[tokio::test]
async fn a_clone_that_is_configured_further_counts_with_the_others() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let further = layer
        .clone()
        .warn_above(MIB)
        .resolution(Duration::ZERO)
        .without_log()
        .on_report(|_: &Report| {});
    let stranger = MemoryLayer::new();
    let open = [
        layer.layer(service_fn(hello)).oneshot(get("/")).await,
        further.layer(service_fn(hello)).oneshot(get("/")).await,
    ];
    let _apart = stranger.layer(service_fn(hello)).oneshot(get("/")).await;
    for response in open {
        drop(response);
        assert_eq!(reports.now().overlap, 1);
    }
}
