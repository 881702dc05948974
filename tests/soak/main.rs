//! Soaks of services whose behaviour is known.
#![cfg(all(feature = "axum", feature = "soak"))]

#[path = "../../examples/zoo/routes.rs"]
mod routes;
mod shapes;
#[path = "../../examples/zoo/shapes.rs"]
mod zoo;

use axum::Router;
use http::{Request, StatusCode};
use std::sync::{Mutex, PoisonError};
use tokio::runtime::Builder;
use tower_memory::{
    MemoryLayer,
    heap::TrackingAllocator,
    soak::{Judgement, Soak, Verdict},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

fn get(path: &str) -> Request<String> {
    Request::get(path).body(String::new()).expect("a request")
}

/// Figures are the process's, so soaks run one at a time.
fn alone<F: Future>(judge: impl FnOnce() -> F) -> F::Output {
    static PROCESS: Mutex<()> = Mutex::new(());
    let _alone = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime
        .expect("a runtime")
        .block_on(async { judge().await })
}

/// Soaks one path of a service that is made for it.
fn soak(app: fn() -> Router, path: &'static str) -> Judgement {
    alone(|| {
        let app = app().layer(MemoryLayer::new().without_log());
        Soak::of(app).request(move |_| get(path)).judge()
    })
}

/// The animals that one request and those that many requests tell apart.
fn zoo() -> Router {
    routes::routes().merge(zoo::routes())
}

#[test]
fn a_service_that_keeps_nothing_is_settled() {
    let judgement = soak(zoo, "/steady?kib=10");
    judgement.assert_settled();
    assert!(
        matches!(judgement.verdict, Verdict::Settled { .. }),
        "{judgement}"
    );
    assert!(judgement.is_exact);
}

#[test]
fn a_leak_of_16_bytes_is_found_to_the_byte_within_8000_requests() {
    for (bytes, path) in [
        (16.0, "/leak?bytes=16"),
        (64.0, "/leak?bytes=64"),
        (4096.0, "/leak?kib=4"),
    ] {
        let judgement = soak(zoo, path);
        let Verdict::Grows {
            per_request,
            route,
            explained,
            ..
        } = &judgement.verdict
        else {
            panic!("{judgement}");
        };
        assert!((per_request - bytes).abs() < 1.0, "{judgement}");
        assert_eq!(route.as_deref(), Some("/leak"));
        assert!(explained.is_some_and(|share| share > 0.95), "{judgement}");
        assert!(judgement.requests <= 8_000, "{judgement}");
    }
}

#[test]
#[should_panic(expected = "grows: each request leaves 64.0 B behind; /leak explains 100 %")]
fn a_failed_assertion_says_what_grows_by_how_much() {
    soak(zoo, "/leak?bytes=64").assert_settled();
}

#[test]
fn a_rare_leak_and_a_staircase_grow() {
    for path in ["/rare", "/stairs"] {
        let judgement = soak(zoo, path);
        assert!(
            matches!(judgement.verdict, Verdict::Grows { .. }),
            "{judgement}"
        );
    }
}

#[test]
fn a_map_that_is_never_emptied_grows_by_doubling() {
    let judgement = soak(zoo, "/double");
    let Verdict::GrowsByDoubling { at, next, .. } = judgement.verdict else {
        panic!("{judgement}");
    };
    assert!(next > at);
    assert!(judgement.verdict.is_growth());
}

#[test]
fn caches_with_a_bound_and_buffers_that_are_emptied_are_settled() {
    let saw_tooth = [|| shapes::saw_tooth(700), || shapes::saw_tooth(1_700)];
    for app in saw_tooth {
        soak(app, "/it").assert_settled();
    }
    for path in ["/bounded?most=100", "/bounded?most=1500", "/lru"] {
        soak(zoo, path).assert_settled();
    }
}

#[test]
fn a_step_is_told_with_its_size_and_place() {
    let judgement = soak(|| shapes::step(2_600), "/it");
    let Verdict::Stepped { step, at, .. } = judgement.verdict else {
        panic!("{judgement}");
    };
    assert!((1 << 20..(1 << 20) + 4_096).contains(&step), "{judgement}");
    assert!((2_600..=2_850).contains(&at), "{judgement}");
}

#[test]
fn growth_in_the_background_is_not_blamed_on_requests() {
    let judgement = soak(zoo, "/background");
    assert!(
        matches!(judgement.verdict, Verdict::NotByRequests { .. }),
        "{judgement}"
    );
}

#[test]
fn a_soak_with_failed_requests_is_invalid() {
    let judgement = soak(|| shapes::failing(700), "/it");
    let Verdict::Invalid { reason, .. } = &judgement.verdict else {
        panic!("{judgement}");
    };
    assert_eq!(reason, "the service panicked");
    let judgement = alone(|| Soak::of(zoo()).request(|_| get("/no")).judge());
    let Verdict::Invalid { reason, .. } = &judgement.verdict else {
        panic!("{judgement}");
    };
    assert_eq!(reason, "request 0 was answered 404 Not Found");
    assert!(!judgement.verdict.is_settled());
}

#[test]
fn statuses_that_are_expected_count_as_answered() {
    let judgement = alone(|| {
        let soak = Soak::of(zoo()).request(|_| get("/no"));
        soak.expect(|status| status == StatusCode::NOT_FOUND)
            .judge()
    });
    judgement.assert_settled();
}

#[test]
fn of_mixed_requests_the_route_that_keeps_is_named() {
    let judgement = alone(|| {
        let app = zoo().layer(MemoryLayer::new().without_log());
        let soak = Soak::of(app).mixed([(9, get("/steady?kib=1")), (1, get("/leak?bytes=64"))]);
        soak.judge()
    });
    let Verdict::Grows {
        route, per_request, ..
    } = &judgement.verdict
    else {
        panic!("{judgement}");
    };
    assert_eq!(route.as_deref(), Some("/leak"));
    assert!((per_request - 6.4).abs() < 1.0, "{judgement}");
}

#[test]
fn the_json_has_the_raw_series() {
    let judgement = soak(zoo, "/steady?kib=10");
    let json: serde_json::Value = serde_json::from_str(&judgement.to_json()).expect("JSON");
    assert_eq!(json["verdict"], "settled");
    let rounds = json["rounds"].as_array().expect("rounds");
    assert_eq!(rounds.len(), judgement.rounds.len());
    let stages = json["stages"].as_array().expect("stages").len();
    assert_eq!(stages, 4);
}
