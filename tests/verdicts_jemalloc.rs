//! The zoo's verdicts with jemalloc's own counters.
#![cfg(all(feature = "axum", feature = "jemalloc"))]

mod support;
#[path = "support/zoo.rs"]
mod zoo;

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_animal_gets_its_own_verdict_alone_and_in_a_crowd() {
    zoo::visit().await;
}
