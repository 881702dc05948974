//! Random requests over random connections, and an oracle that knows the memory their handlers
//! keep.

use crate::{
    bench::Bench,
    client::{Batch, Mode},
    site,
};
use axum::{Router, extract::Path, routing::post};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    hint::black_box,
    sync::{Arc, Mutex},
};

/// Memory kept by handlers, by route; and the same in their own words.
#[derive(Default)]
struct Oracle {
    kept: Vec<(usize, Vec<u8>)>,
    bytes: BTreeMap<&'static str, u64>,
}

const ROUTES: [&str; 4] = [
    "/a/{act}/{size}",
    "/b/{act}/{size}",
    "/c/{act}/{size}",
    "/d/{act}/{size}",
];

impl Oracle {
    /// Keeps memory, evicts some that any route kept, grows it, or does nothing. Returns the
    /// response.
    fn act(&mut self, route: usize, act: &str, size: usize) -> String {
        match act {
            "keep" => {
                let kept = black_box(vec![1; size]);
                self.change(route, kept.capacity() as i64);
                self.kept.push((route, kept));
            }
            "evict" if !self.kept.is_empty() => {
                let (owner, evicted) = self.kept.swap_remove(size % self.kept.len());
                self.change(owner, -(evicted.capacity() as i64));
            }
            "grow" if !self.kept.is_empty() => {
                let at = size % self.kept.len();
                let (owner, kept) = &mut self.kept[at];
                let (owner, before) = (*owner, kept.capacity());
                kept.reserve_exact(size);
                let more = kept.capacity() as i64 - before as i64;
                self.change(owner, more);
            }
            "text" => return "x".repeat(size),
            _ => {}
        }
        String::new()
    }

    fn change(&mut self, route: usize, by: i64) {
        let bytes = self.bytes.get_mut(ROUTES[route]).expect("all are there");
        *bytes = bytes.checked_add_signed(by).expect("not below zero");
    }
}

fn batch() -> impl Strategy<Value = Batch> {
    let mode = prop_oneof![
        Just(Mode::Kept),
        Just(Mode::Close),
        Just(Mode::Churn),
        Just(Mode::Pipelined),
        Just(Mode::Http2),
    ];
    let act = prop_oneof![
        Just("keep"),
        Just("evict"),
        Just("grow"),
        Just("text"),
        Just("nothing")
    ];
    let sizes = prop_oneof![1..300_usize, 900..1100_usize, 1..70_000_usize];
    let body = prop_oneof![Just(0), 1..200_usize, 1..40_000_usize];
    let of_client = (1..24_usize, 1..6_usize, 1..8_usize, 0..40_usize);
    (mode, 0..4_usize, act, sizes, body, any::<bool>(), of_client).prop_map(
        |(mode, route, act, size, body, chunked, (count, connections, streams, headers))| Batch {
            method: "POST".to_owned(),
            path: format!("/{}/{act}/{size}", ["a", "b", "c", "d"][route]),
            count,
            connections,
            streams,
            headers,
            body,
            chunked: chunked && body > 0,
            mode,
            ..Batch::get(([127, 0, 0, 1], 0).into())
        },
    )
}

#[test]
fn whatever_requests_there_are_each_route_has_what_its_handlers_know_of() {
    let oracle = Arc::new(Mutex::new(Oracle::default()));
    let known = Arc::clone(&oracle);
    let bench = Bench::new(4, |layer| {
        let mut router = Router::new();
        for (number, route) in ROUTES.into_iter().enumerate() {
            let oracle = Arc::clone(&oracle);
            let handler = move |Path((act, size)): Path<(String, usize)>, _: bytes::Bytes| async move {
                oracle.lock().expect("no panic").act(number, &act, size)
            };
            router = router.route(route, post(handler));
        }
        site::router(layer.clone()).merge(router.layer(layer))
    });
    {
        // Its tables are nobody's, and have room for everything.
        let mut known = known.lock().expect("no panic");
        known.kept.reserve(100_000);
        known.bytes = ROUTES.map(|route| (route, 0)).into();
    }
    let bench = RefCell::new(bench);
    let before = RefCell::new(None);
    let mut config = Config::with_cases(40);
    config.max_shrink_iters = 0;
    config.failure_persistence = None;
    let batches = prop::collection::vec(batch(), 1..5);
    let tried = TestRunner::new(config).run(&batches, |batches| {
        let mut bench = bench.borrow_mut();
        let mut before = before.borrow_mut();
        let before = before.get_or_insert_with(|| bench.at_rest());
        for mut batch in batches.iter().cloned() {
            batch.address = bench.address;
            let answer = bench.run(&batch);
            prop_assert_eq!(answer.failed, 0, "{:?} to {:?}", answer, batch);
        }
        let known = known.lock().expect("no panic").bytes.clone();
        let kept: Vec<_> = known
            .into_iter()
            .map(|(route, kept)| (route, kept, 0))
            .collect();
        bench.settled(before, &kept, &batches);
        Ok(())
    });
    tried.expect("each is right");
}
