#![allow(unsafe_code)]

use super::slots;
use std::alloc::{GlobalAlloc, Layout, System};

/// An allocator that counts what passes through it, around any other.
///
/// ```
/// use tower_memory::heap::TrackingAllocator;
///
/// #[global_allocator]
/// static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();
/// # fn main() {}
/// ```
///
/// Adds no bytes to an allocation, takes no lock and shares nothing between threads: an allocation
/// and its end cost about a nanosecond more, together (`cargo bench --bench allocator`). The first
/// one of a thread looks for a place to count, with a system call for each place it finds taken.
/// Beyond 1024 threads at a time, those that find none share one and count ten times slower.
#[derive(Debug, Default, Clone, Copy)]
pub struct TrackingAllocator<A = System> {
    inner: A,
}

impl TrackingAllocator {
    /// Around the system's allocator, which is Rust's default.
    pub const fn system() -> Self {
        Self::new(System)
    }
}

impl<A> TrackingAllocator<A> {
    /// Around `inner`, say jemalloc or mimalloc.
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }
}

// SAFETY: every call goes to `inner` with the caller's own arguments, and what it returns goes back
// as it is, so that `inner` keeps the contract for us. Counting neither unwinds nor allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for TrackingAllocator<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `inner` asks for.
        let allocation = unsafe { self.inner.alloc(layout) };
        if !allocation.is_null() {
            slots::allocated(layout.size());
        }
        allocation
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `inner` asks for.
        let allocation = unsafe { self.inner.alloc_zeroed(layout) };
        if !allocation.is_null() {
            slots::allocated(layout.size());
        }
        allocation
    }

    #[inline]
    unsafe fn realloc(&self, allocation: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promises are those that `inner` asks for.
        let moved = unsafe { self.inner.realloc(allocation, layout, new_size) };
        if !moved.is_null() {
            slots::reallocated(new_size, layout.size());
        }
        moved
    }

    #[inline]
    unsafe fn dealloc(&self, allocation: *mut u8, layout: Layout) {
        // First, because it can't fail, so that nothing is left to do after the call.
        slots::freed(layout.size());
        // SAFETY: the caller's promises are those that `inner` asks for.
        unsafe { self.inner.dealloc(allocation, layout) };
    }
}
