//! Requests keep their live bytes apart for as long as anything works for them, and give back their
//! entries once nothing does.

#[path = "support/work.rs"]
mod work;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{Empty, Full};
use std::{
    convert::Infallible,
    future::{pending, ready},
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    task::{Context, Poll, Waker},
};
use tower::{Layer, Service, service_fn};
use tower_memory::{
    MemoryLayer, Report, Route,
    heap::{CurrentRequest, RouteLive, TrackingAllocator, live_by_route},
};
use work::{live_of, work_for};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

const MIB: usize = 1 << 20;

/// More than can be told apart at once, with each of them in use.
const ALL_ENTRIES: usize = 1 << 16;

fn alone() -> MutexGuard<'static, ()> {
    static PROCESS: Mutex<()> = Mutex::new(());
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn layer(route: &'static str) -> MemoryLayer {
    MemoryLayer::new()
        .warn_above(u64::MAX)
        .without_log()
        .route_with(move |_| Some(Route::from(route)))
}

fn of(route: &str) -> RouteLive {
    let live = live_by_route().expect("it counts");
    let mut routes = live.routes.into_iter();
    let found = routes.find(|live| live.route.as_str() == route);
    found.expect("the route was asked for")
}

fn answer() -> Result<Response<Empty<Bytes>>, Infallible> {
    Ok(Response::new(Empty::new()))
}

/// Requests that keep 64 bytes each and are all open at once.
fn crowd(route: &'static str) -> Vec<impl Future> {
    let mut service = layer(route).layer(service_fn(|_: Request<()>| {
        let held = vec![1_u8; 64];
        async move {
            pending::<()>().await;
            drop(held);
            answer()
        }
    }));
    let open = (0..ALL_ENTRIES).map(|_| {
        let mut future = Box::pin(service.call(Request::new(())));
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        future
    });
    open.collect()
}

#[test]
fn work_from_around_a_clone_that_took_the_request_over_is_no_other_requests() {
    let _alone = alone();
    // The others' route has this much more live than the open requests.
    let mut settled = Vec::<u8>::new();
    work_for("/crowd", || settled = Vec::with_capacity(8 * MIB));
    tower_memory::flush();
    let outer = layer("/cloned");
    let inner = outer.clone();
    let carried = Mutex::new(None);
    let mut service = outer.layer(service_fn(|request: Request<()>| {
        *carried.lock().expect("no panic") = CurrentRequest::get();
        let mut inner = inner.layer(service_fn(|_: Request<()>| ready(answer())));
        inner.call(request)
    }));
    let response = pin!(service.call(Request::new(())));
    let answered = response.poll(&mut Context::from_waker(Waker::noop()));
    assert!(answered.is_ready());
    drop(answered);

    let crowd = crowd("/crowd");
    let carried = carried.into_inner().expect("no panic");
    let carried = carried.expect("a request");
    let mut kept = Vec::<u8>::new();
    carried.in_scope(|| kept = Vec::with_capacity(MIB));
    let open = of("/crowd").open;
    assert!(open <= 64 * ALL_ENTRIES as u64, "{open}");
    let cloned = of("/cloned");
    assert_eq!(cloned.live, MIB as u64);
    assert_eq!((cloned.running, cloned.open_requests), (MIB as u64, 1));
    drop(carried);
    assert_eq!(of("/cloned").open_requests, 0);
    drop((crowd, settled, kept));
    assert_eq!((of("/crowd").live, of("/cloned").live), (0, 0));
}

#[test]
fn more_requests_at_once_than_can_be_told_apart_count_for_their_route() {
    let _alone = alone();
    let crowds = [crowd("/first"), crowd("/second")];
    for route in ["/first", "/second"] {
        assert_eq!(of(route).live, 64 * ALL_ENTRIES as u64);
    }
    drop(crowds);
    for route in ["/first", "/second"] {
        assert_eq!((of(route).live, of(route).open_requests), (0, 0));
    }
}

#[test]
fn a_response_is_unsent_until_the_server_drops_it_and_then_nothing_is_open() {
    let _alone = alone();
    static ASSET: [u8; 2 * MIB] = [7; 2 * MIB];
    for (route, own, body) in [
        ("/own", 2 * MIB, vec![7; 2 * MIB].into()),
        ("/asset", 0, Bytes::from_static(&ASSET)),
    ] {
        let (sender, reports) = mpsc::channel();
        let layer = layer(route).on_report(move |report: &Report| {
            let _ = sender.send(report.clone());
        });
        let mut service = layer.layer(service_fn(|_: Request<()>| {
            // Allocated for the request.
            let body = if own > 0 {
                body.to_vec().into()
            } else {
                body.clone()
            };
            ready(Ok::<_, Infallible>(Response::new(Full::new(body))))
        }));
        let mut cx = Context::from_waker(Waker::noop());
        let response = pin!(service.call(Request::new(()))).poll(&mut cx);
        let Poll::Ready(Ok(response)) = response else {
            panic!("it answers at once")
        };
        let mut frames = Vec::new();
        let mut body = Box::pin(response.into_body());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
            frames.push(frame.expect("all of it"));
        }
        drop(body);
        let live = of(route);
        assert_eq!((live.live, live.unsent), (own as u64, own as u64));
        assert_eq!(live.open_requests, 1);
        drop(frames);
        let heap = reports.recv().expect("a report").heap.expect("it counts");
        assert_eq!((heap.retained(), heap.unsent), (0, 0), "{heap:?}");
        let live = of(route);
        assert_eq!((live.live, live.open_requests), (0, 0));
    }
}

#[test]
fn what_a_listener_keeps_is_of_no_request_that_the_thread_serves() {
    let _alone = alone();
    let kept = Arc::new(Mutex::new(Vec::<u8>::new()));
    let keeping = Arc::clone(&kept);
    let inner = layer("/inner").on_report(move |_: &Report| {
        *keeping.lock().expect("no panic") = Vec::with_capacity(MIB);
    });
    work_for("/outer", || {
        let mut service = inner.layer(service_fn(|_: Request<()>| ready(answer())));
        let response = pin!(service.call(Request::new(())));
        let answered = response.poll(&mut Context::from_waker(Waker::noop()));
        drop(answered);
    });
    assert_eq!(kept.lock().expect("no panic").capacity(), MIB);
    assert_eq!((live_of("/outer"), live_of("/inner")), (0, 0));
    drop(mem::take(&mut *kept.lock().expect("no panic")));
}
