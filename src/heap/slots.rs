//! Where threads count.
//!
//! Each thread owns one *slot* of a static table, and a row of live bytes by route, and is the only one
//! to write there, so that counting is plain loads and stores on cache lines of its own. Both outlive
//! their thread, which is why nothing has to happen when a thread exits: its counts stay, and a later
//! thread goes on from them. Any single count may be negative, where others freed what this thread
//! allocated; their sums over all threads are not.
//!
//! All of this runs inside of the allocator and must not allocate, lock, panic, or register a
//! destructor for a thread-local.

use super::{
    map, ring,
    tag::{ROUTES, Tag},
};
use std::{
    cell::Cell,
    sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Threads that live at the same time and count without sharing. Zeroed static memory, 8 KiB for each, of
/// which a thread touches three pages or so.
const SLOTS: usize = 2048;

static OWNED: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

static ROWS: [Row; SLOTS] = [const { Row::new() }; SLOTS];

/// What all threads beyond those have counted together.
static CROWDED: Slot = Slot::new();

static CROWDED_ROW: Row = Row::new();

/// How many slots at the front of the table were ever owned.
static USED: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    // Initialized by the compiler and without destructors: to use them never allocates, and they can
    // be used until the very end of the thread.

    /// Where this thread counts, from its first count on.
    static PLACE: Cell<Option<Place>> = const { Cell::new(None) };
    /// Whether it found none to own.
    static IS_CROWDED: Cell<bool> = const { Cell::new(false) };
    /// Where it counts for itself then, beside `CROWDED`.
    static APART: Slot = const { Slot::new() };
}

#[derive(Clone, Copy)]
struct Place {
    slot: &'static Slot,
    row: &'static Row,
}

/// Cache lines of its own, so that threads don't take them from each other.
#[repr(align(64))]
pub(super) struct Slot {
    owner: AtomicU64,
    /// Whose scope is open on this thread.
    tag: AtomicU32,
    allocated: AtomicU64,
    /// What was freed in the scope of its owner.
    freed: AtomicU64,
    /// What was freed in the scope of another, less what was added to others' blocks.
    freed_of_others: AtomicU64,
    allocations: AtomicU64,
    /// What `allocated` may become before `allocated - freed` is more than it ever was since the owner
    /// last said: the peak plus `freed`, so that it needs nothing else to be compared with.
    ceiling: AtomicU64,
    /// What scopes that have ended counted, so that those around them don't.
    ended: [AtomicU64; 3],
}

/// What a thread has counted. Only differences mean something, and they may wrap.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) allocated: u64,
    pub(super) freed: u64,
    pub(super) allocations: u64,
}

impl Counts {
    #[inline]
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            allocated: self.allocated.wrapping_sub(other.allocated),
            freed: self.freed.wrapping_sub(other.freed),
            allocations: self.allocations.wrapping_sub(other.allocations),
        }
    }

    #[inline]
    pub(super) fn net(self) -> i64 {
        self.allocated.wrapping_sub(self.freed) as i64
    }
}

/// Live bytes by route, as one thread counted them.
pub(super) struct Row([AtomicI64; ROUTES]);

/// Counts one allocation, and returns whose it is.
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

/// Counts the end of a block.
#[inline]
pub(super) fn freed(tag: Tag, bytes: usize) {
    let Some(place) = PLACE.get() else {
        return changed_slowly(tag, 0, bytes);
    };
    place.row.add(tag, -(bytes as i64));
    if tag == place.slot.tag() {
        place.slot.free(bytes as u64);
    } else {
        add(&place.slot.freed_of_others, bytes as u64, Ordering::Release);
        ring::add_from_outside(tag, -(bytes as i64));
    }
}

/// Counts a block that has another size from now on.
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
        add(&place.slot.freed_of_others, less, Ordering::Release);
        ring::add_from_outside(tag, more);
    }
}

/// The first count of a thread, and all of one that owns no slot.
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
    CROWDED.allocated.fetch_add(bytes as u64, Ordering::AcqRel);
    tag
}

/// The same where a block ends (`bytes` is 0) or changes its size.
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
    CROWDED
        .freed
        .fetch_add(more.wrapping_neg() as u64, Ordering::AcqRel);
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

/// This thread's place, which it takes now if need be.
fn own_place() -> Option<Place> {
    if PLACE.get().is_none() && !IS_CROWDED.get() {
        PLACE.set(Place::claim(owner::id()));
        IS_CROWDED.set(PLACE.get().is_none());
    }
    PLACE.get()
}

/// Whether an allocator has counted anything yet, which one that counts does before `main`.
#[inline]
pub(super) fn are_counting() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

/// Calls `f` with what this thread has counted, or returns `None` where no allocator counts.
#[inline]
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

fn used() -> usize {
    USED.load(Ordering::Acquire).min(SLOTS)
}

pub(super) fn live_bytes() -> Option<u64> {
    let slots = || OWNED[..used()].iter().chain([&CROWDED]);
    // What is freed first: read later, it could miss the allocation that it belongs to and live
    // bytes fall below zero.
    let freed = slots().fold(0, |freed: u64, slot| {
        let of_others = slot.freed_of_others.load(Ordering::Acquire);
        freed
            .wrapping_add(slot.freed.load(Ordering::Acquire))
            .wrapping_add(of_others)
    });
    let allocated = slots().fold(0, |allocated: u64, slot| {
        allocated.wrapping_add(slot.allocated.load(Ordering::Acquire))
    });
    let live = allocated.wrapping_sub(freed) as i64;
    (allocated > 0).then(|| live.max(0) as u64)
}

