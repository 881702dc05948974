//! Soaks of servers in processes of their own, and of servers whose figures can't be trusted.
#![cfg(all(feature = "dashboard", feature = "soak", target_os = "linux"))]

#[path = "support/built.rs"]
mod built;
#[path = "support/program.rs"]
mod program;

use self::program::Program;
use axum::{Json, Router, http::StatusCode, routing::get};
use http::Request;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::net::TcpListener;
use tower_memory::soak::{Judgement, Remote, Soak, Verdict};

fn zoo() -> Program {
    Program::start(built::path("zoo").to_str().expect("text"))
}

fn soak(address: &str, path: &'static str) -> Soak<Remote> {
    let request = move |_| Request::get(path).body("").expect("a request");
    Soak::url(&format!("http://{address}")).request(request)
}

#[tokio::test]
async fn a_leak_of_a_server_is_found_with_its_route() {
    let zoo = zoo();
    for (path, bytes) in [("/leak?bytes=16", 16.0), ("/leak?kib=1", 1024.0)] {
        let judgement = soak(&zoo.address, path).judge().await;
        let Verdict::Grows {
            per_request, route, ..
        } = &judgement.verdict
        else {
            panic!("{judgement}");
        };
        assert!((per_request - bytes).abs() < 1.0, "{judgement}");
        assert_eq!(route.as_deref(), Some("/leak"));
    }
}

#[tokio::test]
async fn a_server_that_keeps_nothing_or_a_bounded_cache_is_settled() {
    let zoo = zoo();
    for path in ["/steady?kib=1", "/bounded", "/lru"] {
        let judgement = soak(&zoo.address, path).judge().await;
        judgement.assert_settled();
        assert!(judgement.is_exact);
    }
}

#[tokio::test]
async fn a_map_of_a_server_that_is_never_emptied_grows_by_doubling() {
    let zoo = zoo();
    let judgement = soak(&zoo.address, "/double").judge().await;
    assert!(
        matches!(judgement.verdict, Verdict::GrowsByDoubling { .. }),
        "{judgement}"
    );
}

#[tokio::test]
async fn with_its_resident_memory_alone_a_large_leak_is_found() {
    let zoo = zoo();
    let judgement = soak(&zoo.address, "/leak?kib=8")
        .pid(zoo.id())
        .judge()
        .await;
    let Verdict::Grows { per_request, .. } = judgement.verdict else {
        panic!("{judgement}");
    };
    assert!((7_000.0..10_000.0).contains(&per_request), "{judgement}");
    assert!(!judgement.is_exact);
    let judgement = soak(&zoo.address, "/steady?kib=8").pid(zoo.id());
    let judgement = judgement.judge().await;
    assert!(!judgement.verdict.is_growth(), "{judgement}");
}

/// Soaks a server whose dashboard answers with what `figures` makes of the number of requests and looks so far.
async fn told(figures: impl Fn(u64, u64) -> Value + Clone + Send + Sync + 'static) -> Judgement {
    let (requests, looks) = (Arc::new(AtomicU64::new(0)), AtomicU64::new(0));
    let counted = Arc::clone(&requests);
    let looks = Arc::new(looks);
    let app = Router::new()
        .route(
            "/it",
            get(async move || {
                requests.fetch_add(1, Ordering::Relaxed);
            }),
        )
        .route(
            "/memory/figures.json",
            get(async move || {
                let look = looks.fetch_add(1, Ordering::Relaxed);
                Json(figures(counted.load(Ordering::Relaxed), look))
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async { axum::serve(listener, app).await });
    soak(&address, "/it").judge().await
}

fn figures(began_at: f64, live: u64, requests: u64) -> Value {
    json!({
        "began_at": began_at, "live": live, "nobody": live, "resident": 50_000_000,
        "routes": [{ "route": "/it", "requests": requests, "live": 0 }],
    })
}

fn reason(judgement: &Judgement) -> &str {
    match &judgement.verdict {
        Verdict::Invalid { reason, .. } => reason,
        _ => panic!("{judgement}"),
    }
}

#[tokio::test]
async fn figures_that_stand_still_make_a_soak_invalid() {
    let judgement = told(|_, _| figures(1.0, 1_000_000, 0)).await;
    let said =
        "of 250 requests the dashboard counted 0: its figures are old, or of another process";
    assert_eq!(reason(&judgement), said);
    // These count requests, but their live heap is always the same.
    let judgement = told(|requests, _| figures(1.0, 1_000_000, requests)).await;
    let said = "8 more connections don't show in the figures";
    assert!(reason(&judgement).starts_with(said), "{judgement}");
}

#[tokio::test]
async fn a_restart_within_a_soak_makes_it_invalid() {
    let restarts =
        |requests, _| figures(if requests > 600 { 2.0 } else { 1.0 }, 1_000_000, requests);
    let judgement = told(restarts).await;
    let said = "the service was restarted within its first 750 requests";
    assert_eq!(reason(&judgement), said);
}

#[tokio::test]
async fn requests_of_others_make_a_soak_invalid() {
    let judgement = told(|requests, look| figures(1.0, 1_000_000, requests * 2 + look * 100)).await;
    assert!(
        reason(&judgement).contains("others use the service"),
        "{judgement}"
    );
}

#[tokio::test]
async fn a_server_without_a_dashboard_and_one_that_is_gone_are_said_so() {
    let app = Router::new().route("/it", get(async || StatusCode::OK));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let server = tokio::spawn(async { axum::serve(listener, app).await });
    let judgement = soak(&address, "/it").judge().await;
    let said = format!(
        "http://{address}/memory/figures.json answers 404 Not Found: is the dashboard there?"
    );
    assert_eq!(reason(&judgement), said);
    server.abort();
    assert!(server.await.is_err_and(|error| error.is_cancelled()));
    let judgement = soak(&address, "/it").judge().await;
    assert!(reason(&judgement).contains("can't be asked"), "{judgement}");
}
