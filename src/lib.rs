//! Tower middleware that tells which request grew your process's memory.
//!
//! [`MemoryLayer`] reads the resident set (RSS) before and after each request, response body
//! included, and writes one `tracing` warning when it grew past a threshold:
//!
//! ```text
//! WARN tower_memory: memory grew 26.1 MiB -> 486.3 MiB (+460.2 MiB) on POST /api/systems
//! ```
//!
//! It reads a number that the operating system keeps anyway. With a meter of the [`heap`], which is
//! two lines, it tells what the request retains from pages that the allocator keeps and from the
//! growth of others:
//!
//! ```text
//! ... on POST /api/systems: 459.6 MiB of the growth are freed pages the allocator keeps; 0.6 MiB
//! still live. Not retained by this request: consider reclaim, MALLOC_ARENA_MAX, or jemalloc
//! ```
//!
//! It does not say what was allocated where: for that, use a heap profiler once you know the route.
//! And where requests overlap and nothing tells them apart, it says so and blames none.
//!
//! # Usage
//!
//! Add the layer to anything that is a `tower` service over `http` types: axum, hyper, tonic.
//!
//! ```
//! use axum::{Router, routing::post};
//! use tower_memory::MemoryLayer;
//!
//! let app: Router = Router::new()
//!     .route("/upload", post(|body: String| async move { body.len().to_string() }))
//!     .layer(MemoryLayer::new()); // warns above 100 MiB
//! ```
//!
//! The warning is a `tracing` event with target `tower_memory`; install any subscriber to see it.
//! [`Log`] lists its fields, which are a contract.
//!
//! # Examples
//!
//! Another threshold, and a reading of its own for each request (two system calls, 0.4 to 2 µs each)
//! instead of one shared by the requests of a tenth of a millisecond:
//!
//! ```
//! use std::time::Duration;
//! use tower_memory::{MIB, MemoryLayer};
//!
//! let layer = MemoryLayer::new().warn_above(20 * MIB).resolution(Duration::ZERO);
//! ```
//!
//! The heap of each request, counted:
//!
//! ```
//! use tower_memory::{MemoryLayer, Report, heap::TrackingAllocator};
//!
//! #[global_allocator]
//! static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
//!
//! let layer = MemoryLayer::new().on_report(|report: &Report| {
//!     if let Some(heap) = report.heap {
//!         println!("{} retains {} bytes, peak {}", report.route, heap.retained(), heap.peak);
//!     }
//! });
//! ```
//!
//! A listener of your own, called with the [`Report`] of every request:
//!
//! ```
//! use tower_memory::{MemoryLayer, Outcome, Report};
//!
//! let layer = MemoryLayer::new().on_report(|report: &Report| {
//!     if report.outcome == Outcome::Panicked {
//!         eprintln!("{} {} panicked after {:?}", report.method, report.route, report.duration);
//!     }
//! });
//! ```
//!
//! Routes where no router names them, as with plain hyper:
//!
//! ```
//! use tower_memory::{MemoryLayer, Route};
//!
//! let layer = MemoryLayer::new().route_with(|request| {
//!     request.uri.path().starts_with("/files/").then(|| Route::from("/files/{name}"))
//! });
//! ```
//!
//! # What one report covers
//!
//! The *request window* opens in [`Service::call`](tower_service::Service::call), before the inner
//! service is called, and closes when the response body ends, fails or is dropped; when there is no
//! response, it closes when the future fails or is dropped. Every window gives exactly one
//! [`Report`], whatever its [`Outcome`]. For an upgraded connection (a WebSocket) it closes with
//! the response that accepts the upgrade.
//!
//! Put the layer outside of what should count (compression, say) and inside of what should not.
//! Where [`tower_http`'s `TraceLayer`](https://docs.rs/tower-http/latest/tower_http/trace/) is
//! outside of it, events belong to the request's span.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `axum`: routes are labelled with axum's `MatchedPath`. Add the layer with `Router::layer`;
//!   around the whole router it runs before the match, and all routes are `unmatched`. And
//!   `dashboard`, a page to look at, with feature `routes`.
//! - `jemalloc`: jemalloc's own counters are the heap meter, where it is the global allocator.
//! - `metrics`: `metrics::Metrics`, a listener that keeps counters and gauges for the `metrics` crate.
//! - `routes`: `routes::Routes`, a listener that keeps figures of each route.
//! - `sysinfo`: `resident::Sysinfo`, the reader of other platforms, on Linux too.
//!
//! # Limits
//!
//! - Growth is the process's. What other requests, background tasks and the allocator did meanwhile
//!   is in it; [`Report::overlap`] tells of the requests, and a heap meter what is the request's own.
//!   Only requests of the same layer are told of: serve several routers from clones of one, which may be
//!   configured further, rather than from several layers.
//! - Growth in resident memory is not a leak. Allocators keep freed pages: the first large request
//!   grows the process, the next ones reuse what it left. A leak is a trend over many requests, and
//!   [`heap::live_bytes`] tells whether what stayed is in use.
//! - Linux kernels 6.2 to 6.15 tell the resident set only approximately; see `resident::Statm`.
//! - A window that never closes (a future or body that is leaked) is never reported.
//! - In a process that was forked while requests were in flight, the child counts them as in flight
//!   for ever.

#![warn(clippy::expect_used, clippy::unwrap_used)]

#[cfg(feature = "axum")]
pub mod dashboard;
pub mod heap;
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod middleware;
pub mod reclaim;
mod report;
pub mod resident;
mod route;
#[cfg(feature = "routes")]
pub mod routes;
mod shield;
mod verdict;

pub use self::{
    heap::HeapFlow,
    log::Log,
    middleware::{MemoryLayer, MemoryService, RequestBody, ResponseBody, ResponseFuture},
    report::{LateWork, OnReport, Outcome, Report},
    resident::{MIB, ReadResident, Resident},
    route::Route,
    verdict::Verdict,
};
