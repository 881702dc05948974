//! The dashboard on a thread of its own, which answers where the app can't.
#![cfg(feature = "dashboard")]

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    routing::get,
};
use serde_json::Value;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};
use tokio::runtime::Builder;
use tower::ServiceExt;
use tower_memory::{
    MemoryLayer,
    dashboard::{self, Access},
    routes::Routes,
};

/// Long enough for any machine; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn send(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("accepted");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn it_answers_while_handlers_block_every_worker_of_the_app() {
    const WORKERS: usize = 3;
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(WORKERS).build().expect("a runtime");

    let (began, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let block = move || {
        let (began, released) = (began.clone(), Arc::clone(&released));
        async move {
            began.send(()).expect("the test waits");
            let released = released.lock().unwrap_or_else(PoisonError::into_inner);
            // Until the test drops the other end.
            let _ = released.recv();
        }
    };
    let routes = Routes::new();
    let layer = MemoryLayer::new().without_log().on_report(routes.clone());
    let app = Router::new().route("/block", get(block)).layer(layer);
    let dashboard = dashboard::serve("127.0.0.1:0", routes, Access::Loopback).expect("a free port");

    // Sent from here and not over a socket: a free worker may not look at sockets while others block.
    let request = || Request::get("/block").body(Body::empty());
    let blocked = (0..WORKERS).map(|_| {
        let request = request().expect("a request");
        let request = runtime.spawn(app.clone().oneshot(request));
        begun.recv_timeout(PATIENCE).expect("a worker is blocked");
        request
    });
    let blocked: Vec<_> = blocked.collect();
    let figures = answer(send(dashboard.address(), "/figures.json"));
    let (head, body) = figures.split_once("\r\n\r\n").expect("a body");
    assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
    let figures: Value = serde_json::from_str(body).expect("JSON");
    assert!(figures["resident"].is_u64(), "{figures}");
    let page = answer(send(dashboard.address(), "/"));
    assert!(page.contains("<title>Memory</title>"), "{page:.200}");

    assert!(blocked.iter().all(|request| !request.is_finished()));
    drop(release);
    for request in blocked {
        let response = runtime.block_on(request).expect("no panic");
        assert_eq!(response.expect("an answer").status(), StatusCode::OK);
    }
}

#[test]
fn it_ends_when_it_is_dropped_even_while_somebody_looks() {
    let dashboard = dashboard::serve("127.0.0.1:0", Routes::new(), Access::Loopback);
    let dashboard = dashboard.expect("a free port");
    let address = dashboard.address();
    let mut events = send(address, "/events");
    let mut first = [0];
    events.read_exact(&mut first).expect("an event begins");
    drop(dashboard);

    // The rest, and then the end, which may be a reset if the server had more to send.
    let _ = events.read_to_end(&mut Vec::new());
    let refused = TcpStream::connect(address).expect_err("nobody listens");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn an_address_that_is_taken_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let error = dashboard::serve(address, Routes::new(), Access::Loopback).expect_err("taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let error = error.to_string();
    let start = format!("cannot serve the dashboard on {address}: ");
    assert!(error.starts_with(&start), "{error}");
    assert!(
        error.ends_with("; choose another address, or port 0 for a free one"),
        "{error}"
    );
}

#[test]
fn what_is_no_address_is_named() {
    let error = dashboard::serve("nowhere", Routes::new(), Access::Loopback).expect_err("none");
    let error = error.to_string();
    assert!(
        error.starts_with("cannot serve the dashboard on nowhere: "),
        "{error}"
    );
}
