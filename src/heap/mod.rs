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
//! No meter counts single requests yet, so that [`Report::heap`](crate::Report::heap) is always
//! `None`.
//!
//! # What is counted
//!
//! The bytes that Rust code asks its global allocator for, by the sizes it asks for: rounding and
//! bookkeeping inside of the allocator are not in it, nor is what C libraries and `mmap` take.

mod account;
mod allocator;
mod flow;
mod frame;
#[cfg(feature = "jemalloc")]
mod jemalloc;
mod meter;
mod propagate;
mod scope;
mod slots;

pub use self::{
    allocator::TrackingAllocator,
    flow::HeapFlow,
    propagate::{CurrentRequest, Instrumented},
};
pub(crate) use self::{
    frame::{handed_off, received},
    scope::{Flow, Scope},
};

/// Bytes that are allocated and not yet freed in the whole process, or `None` when no
/// [`TrackingAllocator`] counts.
///
/// Exact, to the byte, but for what other threads do during the call, which may be in it or not.
/// Costs a few nanoseconds for each thread, up to some microseconds for 1024 of them: for reports
/// and metrics, not for hot loops.
pub fn live_bytes() -> Option<u64> {
    meter::live_bytes()
}

/// The same where it is cheap enough for the path of a request, which it is not with jemalloc.
pub(crate) fn live_bytes_at_once() -> Option<u64> {
    slots::live_bytes()
}

/// Whether anything counts.
#[cfg(feature = "axum")]
pub(crate) fn is_metered() -> bool {
    meter::with_this_thread(|_| ()).is_some()
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
