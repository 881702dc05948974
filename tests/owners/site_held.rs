//! Handlers whose memory somebody holds for a while.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ws::{WebSocket, WebSocketUpgrade},
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use http::StatusCode;
use std::{
    convert::Infallible,
    future,
    hint::black_box,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Mutex,
};
use tokio::sync::Notify;
use tower_memory::{LateWork, OnReport, Report, heap::CurrentRequest};

/// Ends the job.
pub(crate) static JOB: Notify = Notify::const_new();

/// Its report.
static LATE: Mutex<Option<LateWork>> = Mutex::new(None);

pub(crate) fn late() -> Option<LateWork> {
    LATE.lock().expect("no panic").take()
}

pub(crate) struct LateListener;

impl OnReport for LateListener {
    fn on_report(&self, _: &Report) {}

    fn on_late_work(&self, work: &LateWork) {
        *LATE.lock().expect("no panic") = Some(work.clone());
    }
}

pub(crate) fn router() -> Router {
    Router::new()
        .route(
            "/sse/held",
            get(|| async {
                let held = black_box(vec![1_u8; 100 << 20]);
                let first =
                    stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"data: first\n\n"))]);
                let rest = stream::once(async move {
                    future::pending::<()>().await;
                    Ok(Bytes::from(held))
                });
                Body::from_stream(first.chain(rest))
            }),
        )
        .route("/50-mib", get(|| async { vec![b'x'; 50 << 20] }))
        .route("/600-kib", get(|| async { vec![b'x'; 600 << 10] }))
        .route("/job", post(job))
        .route(
            "/ws",
            get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(hold) }),
        )
        .route(
            "/ws/carried",
            get(|upgrade: WebSocketUpgrade| async {
                let request = CurrentRequest::get().expect("a request");
                upgrade.on_upgrade(|socket| request.instrument(hold(socket)))
            }),
        )
}

async fn job() -> impl IntoResponse {
    let held = black_box(vec![1_u8; 150 << 20]);
    tokio::spawn(CurrentRequest::carry(async move {
        JOB.notified().await;
        crate::site::keep(1 << 20);
        drop(held);
    }));
    (StatusCode::ACCEPTED, "queued")
}

async fn hold(mut socket: WebSocket) {
    let held = black_box(vec![1_u8; 100 << 20]);
    while let Some(Ok(_)) = socket.recv().await {}
    drop(held);
}

/// A client that sends nothing more once its socket is open.
pub(crate) fn open_websocket(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("the server is there");
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("it answers");
    assert_eq!(&head, b"HTTP/1.1 101");
    stream
}
