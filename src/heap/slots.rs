//! Where threads count.
//!
//! Each thread owns one *slot* of a static table and is the only one to write there, so that
//! counting is plain loads and stores on a cache line of its own. A slot outlives its thread, which
//! is why nothing has to happen when a thread exits: its counts stay, and a later thread goes on
//! from them.
//!
//! All of this runs inside of the allocator and must not allocate, lock, panic, or register a
//! destructor for a thread-local.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Threads that live at the same time and count without sharing; 64 KiB of zeroed static memory.
const SLOTS: usize = 1024;

static OWNED: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

/// What all threads beyond those have counted together.
static CROWDED: Slot = Slot::new();

/// How many slots at the front of the table were ever owned.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Initialized by the compiler and without destructors: to use them never allocates, and they can
    // be used until the very end of the thread.

    /// The slot that this thread owns, from its first count on.
    static SLOT: Cell<Option<&'static Slot>> = const { Cell::new(None) };
    /// Whether it found none to own.
    static IS_CROWDED: Cell<bool> = const { Cell::new(false) };
    /// Where it counts for itself then, beside `CROWDED`.
    static APART: Slot = const { Slot::new() };
}

/// A cache line of its own, so that threads don't take it from each other.
#[repr(align(64))]
pub(super) struct Slot {
    owner: AtomicU64,
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    /// What `allocated` may become before `allocated - freed` is more than it ever was since the owner
    /// last said: the peak plus `freed`, so that it needs nothing else to be compared with.
    ceiling: AtomicU64,
}

/// Counts one allocation.
#[inline]
pub(super) fn allocated(bytes: usize) {
    match SLOT.get() {
        Some(slot) => slot.allocate(bytes as u64),
        None => count_slowly(bytes, 0),
    }
}

/// Counts the end of one allocation.
#[inline]
pub(super) fn freed(bytes: usize) {
    match SLOT.get() {
        Some(slot) => slot.free(bytes as u64),
        None => count_slowly(0, bytes),
    }
}

/// Counts one allocation and the end of the one that it replaces.
#[inline]
pub(super) fn reallocated(bytes: usize, replaced: usize) {
    match SLOT.get() {
        Some(slot) => slot.replace(bytes as u64, replaced as u64),
        None => count_slowly(bytes, replaced),
    }
}

/// The first count of a thread, and all of one that owns no slot.
#[cold]
#[inline(never)]
fn count_slowly(allocated: usize, freed: usize) {
    let (allocated, freed) = (allocated as u64, freed as u64);
    let count = |slot: &Slot| match allocated {
        0 => slot.free(freed),
        _ => slot.replace(allocated, freed),
    };
    match own_slot() {
        Some(slot) => count(slot),
        None => {
            CROWDED.allocated.fetch_add(allocated, Ordering::AcqRel);
            CROWDED.freed.fetch_add(freed, Ordering::AcqRel);
            APART.with(count);
        }
    }
}

/// This thread's slot, which it takes now if need be.
fn own_slot() -> Option<&'static Slot> {
    if SLOT.get().is_none() && !IS_CROWDED.get() {
        SLOT.set(Slot::claim(owner::id()));
        IS_CROWDED.set(SLOT.get().is_none());
    }
    SLOT.get()
}

/// Whether an allocator has counted anything yet, which one that counts does before `main`.
#[inline]
pub(super) fn are_counting() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

/// Calls `f` with what this thread has counted, or returns `None` where no allocator counts.
#[inline]
pub(super) fn with_this_thread<R>(f: impl FnOnce(&Slot) -> R) -> Option<R> {
    match SLOT.get() {
        Some(slot) => Some(f(slot)),
        None if are_counting() => Some(with_any_slot(f)),
        None => None,
    }
}

#[cold]
fn with_any_slot<R>(f: impl FnOnce(&Slot) -> R) -> R {
    match own_slot() {
        Some(slot) => f(slot),
        None => APART.with(f),
    }
}

pub(super) fn live_bytes() -> Option<u64> {
    let owned = &OWNED[..USED.load(Ordering::Acquire).min(SLOTS)];
    let (mut allocated, mut freed) = (0_u64, 0_u64);
    // What is freed first: read later, it could miss the allocation that it belongs to and live
    // bytes fall below zero.
    for slot in owned.iter().chain([&CROWDED]) {
        freed = freed.wrapping_add(slot.freed.load(Ordering::Acquire));
    }
    for slot in owned.iter().chain([&CROWDED]) {
        allocated = allocated.wrapping_add(slot.allocated.load(Ordering::Acquire));
    }
    (allocated > 0).then(|| allocated.saturating_sub(freed))
}

