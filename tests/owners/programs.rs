//! Programs that once got wrong reports, with the right ones.

use crate::{
    bench::{Bench, Case},
    client::Batch,
    site::keep,
};
use axum::{
    Router,
    body::{Body, Bytes},
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use std::{convert::Infallible, hint::black_box, time::Duration};
use tower_memory::{MIB, MemoryLayer, Route};

/// One request over a connection of its own.
fn one(bench: &mut Bench, path: &'static str) -> Batch {
    let batch = Case::post(bench.address, path, 0).count(1).batch;
    let answer = bench.run(&batch);
    assert_eq!(answer.ok, 1, "{answer:?}");
    batch
}

#[test]
fn a_layer_within_its_clone_reports_once_with_the_inner_threshold() {
    let mut bench = Bench::new(2, |layer: MemoryLayer| {
        let upload = post(|| async { keep(30 << 20) });
        let upload = upload.layer(layer.clone().warn_above(20 * MIB));
        Router::new().route("/nested/upload", upload).layer(layer)
    });
    let before = bench.at_rest();
    one(&mut bench, "/nested/upload");
    let kept = 30 << 20;
    bench.settled(&before, &[("/nested/upload", kept, 0)], &"an upload");
    let told = bench.told("/nested/upload", 1);
    let report = told.last.expect("one report");
    assert_eq!((report.verdict.as_str(), report.overlap), ("retained", 0));
    let retained = report.heap.expect("metered").retained();
    assert!(
        (kept as i64..=kept as i64 + 1024).contains(&retained),
        "{retained}"
    );
}

#[test]
fn what_is_kept_but_never_touched_is_reserved() {
    let mut bench = Bench::new(2, |layer: MemoryLayer| {
        let reserve = || async {
            std::mem::forget(black_box(Vec::<u8>::with_capacity(4 << 30)));
        };
        Router::new().route("/reserve", post(reserve)).layer(layer)
    });
    let before = bench.at_rest();
    one(&mut bench, "/reserve");
    bench.settled(&before, &[("/reserve", 4 << 30, 0)], &"an index");
    let told = bench.told("/reserve", 1);
    assert_eq!(told.verdicts.keys().collect::<Vec<_>>(), [&"reserved"]);
}

#[test]
fn where_a_name_is_not_given_the_routers_stays() {
    let mut bench = Bench::new(2, |layer: MemoryLayer| {
        let name = |request: &http::request::Parts| {
            let is_script = request.uri.path().ends_with(".js");
            is_script.then(|| Route::from("scripts"))
        };
        Router::new()
            .route("/users/{id}", post(|| async {}))
            .fallback(|| async { "a file" })
            .layer(layer.route_with(name))
    });
    for (path, route) in [("/users/1", "/users/{id}"), ("/app.js", "scripts")] {
        one(&mut bench, path);
        bench.told(route, 1);
    }
}

#[test]
fn work_on_threads_that_carry_no_request_is_told_to_be_outside() {
    let mut bench = Bench::new(2, |layer: MemoryLayer| {
        let elsewhere = || async {
            let keep = || keep(60 << 20);
            tokio::task::spawn_blocking(keep).await.expect("no panic");
        };
        let layer = layer.warn_above(30 * MIB);
        Router::new()
            .route("/elsewhere", post(elsewhere))
            .layer(layer)
    });
    let before = bench.at_rest();
    // On an overloaded machine a reading may come too late.
    let mut verdicts = (1..=20_u64).map(|number| {
        one(&mut bench, "/elsewhere");
        let last = bench.told("/elsewhere", number).last.expect("a report");
        last.verdict.as_str().to_owned()
    });
    let verdict = verdicts.find(|verdict| verdict != "unreadable");
    assert_eq!(verdict.as_deref(), Some("outside"));
    drop(verdicts);
    let now = bench.at_rest();
    assert!(now.nobody >= before.nobody + (60 << 20), "{now:?}");
    assert_eq!(now.of("/elsewhere"), before.of("/elsewhere"));
}

async fn small_frames() -> Body {
    let frames = stream::iter(0..1_000).then(|number| async move {
        if number % 50 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok::<_, Infallible>(Bytes::from(vec![1; 64 << 10]))
    });
    Body::from_stream(frames)
}

#[test]
fn a_stream_of_small_frames_peaks_at_a_few_and_has_no_part_in_a_burst_beside_it() {
    let mut bench = Bench::new(2, |layer: MemoryLayer| {
        let burst = || async {
            let blocks: Vec<_> = (0..60_u32 << 10).map(|n| vec![n as u8; 1000]).collect();
            black_box(blocks).len().to_string()
        };
        Router::new()
            .route("/small-frames", get(small_frames))
            .route("/burst", get(burst))
            .layer(layer.warn_above(20 * MIB).warn_peak_above(20 * MIB))
    });
    let alone = Case::get(bench.address, "/small-frames").count(1).batch;
    assert_eq!(bench.run(&alone).bytes, 1_000 * (64 << 10));
    let peak = |bench: &Bench, reports| {
        let told = bench.told("/small-frames", reports);
        let report = told.last.expect("a report");
        let heap = report.heap.expect("metered");
        assert!(heap.peak < 1 << 20, "{heap:?}");
        report.verdict.as_str().to_owned()
    };
    assert_eq!(peak(&bench, 1), "within_threshold");

    let burst = Case::get(bench.address, "/burst").count(3).batch;
    let mut clients = bench.clients(2);
    bench.run_all(&mut clients, &[alone, burst]);
    let verdict = peak(&bench, 2);
    // It is up to the allocator whether the pages of the burst are still there when the stream ends.
    let is_right = ["within_threshold", "other_requests"].contains(&&*verdict);
    assert!(is_right, "{verdict}");
}
