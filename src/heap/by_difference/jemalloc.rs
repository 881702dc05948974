//! jemalloc's own counters. As the global allocator, jemalloc needs no wrapper.
//!
//! It counts the memory it hands out, in its size classes and per thread: bytes allocated and
//! freed, at the price of a load each, and their peak, through `mallctl`. It doesn't count
//! allocations. See `thread.allocatedp` and `thread.peak.read` in [its
//! manual](https://jemalloc.net/jemalloc.3.html).
#![allow(unsafe_code)]

use std::{cell::Cell, hint::black_box, ptr, sync::OnceLock};
use tikv_jemalloc_ctl::{
    epoch, raw, stats,
    thread::{ThreadLocal, allocatedp, deallocatedp},
};

/// The calling thread's counters.
#[derive(Clone, Copy)]
pub(in crate::heap) struct Counters {
    allocated: ThreadLocal<u64>,
    deallocated: ThreadLocal<u64>,
    peak: Peak,
}

/// `mallctl` names, looked up once.
#[derive(Clone, Copy)]
struct Peak {
    read: [usize; 3],
    reset: [usize; 3],
}

thread_local! {
    static COUNTERS: Cell<Option<Counters>> = const { Cell::new(None) };
    /// The net count when jemalloc's peak was last reset.
    static RESET_AT: Cell<i64> = const { Cell::new(0) };
    /// A peak from before the reset.
    static FLOOR: Cell<i64> = const { Cell::new(i64::MIN) };
}

/// `None` if jemalloc is not the global allocator.
#[inline]
pub(in crate::heap) fn this_thread() -> Option<Counters> {
    COUNTERS.with(|counters| match counters.get() {
        Some(known) => Some(known),
        None => first_counters(counters),
    })
}

#[cold]
fn first_counters(counters: &Cell<Option<Counters>>) -> Option<Counters> {
    if !is_global_allocator() {
        return None;
    }
    counters.set(Counters::of_this_thread());
    counters.get()
}

/// Whether jemalloc counts Rust's allocations: it may be linked but unused.
fn is_global_allocator() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        Counters::of_this_thread().is_some_and(|counters| {
            let before = counters.allocated();
            drop(black_box(Box::new([0_u64; 8])));
            counters.allocated() != before
        })
    })
}

/// Bytes allocated and not yet freed in the whole process.
///
/// jemalloc gathers them from all of its arenas, which takes some microseconds and the arenas'
/// locks.
pub(in crate::heap) fn live_bytes() -> Option<u64> {
    this_thread()?;
    epoch::advance().ok()?;
    stats::allocated::read().ok().map(|bytes| bytes as u64)
}

impl Counters {
    fn of_this_thread() -> Option<Self> {
        Some(Self {
            allocated: allocatedp::read().ok()?,
            deallocated: deallocatedp::read().ok()?,
            peak: Peak::names()?,
        })
    }

    #[inline]
    pub(super) fn allocated(&self) -> u64 {
        self.allocated.get()
    }

    #[inline]
    pub(super) fn freed(&self) -> u64 {
        self.deallocated.get()
    }

    pub(super) fn net(&self) -> i64 {
        self.allocated().wrapping_sub(self.freed()) as i64
    }

    pub(super) fn peak(&self) -> i64 {
        // SAFETY: `thread.peak.read` is a `uint64_t`.
        let since_reset = unsafe { raw::read_mib::<u64>(&self.peak.read) }.unwrap_or(0);
        let peak = RESET_AT.get().saturating_add_unsigned(since_reset);
        peak.max(FLOOR.get())
    }

    pub(super) fn set_peak(&self, net: i64) {
        let mib = &self.peak.reset;
        // SAFETY: `thread.peak.reset` takes and returns nothing, and the length is that of the
        // name.
        unsafe {
            tikv_jemalloc_sys::mallctlbymib(
                mib.as_ptr(),
                mib.len(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                0,
            );
        }
        RESET_AT.set(self.net());
        FLOOR.set(net);
    }
}

impl Peak {
    fn names() -> Option<Self> {
        static NAMES: OnceLock<Option<Peak>> = OnceLock::new();
        *NAMES.get_or_init(|| {
            let mut names = Self {
                read: [0; 3],
                reset: [0; 3],
            };
            raw::name_to_mib(b"thread.peak.read\0", &mut names.read).ok()?;
            raw::name_to_mib(b"thread.peak.reset\0", &mut names.reset).ok()?;
            Some(names)
        })
    }
}
