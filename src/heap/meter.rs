//! What counts on this thread: a [`TrackingAllocator`](super::TrackingAllocator), or jemalloc.

#[cfg(feature = "jemalloc")]
use super::jemalloc::Counters;
use super::slots::{self, Slot};

/// What this thread has counted. The counts begin anywhere, at what earlier threads left: only their
/// differences mean something.
pub(super) enum Meter<'a> {
    Slot(&'a Slot),
    #[cfg(feature = "jemalloc")]
    Jemalloc(Counters),
}

/// Calls `f` with this thread's meter, or returns `None` where nothing counts.
#[inline]
pub(super) fn with_this_thread<R>(f: impl FnOnce(Meter<'_>) -> R) -> Option<R> {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return super::jemalloc::this_thread().map(|counters| f(Meter::Jemalloc(counters)));
    }
    slots::with_this_thread(|slot| f(Meter::Slot(slot)))
}

pub(super) fn live_bytes() -> Option<u64> {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return super::jemalloc::live_bytes();
    }
    slots::live_bytes()
}

macro_rules! forward {
    ($meter:ident, $counters:ident => $call:expr) => {
        match $meter {
            Meter::Slot($counters) => $call,
            #[cfg(feature = "jemalloc")]
            Meter::Jemalloc($counters) => $call,
        }
    };
}

impl Meter<'_> {
    #[inline]
    pub(super) fn allocated(&self) -> u64 {
        forward!(self, counters => counters.allocated())
    }

    #[inline]
    pub(super) fn freed(&self) -> u64 {
        forward!(self, counters => counters.freed())
    }

    /// 0 where they are not counted.
    #[inline]
    pub(super) fn allocations(&self) -> u64 {
        match self {
            Self::Slot(slot) => slot.allocations(),
            #[cfg(feature = "jemalloc")]
            Self::Jemalloc(_) => 0,
        }
    }

    #[inline]
    pub(super) fn net(&self) -> i64 {
        self.allocated().wrapping_sub(self.freed()).cast_signed()
    }

    /// The most that the net count was since it was last set.
    #[inline]
    pub(super) fn peak(&self) -> i64 {
        forward!(self, counters => counters.peak())
    }

    #[inline]
    pub(super) fn set_peak(&self, net: i64) {
        forward!(self, counters => counters.set_peak(net));
    }
}
