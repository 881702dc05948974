//! Tower middleware that tells which request grew your process's memory.
//!
//! [`MemoryLayer`] reads the resident set (RSS) before and after each request, response body
//! included, and writes one `tracing` warning when it grew past a threshold:
//!
//! ```text
//! WARN tower_memory: memory grew 26.1 MiB -> 486.3 MiB (+460.2 MiB) on POST /api/systems
//! ```
//!
//! That figure costs little, because the operating system keeps it anyway. Add a heap meter (two lines) and it
//! separates what the request retains from freed pages that the allocator keeps, and from the growth of other
//! requests:
//!
//! ```text
//! ... on POST /api/systems: 459.6 MiB of the growth is freed memory the allocator still holds;
//! 0.6 MiB is in use. Not retained by this request: consider reclaim, MALLOC_ARENA_MAX, or jemalloc
//! ```
//!
//! The meter also knows whose each block is, so [`heap::live_by_route`] has, at any time and to the byte, what the
//! requests of each route have left in memory. A route that leaks is the one that rises.
//!
//! It does not say what was allocated where: for that, use a heap profiler once you know the route.
//! Where requests overlap and can't be told apart, it says so and blames none.
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
//! [`Log`] lists its fields, which are a contract. [`MemoryLayer`] has recipes for a whole axum app, fallbacks and
//! middleware included, and for tonic.
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
//! The heap of each request, and of each route:
//!
//! ```
//! use tower_memory::{MemoryLayer, Report, heap::{TrackingAllocator, live_by_route}};
//!
//! #[global_allocator]
//! static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
//!
//! let layer = MemoryLayer::new().on_report(|report: &Report| {
//!     if let Some(heap) = report.heap {
//!         println!("{} retains {} bytes, peak {}", report.route, heap.retained(), heap.peak);
//!     }
//! });
//! // Now and then, not in a request:
//! for route in live_by_route().into_iter().flat_map(|live| live.routes) {
//!     println!("requests of {} have {} bytes in memory", route.route, route.live);
//! }
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
//! Routes for servers without a router, such as plain hyper:
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
//! With a heap meter, a report may come up to 50 ms after the window has closed, because the server has yet to
//! drop the response; while a client doesn't read its response, up to 10 s ([`heap`] has the rules).
//!
//! Put the layer outside of what should count (compression, say) and inside of what should not.
//! Where [`tower_http`'s `TraceLayer`](https://docs.rs/tower-http/latest/tower_http/trace/) is
//! outside of it, events belong to the request's span.
//!
//! # Features
//!
//! None is on by default.
//!
//! - `axum`: labels requests with axum's `MatchedPath` (add the layer with `Router::layer`), and nothing else.
//! - `dashboard`: `dashboard`, a page to look at, and its JSON. It needs axum, and enables features `axum` and `routes`.
//! - `jemalloc`: jemalloc's own counters are the heap meter, where it is the global allocator and nothing is around
//!   it. [`heap`] says why a [`TrackingAllocator`](heap::TrackingAllocator) around it is the better choice.
//! - `metrics`: `metrics::Metrics`, a listener that keeps counters and gauges for the `metrics` crate.
//! - `routes`: `routes::Routes`, a listener that keeps figures of each route.
//! - `soak`: `soak::Soak`, which tells whether a service keeps memory per request, as a test or against a server. It needs
//!   tokio and hyper.
//! - `sysinfo`: `resident::Sysinfo`, the reader of other platforms, on Linux too.
//!
//! # Limits
//!
//! - Growth is the process's. It includes what other requests, background tasks and the allocator did meanwhile;
//!   [`Report::overlap`] counts the requests, and a heap meter separates what is the request's own.
//!   Only requests through the same layer count: serve several routers from clones of one, which may be
//!   configured further, rather than from several layers.
//! - Growth in resident memory is not a leak. Allocators keep freed pages: the first large request
//!   grows the process, the next ones reuse what it left. A leak is a trend over many requests: look at
//!   [`heap::live_by_route`].
//! - Linux kernels 6.2 to 6.15 give the resident set only approximately; see `resident::Statm`.
//! - A window that never closes (a future or body that is leaked) is never reported.
//! - In a process that was forked while requests were in flight, the child counts them as in flight
//!   for ever.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(clippy::expect_used, clippy::unwrap_used)]

mod clock;
#[cfg(feature = "dashboard")]
pub mod dashboard;
pub mod heap;
mod log;
#[cfg(feature = "metrics")]
pub mod metrics;
mod middleware;
mod reading;
pub mod reclaim;
mod report;
pub mod resident;
mod route;
#[cfg(feature = "routes")]
pub mod routes;
mod shield;
#[cfg(feature = "soak")]
pub mod soak;
mod sync;
mod target;
mod verdict;

pub use self::{
    heap::HeapFlow,
    log::Log,
    middleware::{MemoryLayer, MemoryService, RequestBody, ResponseBody, ResponseFuture, flush},
    report::{LateWork, OnReport, Outcome, Report},
    resident::{MIB, ReadResident, Resident},
    route::Route,
    verdict::Verdict,
};

/// The README's code compiles.
#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
struct Readme;
