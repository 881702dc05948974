//! One thread's counts. Only the thread writes them, so counting is loads and stores instead of atomic
//! additions, which cost ten times as much. Others only read.

use super::tag::{ROUTES, Tag};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

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
    /// The value of `allocated` beyond which `allocated - freed` is higher than at any time since the last
    /// reset: the peak plus `freed`. Comparing against it needs nothing else.
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
        self.allocated.wrapping_sub(self.freed) as i64
    }
}

/// Live bytes by route, as counted by one thread.
pub(super) struct Row([AtomicI64; ROUTES]);

impl Row {
    pub(super) const fn new() -> Self {
        Self([const { AtomicI64::new(0) }; ROUTES])
    }

    /// For the owner alone.
    #[inline]
    pub(super) fn add(&self, tag: Tag, bytes: i64) {
        let live = &self.0[tag.route()];
        let sum = live.load(Ordering::Relaxed).wrapping_add(bytes);
        live.store(sum, Ordering::Relaxed);
    }

    /// For any thread.
    pub(super) fn share(&self, tag: Tag, bytes: i64) {
        self.0[tag.route()].fetch_add(bytes, Ordering::Relaxed);
    }

    /// By route number.
    pub(super) fn all(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|live| live.load(Ordering::Relaxed))
    }

    pub(super) fn of(&self, number: usize) -> i64 {
        self.0[number % ROUTES].load(Ordering::Relaxed)
    }
}

/// For any thread.
impl Slot {
    pub(super) fn owner(&self) -> u64 {
        self.owner.load(Ordering::Relaxed)
    }

    /// Passes it from `owner` to `other`. Returns whether it was still `owner`'s.
    pub(super) fn change_owner(&self, owner: u64, other: u64) -> bool {
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        self.owner
            .compare_exchange(owner, other, success, failure)
            .is_ok()
    }

    pub(super) fn all_allocated(&self) -> u64 {
        self.allocated.load(Ordering::Acquire)
    }

    pub(super) fn all_freed(&self) -> u64 {
        let of_others = self.freed_of_others.load(Ordering::Acquire);
        self.freed.load(Ordering::Acquire).wrapping_add(of_others)
    }

    /// For a slot that many threads share.
    pub(super) fn share_allocated(&self, bytes: u64) {
        self.allocated.fetch_add(bytes, Ordering::AcqRel);
    }

    pub(super) fn share_freed(&self, bytes: u64) {
        self.freed.fetch_add(bytes, Ordering::AcqRel);
    }
}

/// For the owner alone.
impl Slot {
    #[inline]
    pub(super) fn allocate(&self, bytes: u64) {
        let allocated = self.allocated().wrapping_add(bytes);
        self.allocated.store(allocated, Ordering::Release);
        if allocated > self.ceiling.load(Ordering::Relaxed) {
            self.ceiling.store(allocated, Ordering::Relaxed);
        }
        add(&self.allocations, 1, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn free(&self, bytes: u64) {
        add(&self.freed, bytes, Ordering::Release);
        add(&self.ceiling, bytes, Ordering::Relaxed);
    }

    /// Counts bytes freed from others' blocks, or, negated, bytes added to them.
    #[inline]
    pub(super) fn free_of_others(&self, bytes: u64) {
        add(&self.freed_of_others, bytes, Ordering::Release);
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
    pub(super) fn above(&self, now: Counts) -> u64 {
        let ceiling = self.ceiling.load(Ordering::Relaxed);
        ceiling.wrapping_sub(now.allocated)
    }

    #[inline]
    pub(super) fn set_above(&self, now: Counts, above: u64) {
        let ceiling = now.allocated.wrapping_add(above);
        self.ceiling.store(ceiling, Ordering::Relaxed);
    }
}

/// For the only thread that writes there.
#[inline]
fn add(count: &AtomicU64, bytes: u64, order: Ordering) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(bytes), order);
}

impl Slot {
    pub(super) const fn new() -> Self {
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
