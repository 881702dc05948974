//! The zoo's verdicts with a meter around mimalloc.
#![cfg(feature = "axum")]

mod support;
#[path = "support/zoo.rs"]
mod zoo;

use mimalloc::MiMalloc;
use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator<MiMalloc> = TrackingAllocator::new(MiMalloc);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_animal_gets_its_own_verdict_alone_and_in_a_crowd() {
    zoo::visit().await;
}
