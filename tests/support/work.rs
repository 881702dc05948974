//! Work for a request, and the crate's figures for its route.
#![allow(dead_code)] // Each file is a crate of its own and uses its part.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use std::{
    cell::RefCell,
    convert::Infallible,
    future::{Future, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};
use tower::{Layer, Service, service_fn};
use tower_memory::{MemoryLayer, Route, heap::live_by_route};

/// Calls `f` in a request of `route` that answers at once.
pub(crate) fn work_for<F: FnOnce()>(route: &'static str, f: F) {
    let layer = MemoryLayer::new()
        .warn_above(u64::MAX)
        .without_log()
        .route_with(move |_| Some(Route::from(route)));
    let f = RefCell::new(Some(f));
    let mut service = layer.layer(service_fn(|_: Request<()>| {
        if let Some(f) = f.take() {
            f();
        }
        ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    }));
    let answer = pin!(service.call(Request::new(())));
    let answered = answer.poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(answered, Poll::Ready(Ok(_))));
}

/// Live bytes of `route`.
pub(crate) fn live_of(route: &str) -> u64 {
    let live = live_by_route().expect("it counts");
    let mut routes = live.routes.iter();
    let found = routes.find(|live| live.route.as_str() == route);
    found.map_or(0, |found| found.live)
}
