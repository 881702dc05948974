//! gRPC served by tonic: methods are routes, `grpc-status` is in the report, and the memory that a
//! method keeps is exact, over one kept connection with concurrent streams.

mod support;

use bytes::{Buf, BufMut};
use http::{Request, uri::PathAndQuery};
use std::{
    convert::Infallible,
    hint::black_box,
    mem,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use support::within_reason;
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt, wrappers::TcpListenerStream};
use tonic::{
    Code, Response, Status, Streaming,
    body::Body,
    client,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{self, NamedService, StreamingService, UnaryService},
    transport::{Channel, Endpoint, Server},
};
use tower::Service;
use tower_memory::{
    MemoryLayer, Report,
    heap::{TrackingAllocator, live_by_route},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Messages of bytes.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Status>> + Send>>;
type Answer<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

/// Echoes its input.
struct Echo;

impl UnaryService<Vec<u8>> for Echo {
    type Response = Vec<u8>;
    type Future = Answer<Vec<u8>>;

    fn call(&mut self, request: tonic::Request<Vec<u8>>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl StreamingService<Vec<u8>> for Echo {
    type Response = Vec<u8>;
    type ResponseStream = Messages;
    type Future = Answer<Messages>;

    fn call(&mut self, request: tonic::Request<Streaming<Vec<u8>>>) -> Self::Future {
        let messages: Messages = Box::pin(request.into_inner());
        Box::pin(async move { Ok(Response::new(messages)) })
    }
}

const KEPT: usize = 4096;

/// Keeps 4 KiB.
struct Keep;

impl UnaryService<Vec<u8>> for Keep {
    type Response = Vec<u8>;
    type Future = Answer<Vec<u8>>;

    fn call(&mut self, _: tonic::Request<Vec<u8>>) -> Self::Future {
        Box::pin(async move {
            mem::forget(black_box(vec![1_u8; KEPT]));
            Ok(Response::new(Vec::new()))
        })
    }
}

/// Like generated code.
#[derive(Clone)]
struct Methods;

impl NamedService for Methods {
    const NAME: &'static str = "test.v1.Echo";
}

impl Service<Request<Body>> for Methods {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = server::Grpc::new(Raw);
            Ok(match request.uri().path() {
                "/test.v1.Echo/Say" => grpc.unary(Echo, request).await,
                "/test.v1.Echo/Talk" => grpc.streaming(Echo, request).await,
                "/test.v1.Echo/Keep" => grpc.unary(Keep, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// From the report: the route, `grpc-status`, and the retained bytes.
type Reported = Arc<Mutex<Vec<(String, Option<i32>, i64)>>>;

async fn serve() -> (Channel, Reported) {
    let reported = Reported::default();
    let reports = Arc::clone(&reported);
    let layer = MemoryLayer::new().on_report(move |report: &Report| {
        let retained = report.heap.expect("it counts").retained();
        let told = (report.route.to_string(), report.grpc_status, retained);
        reports.lock().expect("not poisoned").push(told);
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let server = Server::builder().layer(layer).add_service(Methods);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    (endpoint.connect().await.expect("it serves"), reported)
}

fn path(method: &str) -> PathAndQuery {
    let path = format!("/test.v1.Echo/{method}");
    path.parse().expect("a path")
}

async fn unary(channel: &Channel, method: &str, size: usize) -> Result<Vec<u8>, Status> {
    let mut grpc = client::Grpc::new(channel.clone());
    grpc.ready().await.expect("a connection");
    let request = tonic::Request::new(vec![7; size]);
    let response = grpc.unary(request, path(method), Raw).await?;
    Ok(response.into_inner())
}

async fn talk(channel: &Channel, messages: usize, size: usize) -> usize {
    let mut grpc = client::Grpc::new(channel.clone());
    grpc.ready().await.expect("a connection");
    let outgoing = tokio_stream::iter((0..messages).map(move |_| vec![7; size]));
    let request = tonic::Request::new(outgoing);
    let response = grpc.streaming(request, path("Talk"), Raw).await;
    let mut incoming = response.expect("an answer").into_inner();
    let mut received = 0;
    while let Some(message) = incoming.next().await {
        received += message.expect("all of them").len();
    }
    received
}

fn live(method: &str) -> u64 {
    let live = live_by_route().expect("it counts");
    let label = format!("/test.v1.Echo/{method}");
    let routes = live.routes.iter();
    let mut own = routes.filter(|route| route.route.as_str() == label);
    own.next().map_or(0, |route| route.live)
}

/// Waits until everything that the requests still hold has been dropped.
async fn at_rest(is_at_rest: impl Fn() -> bool) {
    within_reason(async {
        while !is_at_rest() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_are_routes_whose_live_heap_is_exact_over_a_kept_connection() {
    let (channel, reported) = serve().await;
    // Memory set up by the first calls is theirs for good.
    unary(&channel, "Say", 100).await.expect("an answer");
    talk(&channel, 3, 1000).await;
    unary(&channel, "Keep", 100).await.expect("an answer");
    let calls = 500;
    let mut tasks = tokio::task::JoinSet::new();
    for worker in 0..16 {
        let channel = channel.clone();
        tasks.spawn(async move {
            for _ in 0..calls {
                match worker % 3 {
                    0 => assert_eq!(
                        unary(&channel, "Say", 20_000).await.expect("it").len(),
                        20_000
                    ),
                    1 => assert_eq!(talk(&channel, 5, 3_000).await, 15_000),
                    _ => drop(unary(&channel, "Keep", 100).await.expect("it")),
                }
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
    drop(channel);
    let kept = (KEPT * (5 * calls + 1)) as u64;
    at_rest(|| (live("Say"), live("Talk"), live("Keep")) == (0, 0, kept)).await;

    let reported = reported.lock().expect("not poisoned");
    assert!(reported.iter().all(|(_, status, _)| *status == Some(0)));
    for (route, _, retained) in reported.iter() {
        let kept = if route.ends_with("/Keep") { KEPT } else { 0 };
        assert!(
            retained.abs_diff(kept as i64) <= 1024,
            "{route}: {retained}"
        );
    }
}

#[tokio::test]
async fn a_call_that_fails_reports_its_status() {
    let (channel, reported) = serve().await;
    let error = unary(&channel, "Nothing", 0).await.expect_err("no method");
    assert_eq!(error.code(), Code::Unimplemented);
    at_rest(|| !reported.lock().expect("not poisoned").is_empty()).await;
    let reported = reported.lock().expect("not poisoned");
    let (route, status, _) = &reported[0];
    assert_eq!(
        (route.as_str(), *status),
        ("/test.v1.Echo/Nothing", Some(12))
    );
}
