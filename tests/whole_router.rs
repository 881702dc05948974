//! The layer around a whole axum app: a clone within the router names the routes, the outer one sees requests
//! that never get there, and each request has one report.
#![cfg(feature = "axum")]

#[path = "support/client.rs"]
mod client;
mod support;

use self::client::{Batch, Client};
use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::get as route_get,
};
use http::StatusCode;
use http_body_util::BodyExt;
use std::{collections::BTreeMap, hint::black_box, mem};
use support::{Reports, get, reports_of, within_reason};
use tokio::net::TcpListener;
use tower::ServiceExt;
use tower_memory::{
    MemoryLayer, Outcome, Report,
    heap::{TrackingAllocator, live_by_route},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// As in the documentation of `MemoryLayer`.
fn app(layer: MemoryLayer) -> Router {
    let routes = Router::new()
        .route("/systems/{id}", route_get("a system"))
        .route("/keep/{id}", route_get(keep))
        .fallback((StatusCode::NOT_FOUND, "nothing here"))
        .layer(layer.clone())
        .layer(from_fn(refuse_strangers));
    Router::new().fallback_service(routes).layer(layer)
}

const KEPT: usize = 64;

async fn keep() {
    mem::forget(black_box(vec![1_u8; KEPT]));
}

async fn refuse_strangers(request: Request, next: Next) -> Response {
    match request.uri().query() {
        Some("stranger") => StatusCode::UNAUTHORIZED.into_response(),
        _ => next.run(request).await,
    }
}

async fn report_of(app: &Router, reports: &mut Reports, path: &str) -> Report {
    let Ok(response) = app.clone().oneshot(get(path)).await;
    response.into_body().collect().await.expect("all of it");
    reports.now()
}

#[tokio::test]
async fn every_request_has_one_report_whoever_answers_it() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let app = app(layer);
    for (path, route, status) in [
        ("/systems/7", "/systems/{id}", 200),
        ("/nothing", "unmatched", 404),
        ("/systems/7?stranger", "unmatched", 401),
    ] {
        let report = report_of(&app, &mut reports, path).await;
        assert_eq!(report.route.as_str(), route);
        assert_eq!(report.status.map(|status| status.as_u16()), Some(status));
        assert_eq!(report.outcome, Outcome::Completed);
        // A clone within a clone sees the same request, not another one that overlaps.
        assert_eq!((report.overlap, report.in_flight), (0, 1));
    }
    drop(app);
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn over_kept_connections_each_request_is_reported_once_and_what_it_keeps_is_its_routes() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    let server = tokio::spawn(axum::serve(listener, app(layer)).into_future());
    let mut client = Client::start();
    let count = 1000;
    let paths = ["/keep/1", "/systems/1", "/nothing", "/keep/1?stranger"];
    for path in paths {
        let batch = Batch {
            path: path.into(),
            count,
            connections: 4,
            ..Batch::get(address)
        };
        assert_eq!(client.run(&batch).await.responses, count as u64);
    }
    client.close().await;
    server.abort();

    let mut reported = BTreeMap::new();
    for report in reports.all().await {
        *reported.entry(report.route.to_string()).or_insert(0) += 1;
    }
    let expected = [
        ("/keep/{id}", count),
        ("/systems/{id}", count),
        ("unmatched", 2 * count),
    ];
    let expected = expected.map(|(route, count)| (route.to_owned(), count));
    assert_eq!(reported, BTreeMap::from(expected));

    let kept = (KEPT * count) as u64;
    within_reason(async {
        while live("/keep/{id}") != kept {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn live(route: &str) -> u64 {
    let live = live_by_route().expect("it counts");
    let mut routes = live.routes.iter();
    routes
        .find(|own| own.route.as_str() == route)
        .map_or(0, |own| own.live)
}