/// What follows is for the owner alone: loads and stores instead of atomic additions, which cost
/// ten times as much.
impl Slot {
    #[inline]
    fn allocate(&self, bytes: u64) {
        let allocated = self.allocated().wrapping_add(bytes);
        self.allocated.store(allocated, Ordering::Release);
        if allocated > self.ceiling.load(Ordering::Relaxed) {
            self.ceiling.store(allocated, Ordering::Relaxed);
        }
        add(&self.allocations, 1, Ordering::Relaxed);
    }

    #[inline]
    fn replace(&self, bytes: u64, replaced: u64) {
        self.free(replaced);
        self.allocate(bytes);
    }

    #[inline]
    fn free(&self, bytes: u64) {
        add(&self.freed, bytes, Ordering::Release);
        add(&self.ceiling, bytes, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn allocated(&self) -> u64 {
        self.allocated.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn freed(&self) -> u64 {
        self.freed.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn allocations(&self) -> u64 {
        self.allocations.load(Ordering::Relaxed)
    }

    /// The most that `allocated - freed` was since it was last set.
    #[inline]
    pub(super) fn peak(&self) -> i64 {
        let ceiling = self.ceiling.load(Ordering::Relaxed);
        ceiling.wrapping_sub(self.freed()).cast_signed()
    }

    #[inline]
    pub(super) fn set_peak(&self, net: i64) {
        let ceiling = self.freed().wrapping_add_signed(net);
        self.ceiling.store(ceiling, Ordering::Relaxed);
    }
}

/// Only for who alone writes there.
#[inline]
fn add(count: &AtomicU64, bytes: u64, order: Ordering) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(bytes), order);
}

impl Slot {
    const fn new() -> Self {
        Self {
            owner: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
            ceiling: AtomicU64::new(0),
        }
    }

    /// A slot that nobody owns, or whose owner is no more.
    fn claim(id: u64) -> Option<&'static Self> {
        OWNED.iter().enumerate().find_map(|(index, slot)| {
            let owner = slot.owner.load(Ordering::Relaxed);
            if owner != 0 && owner::is_alive(owner, id) {
                return None;
            }
            let order = (Ordering::AcqRel, Ordering::Relaxed);
            slot.owner
                .compare_exchange(owner, id, order.0, order.1)
                .ok()?;
            USED.fetch_max(index + 1, Ordering::AcqRel);
            Some(slot)
        })
    }
}

/// Who owns a slot: process and thread in one number.
#[cfg(target_os = "linux")]
mod owner {
    use rustix::{
        io::Errno,
        process::{Pid, getpid, test_kill_process},
        thread::gettid,
    };

    /// This thread's; never 0.
    pub(super) fn id() -> u64 {
        let half = |pid: Pid| u64::from(pid.as_raw_nonzero().get().cast_unsigned());
        half(getpid()) << 32 | half(gettid())
    }

    /// Whether the owner `other` may still count, as `this` thread sees it.
    ///
    /// After a fork the thread that forked goes on counting under its old name, which nobody can
    /// tell from those that the fork left behind: slots from before a fork are never given away.
    /// A thread with this thread's own number can only be one that ended before this one began.
    pub(super) fn is_alive(other: u64, this: u64) -> bool {
        if other >> 32 != this >> 32 {
            return true;
        }
        if other == this {
            return false;
        }
        // The kernel finds threads by their number too, though it calls them processes here.
        let thread = i32::try_from(other & u64::from(u32::MAX)).ok();
        thread
            .and_then(Pid::from_raw)
            .is_none_or(|thread| test_kill_process(thread) != Err(Errno::SRCH))
    }
}

/// No way is known to tell whether a thread has ended that costs no destructor: slots are given to
/// the first threads, and the others count together.
#[cfg(not(target_os = "linux"))]
mod owner {
    pub(super) fn id() -> u64 {
        1
    }

    pub(super) fn is_alive(_: u64, _: u64) -> bool {
        true
    }
}
