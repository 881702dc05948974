//! The animals that only many requests tell apart: for a soak.

use axum::{
    Router,
    extract::{Query, State},
    routing::get,
};
use serde::Deserialize;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time;

/// Routes whose memory grows over many requests, or only seems to.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/double", get(double))
        .route("/rare", get(rare))
        .route("/bounded", get(bounded))
        .route("/lru", get(lru))
        .route("/stairs", get(stairs))
        .route("/background", get(background))
        .with_state(Shapes::default())
}

#[derive(Clone, Default)]
struct Shapes(Arc<Mutex<Kept>>);

impl Shapes {
    fn get(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What outlives the requests, and how many of each route there were.
#[derive(Default)]
struct Kept {
    map: HashMap<u64, u64>,
    rare: u64,
    bounded: VecDeque<Vec<u8>>,
    lru: (usize, VecDeque<Vec<u8>>),
    stairs: (u64, Vec<Vec<u8>>),
    background: Option<Vec<Vec<u8>>>,
}

#[derive(Deserialize)]
struct Shape {
    bytes: Option<usize>,
    each: Option<u64>,
    most: Option<usize>,
}

impl Shape {
    fn allocate(&self, default: usize) -> Vec<u8> {
        vec![1; self.bytes.unwrap_or(default).min(1 << 30)]
    }

    fn comes(&self, number: &mut u64, default: u64) -> bool {
        *number += 1;
        *number % self.each.unwrap_or(default).max(1) == 0
    }
}

async fn double(State(shapes): State<Shapes>) -> String {
    let map = &mut shapes.get().map;
    let number = map.len() as u64;
    map.insert(number, number);
    format!("{} entries, and none is ever removed\n", map.len())
}

async fn rare(State(shapes): State<Shapes>, Query(shape): Query<Shape>) -> &'static str {
    if !shape.comes(&mut shapes.get().rare, 100) {
        return "leaked nothing\n";
    }
    shape.allocate(6_400).leak();
    "leaked\n"
}

async fn bounded(State(shapes): State<Shapes>, Query(shape): Query<Shape>) -> String {
    let cache = &mut shapes.get().bounded;
    if cache.len() >= shape.most.unwrap_or(1_000) {
        cache.pop_front();
    }
    cache.push_back(shape.allocate(1_000));
    format!("{} entries\n", cache.len())
}

async fn lru(State(shapes): State<Shapes>, Query(shape): Query<Shape>) -> String {
    let (bytes, cache) = &mut shapes.get().lru;
    // Of different sizes, as entries are.
    let size = (*bytes * 7_919 + cache.len()) % shape.bytes.unwrap_or(5_000).clamp(1, 1 << 30);
    *bytes += size;
    cache.push_back(vec![1; size]);
    while *bytes > shape.most.unwrap_or(1 << 20) {
        *bytes -= cache.pop_front().map_or(*bytes, |entry| entry.len());
    }
    format!("{} entries, {bytes} bytes\n", cache.len())
}

async fn stairs(State(shapes): State<Shapes>, Query(shape): Query<Shape>) -> String {
    let (number, steps) = &mut shapes.get().stairs;
    if shape.comes(number, 400) {
        steps.push(shape.allocate(200_000));
    }
    format!("{} steps\n", steps.len())
}

/// The first request starts it, and it goes on for as long as the zoo is open.
async fn background(State(shapes): State<Shapes>, Query(shape): Query<Shape>) -> &'static str {
    let starts = shapes.get().background.is_none();
    if starts {
        shapes.get().background = Some(Vec::new());
        tokio::spawn(async move {
            loop {
                if let Some(grown) = &mut shapes.get().background {
                    grown.push(shape.allocate(4_000));
                }
                time::sleep(Duration::from_millis(2)).await;
            }
        });
    }
    "something grows without requests\n"
}
