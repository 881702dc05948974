//! What the allocator says: how many bytes are live, in the process and for one request.
//!
//! The resident set tells what the operating system gave the process; only the allocator knows what
//! of it is in use. Install [`TrackingAllocator`] and [`live_bytes`] tells:
//!
//! ```
//! use tower_memory::heap::{TrackingAllocator, live_bytes};
//!
//! #[global_allocator]
//! static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
//!
//! fn main() {
//!     let before = live_bytes().unwrap();
//!     let kept = vec![0u8; 1 << 20];
//!     assert_eq!(live_bytes().unwrap() - before, 1 << 20);
//!     drop(kept);
//!     assert_eq!(live_bytes().unwrap(), before);
//! }
//! ```
//!
//! A resident set that stays large while live bytes fall again is no leak: it is pages that the
//! allocator keeps.
//!
//! # One request
//!
//! [`Report::heap`](crate::Report::heap) has the [`HeapFlow`] of each request, and the
//! [`Verdict`](crate::Verdict) rests on it. Counted is what happens on the thread that polls the
//! request's future or response body, while it is polled and when it is dropped; and work elsewhere
//! that carries its [`CurrentRequest`]. Bodies are accounted for: what came in from the connection
//! is no gift, and what goes out to it is not kept.
//!
//! How it works: each thread has its own counters, which only ever grow. A request looks at them
//! when it is entered and when it is left, and adds the difference to its own. Nothing is marked in
//! the memory itself, so that counting costs no byte, no lock and no shared cache line.
//!
//! # Meters
//!
//! - [`TrackingAllocator`], around any allocator: exact sizes, as Rust code asked for them.
//! - jemalloc as the global allocator, with feature `jemalloc`, and nothing around it: bytes in its
//!   size classes, peaks as close as it keeps them, no count of allocations
//!   ([`HeapFlow::allocations`] is 0), and no live bytes of the process in reports, because to gather
//!   them takes too long for a request ([`live_bytes`] does).
//!
//! # What is not seen
//!
//! - Memory of C libraries with allocators of their own, of `mmap` and of stacks.
//! - What a request causes on threads that nothing was carried to. It is in [`live_bytes`], and in
//!   no request.
//! - Which request had allocated what another one frees: the one that evicts an entry from a cache
//!   has it in [`HeapFlow::freed`], and so its net flow may be negative.
//! - Rounding and bookkeeping inside of the allocator, and how the kernel accounts for pages: resident
//!   memory is always more than what is live.

mod account;
mod allocator;
#[cfg(feature = "jemalloc")]
mod by_difference;
mod by_route;
mod flow;
mod labels;
mod map;
mod propagate;
mod request;
mod ring;
mod scope;
mod slots;
mod tag;
mod unsent;

pub use self::{
    allocator::TrackingAllocator,
    by_route::{LiveByRoute, RouteLive, live_by_route},
    flow::HeapFlow,
    propagate::{CurrentRequest, Instrumented},
};
pub(crate) use self::{
    by_route::live_of_route,
    request::{Flow, LateRemains, Remains, Scope},
    scope::as_nobody,
    unsent::Body as BodyWithServer,
};

/// Bytes that are allocated and not yet freed in the whole process, or `None` when no
/// [`TrackingAllocator`] counts.
///
/// Exact, to the byte, but for what other threads do during the call, which may be in it or not.
/// Costs a few nanoseconds for each thread, up to some microseconds for 1024 of them: for reports
/// and metrics, not for hot loops.
pub fn live_bytes() -> Option<u64> {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return by_difference::live_bytes();
    }
    slots::live_bytes()
}

/// The same where it is cheap enough for the path of a request, which it is not with jemalloc.
pub(crate) fn live_bytes_at_once() -> Option<u64> {
    slots::live_bytes()
}

/// `bytes` of a request body, so that what a request keeps of them counts as its own.
pub(crate) fn received(bytes: bytes::Bytes) -> bytes::Bytes {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return by_difference::received(bytes);
    }
    match slots::are_counting() {
        // Theirs is a buffer of the connection, which other frames may share.
        true => bytes::Bytes::copy_from_slice(&bytes),
        false => bytes,
    }
}

/// Whether request bodies have to be watched by themselves: where blocks have no owner.
#[cfg(all(feature = "axum", feature = "jemalloc"))]
pub(crate) fn watches_bodies() -> bool {
    !slots::are_counting() && by_difference::this_thread().is_some()
}

#[cfg(test)]
mod tests {
    #[test]
    fn where_no_allocator_counts_nothing_is_told() {
        let kept = vec![0_u8; 1 << 20];
        assert_eq!(super::live_bytes(), None);
        drop(kept);
    }
}
