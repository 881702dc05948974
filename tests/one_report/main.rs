//! Whatever happens to a request, there is exactly one report, and it is right.
//!
//! Everything here goes over a real socket, from hyper's clients or a bare TCP stream to hyper's
//! server.

mod failed;
mod http1;
mod http2;
mod left;
#[path = "../support/mod.rs"]
mod support;
mod upgraded;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, upgrade};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future, io, sync::Arc, time::Duration};
use support::{Pieces, Reports, Server, get, reports_of, request, within_reason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};
use tower::{BoxError, ServiceBuilder};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tower_memory::{MemoryLayer, Outcome, Report};

/// Serves `handler` behind a layer.
async fn serve<F, A, B, E>(handler: F) -> (Server, Reports)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<B>, E>> + Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new().layer(layer).service_fn(handler);
    (Server::new(service).await, reports)
}

type Sender = http_body_util::channel::Sender<Bytes, BoxError>;

/// Serves `response` with a body sent by the test: each request gives the test a sender.
async fn serve_pieces(
    response: response::Builder,
) -> (Server, Reports, mpsc::UnboundedReceiver<Sender>) {
    let (senders, received) = mpsc::unbounded_channel();
    let head = response.body(()).expect("a valid response").into_parts().0;
    let (server, reports) = serve(move |_| {
        let (sender, body) = Pieces::new(1);
        senders.send(sender).expect("the test waits for it");
        future::ready(Ok::<_, Infallible>(Response::from_parts(
            head.clone(),
            body,
        )))
    })
    .await;
    (server, reports, received)
}

/// Sends `text` as it is and reads until the server closes the connection.
async fn ask(server: &Server, text: &str) -> String {
    let mut stream = server.connect().await;
    stream.write_all(text.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    within_reason(stream.read_to_string(&mut answer))
        .await
        .expect("it answers");
    answer
}

/// Sends `text` as it is and reads until the received text contains `until`.
async fn begin(server: &Server, text: &str, until: &str) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(text.as_bytes()).await.expect("it listens");
    read_until(&mut stream, until).await;
    stream
}

async fn read_until(stream: &mut TcpStream, until: &str) {
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(until) {
        let read = within_reason(stream.read_buf(&mut answer)).await;
        assert_ne!(read.expect("it answers"), 0, "it hung up");
    }
}

#[track_caller]
fn assert_ended(report: &Report, outcome: Outcome, status: impl Into<Option<u16>>, size: u64) {
    assert_eq!(report.outcome, outcome);
    assert_eq!(report.status.map(|status| status.as_u16()), status.into());
    assert_eq!(report.response_size, size);
    assert_eq!(report.overlap, 0);
}

const LAST_REQUEST: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
