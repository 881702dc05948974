//! Each route's live heap is exactly the memory its requests keep, over real connections, whatever the shape of
//! requests.
#![cfg(feature = "axum")]

#[path = "../support/client.rs"]
mod client;

mod bench;
mod cases;
mod core;
mod full;
mod held;
mod live;
mod matrix;
mod mixed;
mod others;
mod programs;
mod random;
mod server;
mod site;
mod site_bodies;
mod site_held;
mod told;

use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
