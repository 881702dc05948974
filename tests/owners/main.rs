//! Each route's live heap is what its requests keep, to the byte: over real connections, whatever the shape of requests.
#![cfg(feature = "axum")]

#[path = "../support/client.rs"]
mod client;

mod bench;
mod cases;
mod matrix;
mod site;

use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
