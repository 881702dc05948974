//! The same over sockets, with kept connections.

use crate::{
    assert_exact,
    oracle::{allocations, owned_by},
    owned::Owned,
    request::{Chaos, EXPECTED, Handler, ROUTES},
    support::Server,
};
use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{runtime, task::JoinSet};
use tower::{Layer, Service};
use tower_memory::MemoryLayer;

const CLIENTS: usize = 16;

type Boxed = Pin<Box<dyn Future<Output = Result<Response<Owned<Chaos>>, Infallible>> + Send>>;

impl Service<Request<Incoming>> for Handler {
    type Response = Response<Owned<Chaos>>;
    type Error = Infallible;
    type Future = Owned<Boxed>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        EXPECTED.fetch_add(1, Ordering::Relaxed);
        let seed = request.uri().query().and_then(|seed| seed.parse().ok());
        let rng = Rng::with_seed(seed.expect("a number"));
        let mut heap = self.work(request.uri().path(), rng);
        let owner = heap.owner;
        let answer: Boxed = owned_by(owner, || {
            Box::pin(async move {
                if heap.rng.bool() {
                    let body = request.into_body().collect().await;
                    heap.hold(body.map_or(Bytes::new(), |body| body.to_bytes()));
                }
                if heap.rng.u8(0..4) == 0 {
                    heap.spawn_work();
                }
                Chaos(heap).await
            })
        });
        Owned::new(owner, answer)
    }
}

/// Sends requests until there were enough allocations, over connections kept for as long as they
/// last.
pub(crate) fn drive(layer: &MemoryLayer, rng: &mut Rng, enough: u64, seed: u64) {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime");
    let connections = Arc::new(AtomicU64::new(0));
    let before = EXPECTED.load(Ordering::Relaxed);
    let kept = runtime.block_on(async {
        let server = Arc::new(Server::new(layer.layer(Handler { is_inner: false })).await);
        let clients: JoinSet<_> = (0..CLIENTS)
            .map(|n| {
                let (server, connections) = (Arc::clone(&server), Arc::clone(&connections));
                let rng = rng.fork();
                async move {
                    match n % 2 {
                        0 => over_http1(&server, rng, enough, &connections).await,
                        _ => over_http2(&server, rng, enough, &connections).await,
                    }
                }
            })
            .collect();
        (clients.join_all().await, server)
    });
    // Connections are idle, and hold a fixed amount.
    assert_exact(seed);
    drop(kept);
    drop(runtime);
    assert_exact(seed);
    let requests = EXPECTED.load(Ordering::Relaxed) - before;
    let connections = connections.load(Ordering::Relaxed);
    println!("{requests} requests over {connections} connections");
    assert!(requests > 4 * connections);
}

fn request(rng: &mut Rng, is_http2: bool) -> Request<Full<Bytes>> {
    let path = ROUTES[rng.usize(0..ROUTES.len())];
    let authority = if is_http2 { "http://localhost" } else { "" };
    let mut request = Request::post(format!("{authority}{path}?{}", rng.u64(..)));
    for n in 0..rng.usize(0..10) {
        request = request.header(format!("x-{n}"), "a value of some length");
    }
    let body = vec![7; rng.usize(0..20_000)];
    let request = request.header("host", "localhost").body(Full::from(body));
    request.expect("a request")
}

/// Reads the response, or leaves. Returns whether the connection can be kept.
async fn read(response: Response<Incoming>, rng: &mut Rng) -> bool {
    let mut body = response.into_body();
    while rng.u8(0..100) > 0 {
        match body.frame().await {
            Some(Ok(_)) => {}
            Some(Err(_)) => return false,
            None => return true,
        }
    }
    false
}

type Client<T> = Option<T>;

async fn over_http1(
    server: &Server,
    mut rng: Rng,
    enough: u64,
    connections: &AtomicU64,
) -> Client<Box<dyn Send>> {
    let mut kept = None;
    while allocations() < enough {
        let mut client = match kept.take() {
            Some(client) => client,
            None => {
                connections.fetch_add(1, Ordering::Relaxed);
                server.http1().await
            }
        };
        if client.ready().await.is_ok()
            && let Ok(response) = client.send_request(request(&mut rng, false)).await
            && read(response, &mut rng).await
        {
            kept = Some(client);
        }
    }
    kept.map(|client| Box::new(client) as Box<dyn Send>)
}

async fn over_http2(
    server: &Server,
    mut rng: Rng,
    enough: u64,
    connections: &AtomicU64,
) -> Client<Box<dyn Send>> {
    connections.fetch_add(1, Ordering::Relaxed);
    let mut client = server.http2().await;
    while allocations() < enough {
        if client.ready().await.is_err() {
            connections.fetch_add(1, Ordering::Relaxed);
            client = server.http2().await;
            continue;
        }
        // Leaving one stream closes no others; a panic in one does.
        if let Ok(response) = client.send_request(request(&mut rng, true)).await {
            read(response, &mut rng).await;
        }
    }
    Some(Box::new(client))
}
