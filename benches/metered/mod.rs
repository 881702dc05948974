//! The system's allocator, which a heap meter counts from when it is told to: what a meter costs can
//! be seen within one program, and between processes of one.

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

// SAFETY: both ways, every call goes to the system's allocator as it is.
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

/// From here on it counts.
pub(super) fn begin() {
    IS_METERED.store(true, Ordering::Relaxed);
}