/// Adds live bytes of each route, by its number. Single ones may be off by what moves between threads
/// meanwhile, and then below zero.
pub(super) fn live_by_number(live: &mut [i64]) {
    let rows = ROWS[..used()].iter().chain([&CROWDED_ROW]);
    for row in rows {
        for (live, counted) in live.iter_mut().zip(&row.0) {
            *live += counted.load(Ordering::Relaxed);
        }
    }
}

/// Live bytes of one route.
pub(super) fn live_of(number: usize) -> i64 {
    let rows = ROWS[..used()].iter().chain([&CROWDED_ROW]);
    rows.map(|row| row.0[number % ROUTES].load(Ordering::Relaxed))
        .sum()
}

impl Row {
    const fn new() -> Self {
        Self([const { AtomicI64::new(0) }; ROUTES])
    }

    /// For the owner alone.
    #[inline]
    fn add(&self, tag: Tag, bytes: i64) {
        let live = &self.0[tag.route()];
        let sum = live.load(Ordering::Relaxed).wrapping_add(bytes);
        live.store(sum, Ordering::Relaxed);
    }

    fn share(&self, tag: Tag, bytes: i64) {
        self.0[tag.route()].fetch_add(bytes, Ordering::Relaxed);
    }
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
    fn free(&self, bytes: u64) {
        add(&self.freed, bytes, Ordering::Release);
        add(&self.ceiling, bytes, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn tag(&self) -> Tag {
        Tag::from_bits(self.tag.load(Ordering::Relaxed))
    }

    #[inline]
    pub(super) fn set_tag(&self, tag: Tag) {
        self.tag.store(tag.bits(), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn counts(&self) -> Counts {
        Counts {
            allocated: self.allocated(),
            freed: self.freed.load(Ordering::Relaxed),
            allocations: self.allocations.load(Ordering::Relaxed),
        }
    }

    #[inline]
    pub(super) fn ended(&self) -> Counts {
        let [allocated, freed, allocations] = &self.ended;
        Counts {
            allocated: allocated.load(Ordering::Relaxed),
            freed: freed.load(Ordering::Relaxed),
            allocations: allocations.load(Ordering::Relaxed),
        }
    }

    #[inline]
    pub(super) fn set_ended(&self, counts: Counts) {
        let [allocated, freed, allocations] = &self.ended;
        allocated.store(counts.allocated, Ordering::Relaxed);
        freed.store(counts.freed, Ordering::Relaxed);
        allocations.store(counts.allocations, Ordering::Relaxed);
    }

    #[inline]
    fn allocated(&self) -> u64 {
        self.allocated.load(Ordering::Relaxed)
    }

    /// How far what lives is below the most that it was since this was last set.
    #[inline]
    pub(super) fn above(&self) -> u64 {
        let ceiling = self.ceiling.load(Ordering::Relaxed);
        ceiling.wrapping_sub(self.allocated())
    }

    #[inline]
    pub(super) fn set_above(&self, above: u64) {
        let ceiling = self.allocated().wrapping_add(above);
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
            tag: AtomicU32::new(0),
            allocated: AtomicU64::new(0),
            freed: AtomicU64::new(0),
            freed_of_others: AtomicU64::new(0),
            allocations: AtomicU64::new(0),
            ceiling: AtomicU64::new(0),
            ended: [const { AtomicU64::new(0) }; 3],
        }
    }
}

/// How many slots a new thread looks at for one whose owner has ended, at a system call each. With
/// more it would find one more often, but pay for it beside a thousand threads that live.
const LOOKS: usize = 16;

impl Place {
    /// A slot whose owner is no more, or one that nobody owned yet; whichever, it takes the same time
    /// however many threads there are.
    fn claim(id: u64) -> Option<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let used = used();
        if used == 0 {
            map::want_small_root();
            map::want_small_pages(&OWNED);
            map::want_small_pages(&ROWS);
            ring::want_small_pages();
        }
        for _ in 0..LOOKS.min(used) {
            let index = NEXT.fetch_add(1, Ordering::Relaxed) % used;
            let owner = OWNED[index].owner.load(Ordering::Relaxed);
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
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        slot.owner
            .compare_exchange(owner, id, success, failure)
            .ok()?;
        // A thread that was cancelled within a scope left it set.
        slot.set_tag(Tag::NOBODY);
        Some(Self {
            slot,
            row: &ROWS[index],
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
        let half = |pid: Pid| u64::from(pid.as_raw_nonzero().get() as u32);
        half(getpid()) << 32 | half(gettid())
    }

    /// Whether the owner `other` may still count, as `this` thread sees it.
    ///
    /// After a fork the thread that forked goes on counting under its old name, which nobody can
    /// tell from those that the fork left behind: slots from before a fork are never given away.
    /// A thread with this thread's own number can only be one that ended before this one began.
    pub(super) fn is_alive(other: u64, this: u64) -> bool {
        // 0 is a slot that is just being taken for the first time.
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
