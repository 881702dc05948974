//! The same with a `TrackingAllocator` around mimalloc.
#![cfg(feature = "axum")]

#[path = "owners/bench.rs"]
mod bench;
#[path = "owners/cases.rs"]
mod cases;
#[path = "support/client.rs"]
mod client;
#[path = "owners/core.rs"]
mod core;
#[path = "owners/live.rs"]
mod live;
#[path = "owners/mixed.rs"]
mod mixed;
#[path = "owners/server.rs"]
mod server;
#[path = "owners/site.rs"]
mod site;
#[path = "owners/site_bodies.rs"]
mod site_bodies;
#[path = "owners/site_held.rs"]
mod site_held;
#[path = "owners/told.rs"]
mod told;

use mimalloc::MiMalloc;
use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator<MiMalloc> = TrackingAllocator::new(MiMalloc);
