//! The table of slots, and their owners.

use super::{
    map, ring,
    slot::{Row, Slot},
    tag::Tag,
};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads at a time count without sharing. Zeroed static memory, 8 KiB each, of which a thread
/// touches about three pages.
const SLOTS: usize = 2048;

static OWNED: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

static ROWS: [Row; SLOTS] = [const { Row::new() }; SLOTS];

/// The shared counts of all threads beyond those.
pub(super) static CROWDED: Slot = Slot::new();

pub(super) static CROWDED_ROW: Row = Row::new();

/// How many slots at the front of the table have ever been owned.
static USED: AtomicUsize = AtomicUsize::new(0);

/// Whether a thread has counted anything yet.
#[inline]
pub(super) fn is_used() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

fn used() -> usize {
    USED.load(Ordering::Acquire).min(SLOTS)
}

pub(super) fn slots() -> impl Iterator<Item = &'static Slot> {
    OWNED[..used()].iter().chain([&CROWDED])
}

pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS[..used()].iter().chain([&CROWDED_ROW])
}

/// Where a thread counts.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) slot: &'static Slot,
    pub(super) row: &'static Row,
}

/// How many slots a new thread tries to find one whose owner has ended, at a system call each. More would
/// find one more often, but cost more when a thousand threads are alive.
const LOOKS: usize = 16;

impl Place {
    /// A slot whose owner has ended, or one that was never owned. Takes the same time whatever the number
    /// of threads.
    pub(super) fn claim() -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let (id, used) = (owner::id(), used());
        if used == 0 {
            map::want_small_root();
            map::want_small_pages(&OWNED);
            map::want_small_pages(&ROWS);
            ring::want_small_pages();
        }
        for _ in 0..LOOKS.min(used) {
            let index = NEXT.fetch_add(1, Ordering::Relaxed) % used;
            let owner = OWNED[index].owner();
            if owner::is_alive(owner, id) {
                continue;
            }
            if let Some(place) = Self::take(index, owner, id) {
                return Some(place);
            }
        }
        let one_more = |used| (used < SLOTS).then_some(used + 1);
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let index = USED.fetch_update(success, failure, one_more).ok()?;
        Self::take(index, 0, id)
    }

    fn take(index: usize, owner: u64, id: u64) -> Option<Self> {
        let slot = &OWNED[index];
        if !slot.change_owner(owner, id) {
            return None;
        }
        // A thread that was cancelled within a scope left its tag behind.
        slot.set_tag(Tag::NOBODY);
        Some(Self {
            slot,
            row: &ROWS[index],
        })
    }
}

/// The owner of a slot: process and thread in one number.
#[cfg(target_os = "linux")]
mod owner {
    use rustix::{
        io::Errno,
        process::{Pid, getpid, test_kill_process},
        thread::gettid,
    };

    /// This thread's; never 0.
    pub(super) fn id() -> u64 {
        let half = |pid: Pid| u64::from(pid.as_raw_nonzero().get() as u32);
        half(getpid()) << 32 | half(gettid())
    }

    /// Whether the owner `other` may still count, as `this` thread sees it.
    ///
    /// After a fork, the forking thread goes on counting under its old id, which can't be told from those
    /// of the threads that the fork left behind. So slots from before a fork are never given away. A
    /// thread with this thread's own id can only be one that ended before this one began.
    pub(super) fn is_alive(other: u64, this: u64) -> bool {
        // 0 is a slot that is being taken for the first time.
        if other == 0 || other >> 32 != this >> 32 {
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

/// There is no known way to tell that a thread has ended without a destructor, so slots go to the first
/// threads, and the others count together.
#[cfg(not(target_os = "linux"))]
mod owner {
    pub(super) fn id() -> u64 {
        1
    }

    pub(super) fn is_alive(_: u64, _: u64) -> bool {
        true
    }
}
