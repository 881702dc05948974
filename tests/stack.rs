//! The layer among other layers, and among listeners and readers that fail.

mod support;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    future::{self, Future},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};
use support::{Pieces, get, reports_of, within_reason};
use tokio::sync::{mpsc, oneshot};
use tower::{
    BoxError, Layer, Service, ServiceBuilder, ServiceExt, buffer::BufferLayer,
    limit::ConcurrencyLimitLayer, load_shed::error::Overloaded, service_fn,
};
use tower_memory::{MIB, MemoryLayer, Outcome, ReadResident, Report, Resident, Verdict};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

async fn hello(_: Request<Full<Bytes>>) -> Answer {
    Ok(Response::new(Full::from("hello")))
}

async fn read<S, B>(service: S) -> Bytes
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: std::fmt::Debug>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let response = service.oneshot(get("/")).await.expect("it answers");
    response
        .into_body()
        .collect()
        .await
        .expect("all")
        .to_bytes()
}

// Other layers.

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

// Panics.

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

// Readers.

/// Answers each reading with what the closure makes of its number, counted from 0.
struct Reader<F>(AtomicU64, F);

fn reader<F>(reading: F) -> Reader<F>
where
    F: Fn(u64) -> io::Result<Resident> + Send + Sync + 'static,
{
    Reader(AtomicU64::new(0), reading)
}

impl<F> ReadResident for Reader<F>
where
    F: Fn(u64) -> io::Result<Resident> + Send + Sync + 'static,
{
    fn read(&self) -> io::Result<Resident> {
        (self.1)(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

#[tokio::test]
async fn growth_is_the_second_reading_minus_the_first_and_signed() {
    let sizes = [500, 200, 200, 450, 450, 450];
    let layer = MemoryLayer::new()
        .resolution(Duration::ZERO)
        .warn_above(250 * MIB)
        .reader(reader(move |n| {
            Ok(Resident::new(sizes[n as usize] * MIB, MIB))
        }));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    let mut seen = Vec::new();
    for _ in 0..3 {
        read(service.clone()).await;
        let report = reports.now();
        seen.push((
            report.growth().map(|growth| growth / MIB as i64),
            report.verdict,
        ));
    }
    let meant = [
        (Some(-300), Verdict::WithinThreshold),
        (Some(250), Verdict::Unmetered),
        (Some(0), Verdict::WithinThreshold),
    ];
    assert_eq!(seen, meant);
}

#[tokio::test]
async fn a_reading_that_fails_is_none_and_never_the_one_before() {
    let layer = MemoryLayer::new()
        .without_log()
        .resolution(Duration::ZERO)
        .reader(reader(|n| match n {
            0 => Ok(Resident::new(7 * MIB, 0)),
            1 => Err(io::Error::other("as planned")),
            2 => panic!("the reader panicked, as planned"),
            _ => Ok(Resident::new(9 * MIB, 0)),
        }));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    let mut seen = Vec::new();
    for _ in 0..3 {
        assert_eq!(read(service.clone()).await, "hello");
        let report = reports.now();
        assert_eq!((report.outcome, report.overlap), (Outcome::Completed, 0));
        let totals = [report.before, report.after].map(|r| r.map(|r| r.total / MIB));
        seen.push((totals, report.growth(), report.verdict));
    }
    let meant = [
        ([Some(7), None], None, Verdict::Unreadable),
        ([None, Some(9)], None, Verdict::Unreadable),
        ([Some(9), Some(9)], Some(0), Verdict::WithinThreshold),
    ];
    assert_eq!(seen, meant);
}

#[tokio::test]
async fn readings_within_the_resolution_are_shared_by_all_clones_of_a_layer() {
    let readings = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&readings);
    let layer = MemoryLayer::new()
        .reader(reader(move |n| {
            counted.store(n + 1, Ordering::Relaxed);
            Ok(Resident::new(n, 0))
        }))
        .resolution(Duration::from_secs(3600));
    for _ in 0..10 {
        read(layer.clone().layer(service_fn(hello))).await;
    }
    assert_eq!(readings.load(Ordering::Relaxed), 1);
    let layer = layer.resolution(Duration::ZERO);
    for _ in 0..10 {
        read(layer.clone().layer(service_fn(hello))).await;
    }
    assert_eq!(readings.load(Ordering::Relaxed), 21);
}

// Requests that overlap.

/// Answers when told to: each request hands out the sender that ends it.
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

#[tokio::test]
async fn growth_that_another_request_overlapped_is_blamed_on_none() {
    let layer = MemoryLayer::new()
        .resolution(Duration::ZERO)
        .reader(reader(|n| Ok(Resident::new(n * 200 * MIB, 0))));
    let (layer, mut reports) = reports_of(layer);
    let service = layer.layer(service_fn(hello));
    let held = service.clone().oneshot(get("/")).await;
    read(service.clone()).await;
    assert_eq!(reports.now().verdict, Verdict::Overlapped);
    drop(held);
    assert_eq!(reports.now().verdict, Verdict::Overlapped);
    read(service).await;
    assert_eq!(reports.now().verdict, Verdict::Unmetered);
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
