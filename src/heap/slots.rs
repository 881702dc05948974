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
    sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
};

/// Threads that live at the same time and count without sharing; 64 KiB of zeroed static memory.
const SLOTS: usize = 1024;

static OWNED: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

/// What all threads beyond those have counted together.
static CROWDED: Slot = Slot::new();

/// How many slots at the front of the table were ever owned.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Initialized by the compiler and without a destructor: to use it never allocates, and it can
    // be used until the very end of the thread.
    static SLOT: Cell<Claim> = const { Cell::new(Claim::None) };

    /// Where a thread without a slot counts for itself, beside `CROWDED`.
    static APART: Slot = const { Slot::new() };
}

#[derive(Clone, Copy)]
enum Claim {
    None,
    Owned(&'static Slot),
    Crowded,
}

/// A cache line of its own, so that threads don't take it from each other.
#[repr(align(64))]
pub(super) struct Slot {
    owner: AtomicU64,
    allocated: AtomicU64,
    freed: AtomicU64,
    allocations: AtomicU64,
    /// The most that `allocated - freed` was since the owner last set it.
    peak: AtomicI64,
}

/// Counts one allocation.
#[inline]
pub(super) fn allocated(bytes: usize) {
    count(|slot| slot.allocate(bytes as u64), bytes, 0);
}

/// Counts one allocation and the end of the one that it replaces.
#[inline]
pub(super) fn reallocated(bytes: usize, replaced: usize) {
    count(
        |slot| {
            slot.free(replaced as u64);
            slot.allocate(bytes as u64);
        },
        bytes,
        replaced,
    );
}

/// Counts the end of one allocation.
#[inline]
pub(super) fn freed(bytes: usize) {
    count(|slot| slot.free(bytes as u64), 0, bytes);
}

#[inline]
fn count(count: impl Fn(&Slot), allocated: usize, freed: usize) {
    SLOT.with(|claim| match claim.get() {
        Claim::Owned(slot) => count(slot),
        Claim::Crowded => count_crowded(&count, allocated, freed),
        Claim::None => match claim_slot(claim) {
            Some(slot) => count(slot),
            None => count_crowded(&count, allocated, freed),
        },
    });
}

#[cold]
fn count_crowded(count: &dyn Fn(&Slot), allocated: usize, freed: usize) {
    CROWDED
        .allocated
        .fetch_add(allocated as u64, Ordering::AcqRel);
    CROWDED.freed.fetch_add(freed as u64, Ordering::AcqRel);
    APART.with(count);
}

#[cold]
fn claim_slot(claim: &Cell<Claim>) -> Option<&'static Slot> {
    let slot = Slot::claim(owner::id());
    claim.set(slot.map_or(Claim::Crowded, Claim::Owned));
    slot
}

/// Whether an allocator has counted anything yet, which one that counts does before `main`.
#[inline]
pub(super) fn are_counting() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

/// Calls `f` with what this thread has counted, or returns `None` where no allocator counts.
#[inline]
pub(super) fn with_this_thread<R>(f: impl FnOnce(&Slot) -> R) -> Option<R> {
    if !are_counting() {
        return None;
    }
    Some(SLOT.with(|claim| match claim.get() {
        Claim::Owned(slot) => f(slot),
        Claim::Crowded => APART.with(f),
        Claim::None => match claim_slot(claim) {
            Some(slot) => f(slot),
            None => APART.with(f),
        },
    }))
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
        let allocations = self.allocations().wrapping_add(1);
        self.allocations.store(allocations, Ordering::Relaxed);
        let net = self.net();
        if net > self.peak() {
            self.set_peak(net);
        }
    }

    #[inline]
    fn free(&self, bytes: u64) {
        let freed = self.freed().wrapping_add(bytes);
        self.freed.store(freed, Ordering::Release);
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

    #[inline]
    pub(super) fn net(&self) -> i64 {
        self.allocated().wrapping_sub(self.freed()).cast_signed()
    }

    #[inline]
    pub(super) fn peak(&self) -> i64 {
        self.peak.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_peak(&self, net: i64) {
        self.peak.store(net, Ordering::Relaxed);
    }
}

impl Slot {
    const fn new() -> Self {
        Self {
            owner: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
            peak: AtomicI64::new(0),
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
