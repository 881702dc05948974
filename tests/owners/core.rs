//! Must hold with any inner allocator.

use crate::{
    bench::{Bench, Case, requests},
    cases::{Bodies, MODES, of_each_route},
    client::Mode,
    site,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Requests each route over connections of this kind.
pub(crate) fn each_route_over(mode: Mode, workers: usize, connections: usize) {
    let mut bench = Bench::new(workers, site::router);
    let bodies = Bodies::new();
    let mut wrong = Vec::new();
    for case in of_each_route(bench.address, &bodies) {
        let case = case.over(mode, connections);
        // Reports all failures, not only the first.
        let checked = catch_unwind(AssertUnwindSafe(|| bench.check(&case)));
        if checked.is_err() {
            wrong.push(format!("{} {}", case.batch.method, case.batch.path));
            bench.close();
        }
    }
    assert!(wrong.is_empty(), "{wrong:?} over {mode:?}");
}

#[test]
fn over_kept_connections_each_route_has_what_it_keeps() {
    each_route_over(Mode::Kept, 1, 4);
}

#[test]
fn over_64_connections_to_4_workers_what_is_kept_is_counted_to_the_byte() {
    let mut bench = Bench::new(4, site::router);
    for mode in MODES {
        for case in [
            Case::get(bench.address, "/nothing"),
            Case::get(bench.address, "/keeps/64").keeps(64),
            Case::get(bench.address, "/keeps/4096").keeps(4096),
        ] {
            bench.check(&case.count(requests(400)).over(mode, 64));
        }
    }
}
