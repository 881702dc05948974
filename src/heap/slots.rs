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
    map, ring,
    tag::{ROUTES, Tag},
};
use std::{
    cell::Cell,
    sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// How many threads at a time count without sharing. Zeroed static memory, 8 KiB each, of which a thread
/// touches about three pages.
const SLOTS: usize = 2048;

static OWNED: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];

static ROWS: [Row; SLOTS] = [const { Row::new() }; SLOTS];

/// The shared counts of all threads beyond those.
static CROWDED: Slot = Slot::new();

static CROWDED_ROW: Row = Row::new();

/// How many slots at the front of the table have ever been owned.
static USED: AtomicUsize = AtomicUsize::new(0);

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

#[derive(Clone, Copy)]
struct Place {
    slot: &'static Slot,
    row: &'static Row,
}

/// On cache lines of its own, so threads don't take them from each other.
#[repr(align(64))]
pub(super) struct Slot {
    owner: AtomicU64,
    /// The owner of the scope open on this thread.
    tag: AtomicU32,
    allocated: AtomicU64,
    /// Bytes freed in the scope of their owner.
    freed: AtomicU64,
    /// Bytes freed in the scope of another, minus bytes added to others' blocks.
    freed_of_others: AtomicU64,
    allocations: AtomicU64,
    /// The value of `allocated` beyond which `allocated - freed` is higher than at any time since the
    /// last reset: the peak plus `freed`. Comparing against it needs nothing else.
    ceiling: AtomicU64,
    /// Counts of ended scopes, which the enclosing ones leave out.
    ended: [AtomicU64; 3],
}

/// A thread's counts. Only differences mean something, and they may wrap.
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
        self.allocated.wrapping_sub(self.freed).cast_signed()
    }
}

/// Live bytes by route, as counted by one thread.
pub(super) struct Row([AtomicI64; ROUTES]);

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
        add(&place.slot.freed_of_others, bytes as u64, Ordering::Release);
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
        let less = more.wrapping_neg().cast_unsigned();
        add(&place.slot.freed_of_others, less, Ordering::Release);
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
    CROWDED.allocated.fetch_add(bytes as u64, Ordering::AcqRel);
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
    CROWDED
        .freed
        .fetch_add(more.wrapping_neg().cast_unsigned(), Ordering::AcqRel);
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
        PLACE.set(Place::claim(owner::id()));
        IS_CROWDED.set(PLACE.get().is_none());
    }
    PLACE.get()
}

/// Whether a [`TrackingAllocator`](super::TrackingAllocator) has counted anything yet. An installed one
/// does so before `main`.
#[inline]
pub(super) fn are_counting() -> bool {
    USED.load(Ordering::Relaxed) > 0
}

/// Calls `f` with this thread's counts, or returns `None` without a
/// [`TrackingAllocator`](super::TrackingAllocator).
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
    // Read the freed bytes first: read later, they could include a block whose allocation was missed, and
    // live bytes would fall below zero.
    let freed = slots().fold(0, |freed: u64, slot| {
        let of_others = slot.freed_of_others.load(Ordering::Acquire);
        freed
            .wrapping_add(slot.freed.load(Ordering::Acquire))
            .wrapping_add(of_others)
    });
    let allocated = slots().fold(0, |allocated: u64, slot| {
        allocated.wrapping_add(slot.allocated.load(Ordering::Acquire))
    });
    let live = allocated.wrapping_sub(freed).cast_signed();
    (allocated > 0).then(|| live.max(0).cast_unsigned())
}

/// Adds each route's live bytes, by its number. Single figures may be off by memory that is changing
/// hands between threads, and may then be below zero.
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

/// The methods below are for the owner alone. They use loads and stores instead of atomic additions,
/// which cost ten times as much.
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

    /// How far live bytes are below their highest value since this was last set.
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

/// For the only thread that writes there.
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

/// How many slots a new thread tries to find one whose owner has ended, at a system call each. More would
/// find one more often, but cost more when a thousand threads are alive.
const LOOKS: usize = 16;

impl Place {
    /// A slot whose owner has ended, or one that was never owned. Takes the same time whatever the number
    /// of threads.
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
            if !owner::is_alive(owner, id)
                && let Some(place) = Self::take(index, owner, id)
            {
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
        let half = |pid: Pid| u64::from(pid.as_raw_nonzero().get().cast_unsigned());
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
