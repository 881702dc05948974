//! Bytes that a request allocates, frees and leaves behind are reported exactly, except for the
//! headers that it and the connection free for each other.
#![cfg(feature = "axum")]

mod bodies;
#[path = "../support/mod.rs"]
mod support;
mod work;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::DefaultBodyLimit,
    routing::post,
};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    iter, mem,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    task::{Context, Poll},
    thread,
};
use support::{Reports, Server, reports_of, within_reason};
use tower::{Layer, Service, service_fn};
use tower_memory::{
    HeapFlow, LateWork, MIB, MemoryLayer, OnReport, Report, RequestBody,
    heap::{CurrentRequest, TrackingAllocator},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

const LARGE: usize = 50 << 20;
const KEPT: usize = 30 << 20;

/// Memory that a handler keeps to outlive the request. Never freed.
fn keep<T: Send + 'static>(kept: T) {
    mem::forget(kept);
}

/// Serves `router` over a real socket, sends it `body` by POST, reads the whole response, and
/// returns its heap flow.
async fn flow_of(handler: Router, body: Bytes) -> HeapFlow {
    let (layer, mut reports) = reports_of(MemoryLayer::new().without_log());
    let app = handler.layer(DefaultBodyLimit::disable()).layer(layer);
    let server = Server::new(app).await;
    let mut client = server.http1().await;
    let request = Request::post("/").header("host", "localhost");
    let request = request.body(Full::new(body)).expect("a request");
    let response = client.send_request(request).await.expect("an answer");
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.expect("all of it");
    }
    heap(&mut reports).await
}

async fn heap(reports: &mut Reports) -> HeapFlow {
    reports.next().await.heap.expect("it counts")
}

/// Headers, boxes and the like are allocated by one side and freed by the other.
const SMALL: u64 = 64 << 10;

#[track_caller]
fn assert_retained(flow: &HeapFlow, bytes: usize) {
    let retained = flow.retained();
    assert!(
        retained.abs_diff(bytes as i64) < SMALL,
        "{retained} of {bytes} bytes: {flow:?}"
    );
}

/// Both ways: nothing kept, and 30 MiB kept.
async fn with_and_without<H>(body: Bytes, handler: H)
where
    H: Fn(bool) -> Router,
{
    for kept in [false, true] {
        let flow = flow_of(handler(kept), body.clone()).await;
        assert_retained(&flow, if kept { KEPT } else { 0 });
    }
}

fn keep_some(keeps: bool) {
    if keeps {
        keep(vec![1_u8; KEPT]);
    }
}
