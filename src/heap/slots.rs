//! Where threads count.
//!
//! Each thread owns one *slot* of a static table and a row of live bytes by route. Only the thread writes
//! there, so counting is plain loads and stores on cache lines of its own. Both outlive their thread, so
//! nothing has to happen when a thread exits: its counts stay, and a later thread goes on from them. A
//! single count may be negative if others freed this thread's allocations; the sums over all threads are
//! not.
//!
//! All of this runs inside the allocator and must not allocate, lock, panic, or register a destructor for
//! a thread-local.

use super::{
    ring,
    slot::Slot,
    table::{self, CROWDED, CROWDED_ROW, Place},
    tag::Tag,
};
use std::cell::Cell;

thread_local! {
    // Initialized by the compiler and without destructors: using them never allocates, and they can be
    // used until the very end of the thread.

    /// Where this thread counts, from its first count on.
    static PLACE: Cell<Option<Place>> = const { Cell::new(None) };
    /// Whether this thread found no place.
    static IS_CROWDED: Cell<bool> = const { Cell::new(false) };
    /// Its own counts in that case, beside `CROWDED`.
    static APART: Slot = const { Slot::new() };
}

/// Counts one allocation, and returns its owner.
#[inline]
pub(super) fn allocated(bytes: usize) -> Tag {
    match PLACE.get() {
        Some(place) => {
            let tag = place.slot.tag();
            place.row.add(tag, bytes as i64);
            place.slot.allocate(bytes as u64);
            tag
        }
        None => allocated_slowly(bytes),
    }
}

/// Counts a block being freed.
#[inline]
pub(super) fn freed(tag: Tag, bytes: usize) {
    let Some(place) = PLACE.get() else {
        return changed_slowly(tag, 0, bytes);
    };
    place.row.add(tag, -(bytes as i64));
    if tag == place.slot.tag() {
        place.slot.free(bytes as u64);
    } else {
        place.slot.free_of_others(bytes as u64);
        ring::add_from_outside(tag, -(bytes as i64));
    }
}

/// Counts a block changing its size.
#[inline]
pub(super) fn reallocated(tag: Tag, bytes: usize, replaced: usize) {
    let Some(place) = PLACE.get() else {
        return changed_slowly(tag, bytes, replaced);
    };
    let more = bytes as i64 - replaced as i64;
    place.row.add(tag, more);
    if tag == place.slot.tag() {
        place.slot.free(replaced as u64);
        place.slot.allocate(bytes as u64);
    } else {
        let less = more.wrapping_neg() as u64;
        place.slot.free_of_others(less);
        ring::add_from_outside(tag, more);
    }
}

/// For a thread's first count, and for all counts of a thread without a slot.
#[cold]
#[inline(never)]
fn allocated_slowly(bytes: usize) -> Tag {
    if own_place().is_some() {
        return allocated(bytes);
    }
    let tag = APART.with(|apart| {
        apart.allocate(bytes as u64);
        apart.tag()
    });
    CROWDED_ROW.share(tag, bytes as i64);
    CROWDED.share_allocated(bytes as u64);
    tag
}

/// The same for a block that is freed (`bytes` is 0) or changes its size.
#[cold]
#[inline(never)]
fn changed_slowly(tag: Tag, bytes: usize, replaced: usize) {
    if own_place().is_some() {
        return match bytes {
            0 => freed(tag, replaced),
            _ => reallocated(tag, bytes, replaced),
        };
    }
    let more = bytes as i64 - replaced as i64;
    CROWDED_ROW.share(tag, more);
    CROWDED.share_freed(more.wrapping_neg() as u64);
    let is_own = APART.with(|apart| {
        let is_own = tag == apart.tag();
        if is_own {
            apart.free(replaced as u64);
            if bytes > 0 {
                apart.allocate(bytes as u64);
            }
        }
        is_own
    });
    if !is_own {
        ring::add_from_outside(tag, more);
    }
}

/// This thread's place, taken now if necessary.
fn own_place() -> Option<Place> {
    if PLACE.get().is_none() && !IS_CROWDED.get() {
        PLACE.set(Place::claim());
        IS_CROWDED.set(PLACE.get().is_none());
    }
    PLACE.get()
}

/// Whether a [`TrackingAllocator`](super::TrackingAllocator) has counted anything yet. An installed one
/// does so before `main`.
#[inline]
pub(super) fn are_counting() -> bool {
    table::is_used()
}

/// Calls `f` with this thread's counts, or returns `None` without a
/// [`TrackingAllocator`](super::TrackingAllocator).
#[inline(always)]
pub(super) fn with_this_thread<R>(f: impl FnOnce(&Slot) -> R) -> Option<R> {
    match PLACE.get() {
        Some(place) => Some(f(place.slot)),
        None if are_counting() => Some(with_any_slot(f)),
        None => None,
    }
}

#[cold]
fn with_any_slot<R>(f: impl FnOnce(&Slot) -> R) -> R {
    match own_place() {
        Some(place) => f(place.slot),
        None => APART.with(f),
    }
}

pub(super) fn live_bytes() -> Option<u64> {
    // Read the freed bytes first: read later, they could include a block whose allocation was missed, and
    // live bytes would fall below zero.
    let sum = |of: fn(&Slot) -> u64| table::slots().map(of).fold(0, u64::wrapping_add);
    let freed = sum(Slot::all_freed);
    let allocated = sum(Slot::all_allocated);
    let live = allocated.wrapping_sub(freed) as i64;
    (allocated > 0).then(|| live.max(0) as u64)
}

/// Adds each route's live bytes, by its number. Single figures may be off by memory that is changing
/// hands between threads, and may then be below zero.
pub(super) fn live_by_number(live: &mut [i64]) {
    for row in table::rows() {
        for (live, counted) in live.iter_mut().zip(row.all()) {
            *live += counted;
        }
    }
}

/// Live bytes of one route.
pub(super) fn live_of(number: usize) -> i64 {
    table::rows().map(|row| row.of(number)).sum()
}
