//! Counting alone, like the heap meter before blocks had owners: the baseline for the cost of owners.

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};

/// Adds up the bytes that a thread allocates and frees.
pub(crate) struct Counting<A>(pub(crate) A);

#[derive(Clone, Copy)]
struct Counts {
    allocated: u64,
    freed: u64,
    allocations: u64,
    ceiling: u64,
}

thread_local! {
    static COUNTS: Cell<Counts> = const {
        Cell::new(Counts { allocated: 0, freed: 0, allocations: 0, ceiling: 0 })
    };
}

#[inline]
fn allocated(bytes: usize) {
    let mut counts = COUNTS.get();
    counts.allocated += bytes as u64;
    counts.allocations += 1;
    counts.ceiling = counts.ceiling.max(counts.allocated);
    COUNTS.set(counts);
}

#[inline]
fn freed(bytes: usize) {
    let mut counts = COUNTS.get();
    counts.freed += bytes as u64;
    counts.ceiling += bytes as u64;
    COUNTS.set(counts);
}

// SAFETY: every call goes to the inner allocator unchanged.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: as the caller promised.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocated(layout.size());
        // SAFETY: as the caller promised.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        freed(layout.size());
        allocated(size);
        // SAFETY: as the caller promised.
        unsafe { self.0.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        freed(layout.size());
        // SAFETY: as the caller promised.
        unsafe { self.0.dealloc(block, layout) }
    }
}
