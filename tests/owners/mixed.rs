//! Everything at once: routes that keep something beside routes that don't, a cache that others evict, a queue that a
//! worker empties, and clients that come and go.

use crate::{
    bench::{Bench, Case, requests},
    client::{Batch, Client, Mode},
    live::wait_until,
    site::{self, ENTRIES, ENTRY},
};

/// How far the queue's route may be off in the end: tokio's channel keeps blocks of 32 places, allocated by the
/// requests that send, and reuses up to three of them.
const CHANNEL: u64 = 4 * (32 * 24 + 32);

#[test]
fn of_mixed_requests_each_route_has_what_they_keep() {
    let mut bench = Bench::new(4, site::router);
    let at = bench.address;
    let count = requests(500);
    let shapes = [
        (Case::get(at, "/keeps/64").keeps(64), Mode::Kept),
        (Case::get(at, "/keeps/4096").keeps(4096), Mode::Http2),
        (Case::get(at, "/nothing"), Mode::Pipelined),
        (Case::get(at, "/cache/store"), Mode::Kept),
        (Case::get(at, "/cache/evict"), Mode::Kept),
        (Case::post(at, "/queue", 3_000), Mode::Kept),
        (Case::get(at, "/text"), Mode::Churn),
    ];
    let batches: Vec<Batch> = shapes
        .iter()
        .map(|(case, mode)| case.clone().count(count).over(*mode, 8).batch)
        .collect();
    let mut clients: Vec<Client> = bench.clients(batches.len());
    // One more than the cache has room for, so it is full, and each route is set up and charged.
    for (case, mode) in &shapes {
        let case = case.clone().count(ENTRIES + 60).over(*mode, 8);
        bench.run(&case.clone().count(1).with("x-charge", "1").batch);
        bench.run(&case.batch);
    }
    // The cache is full at the first look, and at the end.
    let full = Case::get(at, "/cache/store").count(ENTRIES + 1).batch;
    bench.run(&full);
    let before = bench.at_rest();
    bench.reports.lock().expect("no panic").clear();
    bench.run_all(&mut clients, &batches);
    bench.run(&full);
    let kept = |route, each: u64| (route, count as u64 * each, 0);
    bench.settled(
        &before,
        &[
            kept("/keeps/64", 64),
            kept("/keeps/4096", 4096),
            ("/queue", 0, CHANNEL),
        ],
        &"mixed requests",
    );
    for (case, _) in &shapes[2..] {
        let told = wait_until(|| {
            let told = bench
                .reports
                .lock()
                .expect("no panic")
                .get(case.route)
                .cloned();
            told.filter(|told| told.reports >= count as u64)
                .ok_or_else(|| case.route.to_owned())
        });
        assert_eq!(
            told.verdicts.get("retained"),
            None,
            "{} {:?}",
            case.route,
            told.verdicts
        );
    }

    // An entry evicted by another route comes off the route that stored it.
    let evict = Case::get(at, "/cache/evict").count(30).batch;
    let stored = bench.at_rest().of("/cache/store");
    bench.run(&evict);
    let left = bench.at_rest().of("/cache/store");
    assert_eq!(stored - left, 30 * ENTRY as i64);
}
