//! Soaks of services whose behaviour is known.
#![cfg(all(feature = "axum", feature = "soak"))]

mod shapes;

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

fn soak(app: impl FnOnce() -> Router) -> Judgement {
    alone(|| {
        let app = app().layer(MemoryLayer::new().without_log());
        Soak::of(app).request(|_| get("/it")).judge()
    })
}

#[test]
fn a_service_that_keeps_nothing_is_settled() {
    let judgement = soak(shapes::steady);
    judgement.assert_settled();
    assert!(
        matches!(judgement.verdict, Verdict::Settled { .. }),
        "{judgement}"
    );
    assert!(judgement.is_exact);
}

#[test]
fn a_leak_of_16_bytes_is_found_to_the_byte_within_8000_requests() {
    for bytes in [16, 64, 4096] {
        let judgement = soak(|| shapes::leak(bytes));
        let Verdict::Grows {
            per_request,
            route,
            explained,
            ..
        } = &judgement.verdict
        else {
            panic!("{judgement}");
        };
        assert!((per_request - bytes as f64).abs() < 1.0, "{judgement}");
        assert_eq!(route.as_deref(), Some("/it"));
        assert!(explained.is_some_and(|share| share > 0.95), "{judgement}");
        assert!(judgement.requests <= 8_000, "{judgement}");
    }
}

#[test]
#[should_panic(expected = "grows: each request leaves 64.0 B behind; /it explains 100 %")]
fn a_failed_assertion_says_what_grows_by_how_much() {
    soak(|| shapes::leak(64)).assert_settled();
}

#[test]
fn a_rare_leak_and_a_staircase_grow() {
    let apps: [fn() -> Router; 2] = [|| shapes::rare(100, 6_400), || shapes::staircase(400)];
    for app in apps {
        let judgement = soak(app);
        assert!(
            matches!(judgement.verdict, Verdict::Grows { .. }),
            "{judgement}"
        );
    }
}

#[test]
fn a_map_that_is_never_emptied_grows_by_doubling() {
    let judgement = soak(shapes::doubling);
    let Verdict::GrowsByDoubling { at, next, .. } = judgement.verdict else {
        panic!("{judgement}");
    };
    assert!(next > at);
    assert!(judgement.verdict.is_growth());
}

#[test]
fn caches_with_a_bound_and_buffers_that_are_emptied_are_settled() {
    let apps: [fn() -> Router; 5] = [
        || shapes::cache(100),
        || shapes::cache(1_500),
        || shapes::cache_of_bytes(1 << 20),
        || shapes::saw_tooth(700),
        || shapes::saw_tooth(1_700),
    ];
    for app in apps {
        soak(app).assert_settled();
    }
}

#[test]
fn a_step_is_told_with_its_size_and_place() {
    let judgement = soak(|| shapes::step(2_600));
    let Verdict::Stepped { step, at, .. } = judgement.verdict else {
        panic!("{judgement}");
    };
    assert!((1 << 20..(1 << 20) + 4_096).contains(&step), "{judgement}");
    assert!((2_600..=2_850).contains(&at), "{judgement}");
}

#[test]
fn growth_in_the_background_is_not_blamed_on_requests() {
    let judgement = soak(shapes::background);
    assert!(
        matches!(judgement.verdict, Verdict::NotByRequests { .. }),
        "{judgement}"
    );
}

#[test]
fn a_soak_with_failed_requests_is_invalid() {
    let judgement = soak(|| shapes::failing(700));
    let Verdict::Invalid { reason, .. } = &judgement.verdict else {
        panic!("{judgement}");
    };
    assert_eq!(reason, "the service panicked");
    let judgement = alone(|| Soak::of(shapes::steady()).request(|_| get("/no")).judge());
    let Verdict::Invalid { reason, .. } = &judgement.verdict else {
        panic!("{judgement}");
    };
    assert_eq!(reason, "request 0 was answered 404 Not Found");
    assert!(!judgement.verdict.is_settled());
}

#[test]
fn statuses_that_are_expected_count_as_answered() {
    let judgement = alone(|| {
        let soak = Soak::of(shapes::steady()).request(|_| get("/no"));
        soak.expect(|status| status == StatusCode::NOT_FOUND)
            .judge()
    });
    judgement.assert_settled();
}

#[test]
fn of_mixed_requests_the_route_that_keeps_is_named() {
    let judgement = alone(|| {
        let app = Router::new()
            .nest("/leaks", shapes::leak(64))
            .nest("/steady", shapes::steady())
            .layer(MemoryLayer::new().without_log());
        let soak = Soak::of(app).mixed([(9, get("/steady/it")), (1, get("/leaks/it"))]);
        soak.judge()
    });
    let Verdict::Grows {
        route, per_request, ..
    } = &judgement.verdict
    else {
        panic!("{judgement}");
    };
    assert_eq!(route.as_deref(), Some("/leaks/it"));
    assert!((per_request - 6.4).abs() < 1.0, "{judgement}");
}

#[test]
fn the_json_has_the_raw_series() {
    let judgement = soak(shapes::steady);
    let json: serde_json::Value = serde_json::from_str(&judgement.to_json()).expect("JSON");
    assert_eq!(json["verdict"], "settled");
    let rounds = json["rounds"].as_array().expect("rounds");
    assert_eq!(rounds.len(), judgement.rounds.len());
    let stages = json["stages"].as_array().expect("stages").len();
    assert_eq!(stages, 4);
}
