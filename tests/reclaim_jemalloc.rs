//! Freed pages come back from jemalloc as the global allocator.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

#[path = "support/burst.rs"]
mod burst;

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[test]
fn the_resident_set_falls_back_after_a_burst() {
    let reclaimed = burst::is_given_back();
    assert!(reclaimed.to_string().contains("jemalloc"), "{reclaimed}");
}
