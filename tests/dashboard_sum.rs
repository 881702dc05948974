//! The figures of the dashboard over a real meter: they add up, to the byte, within one answer.
#![cfg(feature = "dashboard")]

use axum::{Router, routing::get};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tower_memory::{
    MemoryLayer,
    dashboard::{self, Access},
    heap::TrackingAllocator,
    routes::Routes,
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

fn send(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("accepted");
    let patience = Duration::from_secs(60);
    stream.set_read_timeout(Some(patience)).expect("a timeout");
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("sent");
    stream
}

fn answer(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

fn figures(dashboard: &dashboard::Server) -> Value {
    let answer = answer(send(dashboard.address(), "/figures.json"));
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    serde_json::from_str(body).expect("JSON")
}

/// Asserts that the routes and nobody add up to the live heap, and returns the bytes of
/// `route`.
fn assert_adds_up(figures: &Value, route: &str) -> u64 {
    let routes = figures["routes"].as_array().expect("routes");
    let live = |route: &Value| route["live"].as_u64().expect("an owner");
    let sum: u64 = routes.iter().map(live).sum();
    let nobody = figures["nobody"].as_u64().expect("what nobody owns");
    assert_eq!(figures["live"], sum + nobody, "{figures}");
    let of_route = routes.iter().find(|figures| figures["route"] == route);
    live(of_route.unwrap_or_else(|| panic!("{route} is not told: {figures}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_heap_is_what_routes_and_nobody_own_and_no_first_request_is_forgotten() {
    const KEPT: usize = 100_000;
    let kept = Arc::new(Mutex::new(Vec::<Vec<u8>>::with_capacity(100)));
    let keep = async move || {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(vec![1; KEPT]);
    };
    let (begun, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (begin, gone) = (Arc::clone(&begun), Arc::clone(&go));
    let wait = async move || {
        let held = vec![1_u8; KEPT];
        begin.add_permits(1);
        let _ = gone.acquire().await;
        held.len().to_string()
    };
    let routes = Routes::new();
    let layer = MemoryLayer::new().without_log().on_report(routes.clone());
    let app = Router::new()
        .route("/keep", get(keep))
        .route("/wait", get(wait))
        .layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async { axum::serve(listener, app).await });
    let dashboard = dashboard::serve("127.0.0.1:0", routes, Access::Loopback);
    let dashboard = dashboard.expect("a free port");

    for _ in 0..10 {
        answer(send(address, "/keep"));
    }
    let owned = assert_adds_up(&figures(&dashboard), "/keep");
    assert!(owned >= 10 * KEPT as u64, "{owned}");

    // Its route has no report yet.
    let waiting = send(address, "/wait");
    begun.acquire().await.expect("it is open").forget();
    let open = figures(&dashboard);
    let owned = assert_adds_up(&open, "/wait");
    assert!(owned >= KEPT as u64, "{owned}");
    go.add_permits(1);
    answer(waiting);
    assert_adds_up(&figures(&dashboard), "/wait");
}
