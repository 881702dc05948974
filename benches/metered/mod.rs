//! The system's allocator, counted by a heap meter from the moment it is switched on. So the cost of
//! a meter can be measured within one program, and between processes of one.

#![allow(unsafe_code)] // To be an allocator.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, Ordering},
};
use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: Metered = Metered;

struct Metered;

static IS_METERED: AtomicBool = AtomicBool::new(false);
static METER: TrackingAllocator = TrackingAllocator::system();

// SAFETY: either way, every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Metered {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match IS_METERED.load(Ordering::Relaxed) {
            // SAFETY: as the caller promised.
            true => unsafe { METER.alloc(layout) },
            // SAFETY: as the caller promised.
            false => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match IS_METERED.load(Ordering::Relaxed) {
            // SAFETY: as the caller promised.
            true => unsafe { METER.alloc_zeroed(layout) },
            // SAFETY: as the caller promised.
            false => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn realloc(&self, allocation: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match IS_METERED.load(Ordering::Relaxed) {
            // SAFETY: as the caller promised.
            true => unsafe { METER.realloc(allocation, layout, new_size) },
            // SAFETY: as the caller promised.
            false => unsafe { System.realloc(allocation, layout, new_size) },
        }
    }

    unsafe fn dealloc(&self, allocation: *mut u8, layout: Layout) {
        match IS_METERED.load(Ordering::Relaxed) {
            // SAFETY: as the caller promised.
            true => unsafe { METER.dealloc(allocation, layout) },
            // SAFETY: as the caller promised.
            false => unsafe { System.dealloc(allocation, layout) },
        }
    }
}

/// Starts counting.
pub(super) fn begin() {
    IS_METERED.store(true, Ordering::Relaxed);
}
