//! Where threads count.
//!
//! Each thread owns one *slot* of a static table and is the only one to write there, so that
//! counting is a plain load and store on a cache line of its own. A slot outlives its thread, which
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

/// Where all threads beyond those count together.
static CROWDED: Slot = Slot::new();

/// How many slots at the front of the table were ever owned.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Initialized by the compiler and without a destructor: to use it never allocates, and it can
    // be used until the very end of the thread.
    static SLOT: Cell<Claim> = const { Cell::new(Claim::None) };
}

#[derive(Clone, Copy)]
enum Claim {
    None,
    Owned(&'static Slot),
    Crowded,
}

/// A cache line of its own, so that threads don't take it from each other.
#[repr(align(64))]
struct Slot {
    owner: AtomicU64,
    allocated: AtomicU64,
    freed: AtomicU64,
}

/// Counts one allocation and, where it replaces one, what that had.
#[inline]
pub(super) fn count(allocated: usize, freed: usize) {
    SLOT.with(|claim| match claim.get() {
        Claim::Owned(slot) => slot.add(allocated as u64, freed as u64),
        Claim::Crowded => CROWDED.add_shared(allocated as u64, freed as u64),
        Claim::None => first_count(claim, allocated as u64, freed as u64),
    });
}

#[cold]
fn first_count(claim: &Cell<Claim>, allocated: u64, freed: u64) {
    let slot = Slot::claim(owner::id());
    claim.set(slot.map_or(Claim::Crowded, Claim::Owned));
    match slot {
        Some(slot) => slot.add(allocated, freed),
        None => CROWDED.add_shared(allocated, freed),
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

impl Slot {
    const fn new() -> Self {
        Self {
            owner: AtomicU64::new(0),
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
        }
    }

    /// Only for the owner: without atomic additions, which cost ten times as much.
    #[inline]
    fn add(&self, allocated: u64, freed: u64) {
        let add = |count: &AtomicU64, bytes| {
            count.store(
                count.load(Ordering::Relaxed).wrapping_add(bytes),
                Ordering::Release,
            );
        };
        add(&self.allocated, allocated);
        add(&self.freed, freed);
    }

    fn add_shared(&self, allocated: u64, freed: u64) {
        self.allocated.fetch_add(allocated, Ordering::AcqRel);
        self.freed.fetch_add(freed, Ordering::AcqRel);
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
