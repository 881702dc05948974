//! The route of a report: axum's matched path, your own name for it, or `unmatched`; never a raw
//! path.

mod support;

use axum::{
    Router,
    body::Body,
    extract::Path,
    routing::{any, get as route_get},
};
use http::{Method, Response};
use http_body_util::BodyExt;
use std::{convert::Infallible, sync::Arc};
use support::{Reports, get, reports_of, request, within_reason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_memory::{MemoryLayer, Outcome, Route};

/// axum's match; without the feature nobody looks at it.
fn matched(route: &'static str) -> &'static str {
    if cfg!(feature = "axum") {
        route
    } else {
        "unmatched"
    }
}

async fn route_of(app: &Router, reports: &mut Reports, path: &str) -> String {
    let response = app.clone().oneshot(get(path)).await;
    let Ok(response) = response;
    response.into_body().collect().await.expect("all of it");
    reports.now().route.to_string()
}

async fn name(Path(id): Path<String>) -> String {
    id
}

#[tokio::test]
async fn the_route_is_the_template_and_not_the_path() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let app = Router::new()
        .route("/", route_get("home"))
        .route("/systems/{id}", route_get(name))
        .route("/files/{*path}", route_get(name))
        .layer(layer);
    for (path, template) in [
        ("/", "/"),
        ("/systems/7", "/systems/{id}"),
        ("/systems/8?full=yes", "/systems/{id}"),
        ("/files/a/b/c", "/files/{*path}"),
    ] {
        assert_eq!(route_of(&app, &mut reports, path).await, matched(template));
    }
}

#[tokio::test]
async fn a_nested_route_is_told_in_full() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let systems = Router::new().route("/systems/{id}", route_get(name));
    let app = Router::new()
        .nest("/api", Router::new().nest("/v1", systems))
        .layer(layer);
    let route = route_of(&app, &mut reports, "/api/v1/systems/7").await;
    assert_eq!(route, matched("/api/v1/systems/{id}"));
}

#[tokio::test]
async fn a_layer_inside_a_nested_router_tells_the_route_in_full() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let systems = Router::new()
        .route("/systems/{id}", route_get(name))
        .layer(layer);
    let app = Router::new().nest("/api", systems);
    let route = route_of(&app, &mut reports, "/api/systems/7").await;
    assert_eq!(route, matched("/api/systems/{id}"));
}

#[tokio::test]
async fn a_fallback_is_unmatched_whatever_the_path() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let nested = Router::new()
        .route("/known", route_get("known"))
        .fallback("nothing here");
    let app = Router::new()
        .route("/", route_get("home"))
        .nest("/api", nested)
        .fallback("nothing at all")
        .layer(layer);
    for path in ["/secret-token-1", "/api/secret-token-2", "/wp-login.php"] {
        assert_eq!(route_of(&app, &mut reports, path).await, "unmatched");
    }
}

#[tokio::test]
async fn a_method_that_the_route_refuses_is_still_of_that_route() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let app = Router::new()
        .route("/systems/{id}", route_get(name))
        .layer(layer);
    let request = request("DELETE", "/systems/7");
    let Ok(response) = app.clone().oneshot(request).await;
    drop(response);
    let report = reports.now();
    assert_eq!(report.route.as_str(), matched("/systems/{id}"));
    assert_eq!(report.status.map(|status| status.as_u16()), Some(405));
    assert_eq!(report.method, Method::DELETE);
}

#[tokio::test]
async fn a_layer_around_the_router_sees_no_route() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let app = Router::new().route("/systems/{id}", route_get(name));
    let service = layer.layer(app);
    let Ok(response) = service.oneshot(get("/systems/7")).await;
    drop(response);
    assert_eq!(reports.now().route, Route::UNMATCHED);
}

#[tokio::test]
async fn a_service_that_axum_nests_is_unmatched() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let files = service_fn(async |_| Ok::<_, Infallible>(Response::new(Body::empty())));
    let app = Router::new().nest_service("/files", files).layer(layer);
    let route = route_of(&app, &mut reports, "/files/secret").await;
    assert_eq!(route, "unmatched");
}

#[tokio::test]
async fn without_a_router_or_a_name_the_route_is_unmatched() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new()
        .layer(layer)
        .service_fn(async |_| Ok::<_, Infallible>(Response::new(String::new())));
    service.oneshot(get("/secret")).await.expect("it answers");
    assert_eq!(reports.only().await.route.as_str(), "unmatched");
}

#[tokio::test]
async fn your_own_name_is_taken_before_the_routers() {
    let layer = MemoryLayer::new().route_with(|request| match request.uri.path() {
        "/a" => Some(Route::from("the letter a")),
        "/b" => Some(Route::from(Arc::from(request.method.as_str()))),
        _ => None,
    });
    let (layer, mut reports) = reports_of(layer);
    let app = Router::new()
        .route("/{letter}", any("a letter"))
        .layer(layer);
    assert_eq!(route_of(&app, &mut reports, "/a").await, "the letter a");
    assert_eq!(route_of(&app, &mut reports, "/b").await, "GET");
    let routers = matched("/{letter}");
    assert_eq!(route_of(&app, &mut reports, "/c").await, routers);
}

#[tokio::test]
async fn axum_serves_behind_the_layer_over_a_socket() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let app = Router::new()
        .route("/systems/{id}", route_get(name))
        .layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let server = tokio::spawn(axum::serve(listener, app).into_future());
    for (method, status, size) in [("GET", 200, 5), ("HEAD", 200, 0), ("POST", 405, 0)] {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let head = "HTTP/1.1\r\nhost: localhost\r\nconnection: close";
        let text = format!("{method} /systems/seven {head}\r\n\r\n");
        stream.write_all(text.as_bytes()).await.expect("it listens");
        let mut answer = String::new();
        let read = within_reason(stream.read_to_string(&mut answer)).await;
        read.expect("it answers");
        let body = answer.split_once("\r\n\r\n").expect("a body").1;
        assert_eq!(body.len(), size);
        let report = reports.next().await;
        assert_eq!(report.route.as_str(), matched("/systems/{id}"));
        assert_eq!(report.outcome, Outcome::Completed);
        assert_eq!(report.status.map(|status| status.as_u16()), Some(status));
        assert_eq!((report.response_size, report.overlap), (size as u64, 0));
    }
    server.abort();
    assert!(reports.all().await.is_empty());
}
