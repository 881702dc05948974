//! More open requests than can be told apart.

use crate::{
    bench::Bench,
    live::wait_until,
    site::{self, keep},
};
use http::{Request, Response};
use http_body_util::Empty;
use std::{
    convert::Infallible,
    future,
    hint::black_box,
    pin::Pin,
    task::{Context, Waker},
};
use tower::{Layer, Service, service_fn};
use tower_memory::{MemoryLayer, Route, heap::live_by_route};

type Answer = Result<Response<Empty<bytes::Bytes>>, Infallible>;

async fn handle(_: Request<()>) -> Answer {
    keep(64);
    let held = black_box(vec![1_u8; 100]);
    future::pending::<()>().await;
    drop(held);
    Ok(Response::default())
}

#[test]
fn with_more_requests_open_than_can_be_told_apart_their_route_is_exact() {
    const REQUESTS: usize = 70_000;
    const TOLD_APART: u32 = (1 << 16) - 1;
    // Gives the test the process to itself.
    let mut bench = Bench::new(1, site::router);
    let layer = MemoryLayer::new()
        .without_log()
        .route_with(|_| Some(Route::from("/full")));
    let mut service = layer.layer(service_fn(handle));
    // The first names the route.
    drop(service.call(Request::new(())));
    let before = bench.at_rest();
    let mut open = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let mut future: Pin<Box<dyn Future<Output = _>>> = Box::pin(service.call(Request::new(())));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        open.push(future);
    }
    let full = || {
        let all = live_by_route().expect("an allocator counts").routes;
        let full = all.into_iter().find(|it| it.route.as_str() == "/full");
        full.expect("it was named")
    };
    let now = full();
    assert_eq!(now.live, REQUESTS as u64 * 164);
    // Some try only places that are taken and find none, although there is a free one.
    assert!(now.open_requests > TOLD_APART * 9 / 10, "{now:?}");
    assert!(now.open <= now.live, "{now:?}");
    drop(open);
    wait_until(|| match full().open_requests {
        0 => Ok(()),
        open => Err(format!("{open} are open")),
    });
    bench.settled(
        &before,
        &[("/full", REQUESTS as u64 * 64, 0)],
        &"all are dropped",
    );
}
