//! The heap, as the allocator sees it: how many bytes are live, in the process, by route and for one request.
//!
//! The resident set is the memory that the operating system gave the process. Only the allocator knows how much of it
//! is in use. Install [`TrackingAllocator`], and [`live_bytes`] is that figure, to the byte:
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
//! A resident set that stays large while live bytes fall again is no leak: the allocator holds the pages.
//!
//! # Owners
//!
//! Each block has an owner: the request that allocated it, or nobody. The owner stays the same until the block is
//! freed, whoever frees it, on whatever thread, however much later. A block that another request grows keeps its first
//! owner. Four bytes behind each block of less than 1 KiB record the owner; for larger blocks, a map by address does.
//!
//! So three figures are exact at any time, and add up to the live heap:
//!
//! - of a **request**: its live bytes. Once its response is gone, these are what it retains ([`HeapFlow::retained`]).
//! - of a **route**: everything its requests have in memory now. [`live_by_route`] is the figure to watch,
//!   because it never drifts: a leak rises, a full cache stays at its size, and an entry evicted by another route's
//!   request comes off the route that stored it.
//! - of **nobody**: connections, tasks that carry no request, start-up.
//!
//! A request owns allocations made while its future or response body is polled or dropped, and in work that carries its
//! [`CurrentRequest`]. If one request is polled within another, the inner one owns its own allocations.
//!
//! # One request
//!
//! [`Report::heap`](crate::Report::heap) has the [`HeapFlow`] of each request, and the [`Verdict`](crate::Verdict)
//! rests on it:
//!
//! - **Settled.** At the end of a response some of it is still with the server. So a request with more than 1 KiB live
//!   is looked at again, for up to 50 ms, and reported once it is down to 1 KiB or the time is up. Whatever is live by
//!   then is retained.
//! - **Unsent.** While the server holds 1 KiB or more of the response (frames of [`Bytes`](bytes::Bytes)) that the
//!   client has not read, the report waits, for at most 10 s. After that these bytes are [`HeapFlow::unsent`], not
//!   retained, and [`live_by_route`] shows them until they are sent.
//! - **Running.** Work that carries the request may go on after its response. Memory that the request owns meanwhile is
//!   [`HeapFlow::running`], and a second report follows when the work ends
//!   ([`OnReport::on_late_work`](crate::OnReport::on_late_work)).
//!
//! Below 1 KiB a single request can't be told from the head of its response, so its report says 0. On HTTP/1
//! connections hyper keeps the table of a response's headers for the next request: 656 bytes with a few headers, more
//! with many. So a route may carry that much for each idle connection. It doesn't add up over many requests, and once
//! connections close, [`live_by_route`] is right to the byte: 100,000 requests that keep 64 bytes each leave 6,400,000.
//!
//! # Choosing a meter
//!
//! | | [`TrackingAllocator`] | jemalloc's own counters |
//! |---|---|---|
//! | setup | two lines, around any allocator | feature `jemalloc`, with jemalloc as the global allocator and nothing around it |
//! | a request's figures | its live bytes, exact | differences, with the bounds below |
//! | [`live_by_route`] | exact | `None` |
//! | live heap in reports | yes | no: gathering it takes too long for a request ([`live_bytes`] does) |
//! | sizes | as requested by the code | jemalloc's size classes |
//! | [`HeapFlow::allocations`] | yes | 0 |
//! | cost of an allocation and its free | one or two nanoseconds, some three under jemalloc | none |
//! | memory | 2 to 5 % for trees of small blocks, 24 % under mimalloc | none |
//!
//! **Choose [`TrackingAllocator`], around jemalloc too** (`TrackingAllocator::new(Jemalloc)`), unless those three
//! nanoseconds matter more to you than exact figures. It counts exactly what Rust code allocates and frees, and knows
//! each block's owner. [Its page](TrackingAllocator) has the cost.
//!
//! jemalloc's counters know how much each thread allocated and freed, not who owned it. A request's figures are then
//! the difference over the time in which it was polled, which is exact only if a request frees everything it allocated
//! itself. Over kept HTTP/1.1 connections it doesn't, and each request is off by:
//!
//! | request | [`HeapFlow::retained`] is off by |
//! |---|--:|
//! | GET without headers | −8,052 bytes |
//! | GET with 12 headers | −10,604 bytes |
//! | GET with 60 headers | −19,020 bytes |
//! | small POST | −983 bytes |
//! | frames cut from one buffer: files (`ServeFile`, `ReaderStream`), tonic's messages | up to + the size of the body |
//! | compression inside the layer, bodies that own state | up to + that state or the size of the body |
//! | freed by others: a queue, a cache that another route evicts | ± what they free |
//!
//! (Measured with axum. The connection allocates heads, and the request frees them.) So trust it for single requests
//! that keep megabytes, but not for sums over many: there is no live heap by route.
//!
//! # Limitations
//!
//! - **Parts of a request's body or head kept without a copy.** Frames of an upload and header values are slices of the
//!   connection's read buffers, which are nobody's. A 12-byte `Bytes` that a handler keeps pins a buffer of 8 KiB or
//!   more. It shows as nobody's live heap rising with the requests. Copy what you keep, or wrap the body in a
//!   [`RequestBody`](crate::RequestBody), which copies each frame. Extractors that collect a body of several frames
//!   copy it anyway.
//! - **Work on threads that carry no request.** It is nobody's; wrap it with [`CurrentRequest::carry`] or
//!   [`carry_fn`](CurrentRequest::carry_fn).
//! - **Memory outside of Rust's allocator**: C libraries with allocators of their own, `mmap`, stacks.
//! - **Rounding and bookkeeping**, by the allocator and, in pages, by the kernel: the resident set is always more than
//!   the heap that is live and touched.
//! - **First-time set-up.** Lazy statics, thread-local caches and pools belong to the request that came first, and stay
//!   with its route. That is a constant, not a slope: look at what rises.
//! - **Routes beyond 512** share one figure, `other`. Beyond 65,535 open requests, further ones count for their route
//!   alone.

mod account;
mod allocator;
#[cfg(feature = "jemalloc")]
mod by_difference;
mod by_route;
mod entry;
mod flow;
mod labels;
mod map;
mod propagate;
mod remains;
mod request;
mod ring;
mod scope;
mod slot;
mod slots;
mod table;
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
    remains::{LateRemains, Remains},
    request::{Flow, Scope},
    scope::as_nobody,
    unsent::Body as BodyWithServer,
};

/// Bytes allocated and not yet freed in the whole process; `None` without a heap meter.
///
/// Exact to the byte, except that allocations of other threads during the call may or may not be included. Costs a few
/// nanoseconds for each thread, up to some microseconds for 1024 of them: for reports and metrics, not for hot loops.
pub fn live_bytes() -> Option<u64> {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return by_difference::live_bytes();
    }
    slots::live_bytes()
}

/// The same where it is cheap enough for the request path, which it is not with jemalloc.
pub(crate) fn live_bytes_at_once() -> Option<u64> {
    slots::live_bytes()
}

/// `bytes` of a request body, such that the part that a request keeps counts as its own.
pub(crate) fn received(bytes: bytes::Bytes) -> bytes::Bytes {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return by_difference::received(bytes);
    }
    match slots::are_counting() {
        // The memory is a buffer of the connection, which other frames may share.
        true => bytes::Bytes::copy_from_slice(&bytes),
        false => bytes,
    }
}

/// Whether request bodies have to be watched separately, because blocks have no owner.
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
