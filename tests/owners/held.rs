//! Memory is live while somebody still holds it: work that runs, sockets that stay open, clients that don't read.

use crate::{
    bench::{Bench, Case},
    client::{Batch, Mode, Reading},
    live::{live, wait_until},
    site,
    site_held::{self, JOB},
};
use std::time::Duration;
use tower_memory::heap::{RouteLive, live_by_route};

const MIB: u64 = 1 << 20;

/// The live bytes of a route.
fn of(route: &str) -> RouteLive {
    let all = live_by_route().expect("an allocator counts").routes;
    let found = all.into_iter().find(|it| it.route.as_str() == route);
    found.expect("it had a request")
}

/// Waits until the live bytes of a route satisfy `is_right`, and returns them.
fn once(route: &str, is_right: impl Fn(&RouteLive) -> bool) -> RouteLive {
    wait_until(|| {
        let now = of(route);
        match is_right(&now) {
            true => Ok(now),
            false => Err(format!("{now:?}")),
        }
    })
}

/// A request to each route to set it up, which must be over before the test.
fn warm(bench: &mut Bench, batch: &Batch) {
    let answer = bench.run(batch);
    assert_eq!(answer.failed, 0, "{answer:?}");
}

#[test]
fn a_stream_that_holds_100_mib_shows_while_it_is_open_and_is_gone_after() {
    let mut bench = Bench::new(4, site::router);
    for mode in [Mode::Kept, Mode::Http2] {
        let mut stream = Case::get(bench.address, "/sse/held").over(mode, 1).batch;
        stream.count = 1;
        stream.reading = Reading::Head;
        warm(&mut bench, &stream);
        let before = bench.at_rest();
        stream.hold = true;
        bench.run(&stream);
        let open = once("/sse/held", |now| now.open >= 100 * MIB);
        assert_eq!(open.open_requests, 1);
        assert_eq!((open.unsent, open.running), (0, 0));
        bench.close();
        bench.settled(&before, &[], &stream);
        once("/sse/held", |now| now.open == 0 && now.open_requests == 0);
    }
}

#[test]
fn clients_that_leave_a_response_unread_have_it_until_they_leave() {
    const CLIENTS: usize = 20;
    let mut bench = Bench::new(4, site::router);
    for mode in [Mode::Kept, Mode::Http2] {
        let mut slow = Case::get(bench.address, "/50-mib")
            .over(mode, CLIENTS)
            .batch;
        slow.count = CLIENTS;
        slow.reading = Reading::Head;
        let mut first = slow.clone();
        (first.count, first.connections) = (CLIENTS, CLIENTS);
        warm(&mut bench, &first);
        let before = bench.at_rest();
        bench.reports.lock().expect("no panic").clear();
        slow.hold = true;
        let answer = bench.run(&slow);
        assert_eq!(answer.ok, CLIENTS as u64, "{answer:?}");
        let all = CLIENTS as u64 * 50 * MIB;
        let held = once("/50-mib", |now| now.open >= all);
        assert_eq!(held.open_requests as usize, CLIENTS);
        bench.close();
        bench.settled(&before, &[], &slow);
        let told = bench.told("/50-mib", CLIENTS as u64);
        assert_eq!(told.outcomes.get("completed"), None, "{told:?}");
        assert_eq!(told.verdicts.get("retained"), None, "{told:?}");
    }
}

#[test]
fn what_waits_for_its_client_after_the_window_closed_is_unsent() {
    const CLIENTS: usize = 40;
    let mut bench = Bench::with_send_buffers(Some(16 << 10), 2, site::router);
    for mode in [Mode::Kept, Mode::Http2] {
        // More than these buffers and those of the client, but no more than the server takes at once: three pieces, of
        // which the first may pass.
        let case = Case::get(bench.address, "/600-kib");
        let mut slow = case.count(CLIENTS).over(mode, CLIENTS).batch;
        warm(&mut bench, &slow);
        let before = bench.at_rest();
        (slow.reading, slow.hold) = (Reading::Head, true);
        bench.run(&slow);
        let all = CLIENTS as u64 * (344 << 10);
        let unsent = once("/600-kib", |now| now.unsent >= all);
        assert!(
            unsent.unsent <= unsent.open && unsent.open <= unsent.live,
            "{unsent:?}"
        );
        assert_eq!(unsent.running, 0, "{unsent:?}");
        bench.close();
        bench.settled(&before, &[], &slow);
        once("/600-kib", |now| now.unsent == 0 && now.open_requests == 0);
    }
}

#[test]
fn accepted_work_is_running_with_its_age_and_then_told_with_what_it_kept() {
    let mut bench = Bench::new(2, |layer| {
        site::router(layer.on_report(site_held::LateListener))
    });
    let mut job = Case::post(bench.address, "/job", 0).count(1).batch;
    job.connections = 1;
    let before = bench.at_rest();
    warm(&mut bench, &job);
    let running = once("/job", |now| now.running >= 150 * MIB);
    assert!(running.oldest_running.is_some(), "{running:?}");
    assert_eq!(running.open_requests, 1);
    let told = bench.told("/job", 1);
    assert_eq!(told.verdicts.get("running"), Some(&1), "{told:?}");
    // It leaves a mebibyte behind.
    JOB.notify_one();
    once("/job", |now| now.running == 0 && now.open_requests == 0);
    bench.settled(&before, &[("/job", MIB, 1024)], &job);
    let late = wait_until(|| site_held::late().ok_or_else(|| "no late work".to_owned()));
    assert_eq!(late.route.as_str(), "/job");
    let kept = late.heap.retained();
    assert!((MIB as i64..=MIB as i64 + 1024).contains(&kept), "{late:?}");
}

#[test]
fn a_websocket_that_holds_100_mib_is_its_routes_until_it_is_closed() {
    let mut bench = Bench::new(2, site::router);
    let before = bench.at_rest();
    for carried in [true, false] {
        let route = if carried { "/ws/carried" } else { "/ws" };
        let socket = site_held::open_websocket(bench.address, route);
        let held = wait_until(|| {
            let now = live();
            let (held, nobody) = (now.of(route) as u64, now.nobody);
            let at = if carried {
                held
            } else {
                nobody - before.nobody.min(nobody)
            };
            (at >= 100 * MIB)
                .then_some(at)
                .ok_or_else(|| format!("{now:?}"))
        });
        assert!(held < 102 * MIB, "{held}");
        if carried {
            let now = once(route, |now| now.running >= 100 * MIB);
            assert!(
                now.oldest_running
                    .is_some_and(|age| age < Duration::from_secs(60))
            );
        }
        drop(socket);
        // The memory that axum sets up for the first socket is the route's.
        bench.settled(
            &before,
            &[("/ws", 0, 4096), ("/ws/carried", 0, 4096)],
            &route,
        );
    }
}
