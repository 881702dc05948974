//! A second account of the heap, independent of the crate's: around its allocator, it counts bytes
//! requested by callers, by the owner that the test names.
#![allow(unsafe_code)] // To be an allocator.
#![allow(dead_code)] // Each file is a crate of its own and uses its part.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    ptr,
    sync::atomic::{AtomicI64, AtomicPtr, AtomicU8, AtomicU64, Ordering},
};

/// Around the allocator under test.
pub(crate) struct Oracle<A>(pub(crate) A);

/// The owner of a thread's work, as set by the test. 0 is nobody's.
pub(crate) type Owner = u8;

/// On a cache line of its own.
#[repr(align(64))]
struct Live(AtomicI64);

static LIVE: [Live; 256] = [const { Live(AtomicI64::new(0)) }; 256];

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static OWNER: Cell<Owner> = const { Cell::new(0) };
    static ALLOCATIONS_HERE: Cell<u64> = const { Cell::new(0) };
}

/// Calls `f`, which works for `owner`.
pub(crate) fn owned_by<R>(owner: Owner, f: impl FnOnce() -> R) -> R {
    struct Restore(Owner);
    impl Drop for Restore {
        fn drop(&mut self) {
            OWNER.set(self.0);
        }
    }
    let _restore = Restore(OWNER.replace(owner));
    f()
}

/// Calls `f`, which works for nobody; usually the crate's own code.
pub(crate) fn for_nobody<R>(f: impl FnOnce() -> R) -> R {
    owned_by(0, f)
}

/// Live bytes of `owner`.
pub(crate) fn live_of(owner: Owner) -> i64 {
    LIVE[usize::from(owner)].0.load(Ordering::SeqCst)
}

/// All live bytes.
pub(crate) fn live() -> i64 {
    LIVE.iter().map(|live| live.0.load(Ordering::SeqCst)).sum()
}

pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// Those of this thread.
pub(crate) fn allocations_here() -> u64 {
    ALLOCATIONS_HERE.get()
}

fn allocated() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    ALLOCATIONS_HERE.set(ALLOCATIONS_HERE.get() + 1);
}

fn count(owner: Owner, bytes: i64) {
    LIVE[usize::from(owner)]
        .0
        .fetch_add(bytes, Ordering::SeqCst);
}

// SAFETY: every call goes to the inner allocator unchanged.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Oracle<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        began(unsafe { self.0.alloc(layout) }, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        began(unsafe { self.0.alloc_zeroed(layout) }, layout)
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let owner = owner_at(block).load(Ordering::Relaxed);
        // SAFETY: as the caller promised.
        let moved = unsafe { self.0.realloc(block, layout, new_size) };
        if !moved.is_null() {
            allocated();
            count(owner, new_size as i64 - layout.size() as i64);
            owner_at(moved).store(owner, Ordering::Relaxed);
        }
        moved
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let owner = owner_at(block).load(Ordering::Relaxed);
        count(owner, -(layout.size() as i64));
        // SAFETY: as the caller promised.
        unsafe { self.0.dealloc(block, layout) };
    }
}

fn began(block: *mut u8, layout: Layout) -> *mut u8 {
    if !block.is_null() {
        allocated();
        count(OWNER.get(), layout.size() as i64);
        owner_at(block).store(OWNER.get(), Ordering::Relaxed);
    }
    block
}

// The owner of each block, by its address: the blocks themselves stay unchanged.

/// Eight bytes of addresses: no two blocks start in the same ones.
const GRANULE: u32 = 3;

/// Addresses of one leaf, 64 MiB.
const LEAF: u32 = 26;

const IN_LEAF: usize = 1 << (LEAF - GRANULE);

static LEAVES: [AtomicPtr<AtomicU8>; 1 << (47 - LEAF)] =
    [const { AtomicPtr::new(ptr::null_mut()) }; 1 << (47 - LEAF)];

fn owner_at(block: *mut u8) -> &'static AtomicU8 {
    let address = block.addr();
    let root = &LEAVES[address >> LEAF];
    let mut leaf = root.load(Ordering::Acquire);
    if leaf.is_null() {
        let layout = Layout::new::<[AtomicU8; IN_LEAF]>();
        // SAFETY: it has a size.
        let new: *mut AtomicU8 = unsafe { System.alloc_zeroed(layout) }.cast();
        assert!(!new.is_null(), "the oracle has no memory");
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        leaf = match root.compare_exchange(ptr::null_mut(), new, success, failure) {
            Ok(_) => new,
            // Another thread was first; ours stays unused.
            Err(other) => other,
        };
    }
    // SAFETY: a leaf has that many entries and is never freed.
    unsafe { &*leaf.add((address >> GRANULE) % IN_LEAF) }
}
