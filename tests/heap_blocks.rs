//! Blocks have the size and content that callers asked for, whatever the allocator puts behind them,
//! and each keeps its first owner.

#![allow(unsafe_code)] // To use allocators by hand.

#[path = "support/work.rs"]
mod work;

use std::{
    alloc::{GlobalAlloc, Layout, System, alloc, alloc_zeroed, dealloc, realloc},
    cell::Cell,
    hint::black_box,
    ptr,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tower_memory::heap::TrackingAllocator;
use work::{live_of, work_for};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Live bytes belong to the process, so tests run one at a time.
fn alone() -> MutexGuard<'static, ()> {
    static PROCESS: Mutex<()> = Mutex::new(());
    PROCESS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn layout(size: usize, align: usize) -> Layout {
    Layout::from_size_align(size, align).expect("a layout")
}

fn aligns() -> impl Iterator<Item = usize> {
    (0..=12).map(|power| 1 << power)
}

/// Sizes around those where the tag changes its place, and around pages.
const SIZES: [usize; 12] = [
    1,
    3,
    16,
    500,
    1_019,
    1_020,
    1_023,
    1_024,
    1_028,
    4_096,
    128 << 10,
    1 << 20,
];

/// Fills a block with a pattern from `seed`.
fn fill(block: *mut u8, size: usize, seed: u8) {
    for n in 0..size {
        // SAFETY: within the block.
        unsafe { block.add(n).write(seed.wrapping_add(n as u8)) };
    }
}

fn has(block: *mut u8, size: usize, seed: u8) -> bool {
    // SAFETY: filled by `fill`.
    (0..size).all(|n| unsafe { block.add(n).read() } == seed.wrapping_add(n as u8))
}

#[test]
fn zeroed_blocks_are_zero_at_any_size_and_alignment() {
    let _alone = alone();
    let zeroes = vec![0_u8; 1 << 20];
    for size in (1..=1_100).chain([4 << 10, 128 << 10, 1 << 20]) {
        for layout in aligns().map(|align| layout(size, align)) {
            // SAFETY: the layout has a size, and each block is used within it and freed once.
            unsafe {
                // The next block here starts with the contents that this one left.
                let dirty = alloc(layout);
                ptr::write_bytes(dirty, 0xff, size);
                dealloc(black_box(dirty), layout);
                let block = black_box(alloc_zeroed(layout));
                assert!(block.addr() % layout.align() == 0, "{layout:?}");
                let all = std::slice::from_raw_parts(block, size);
                assert!(all == &zeroes[..size], "{layout:?}");
                dealloc(block, layout);
            }
        }
    }
}

#[test]
fn a_block_that_grows_and_shrinks_keeps_what_is_in_it_and_its_owner() {
    let _alone = alone();
    let before = live_of("/realloc");
    for align in [1, 8, 64, 4_096] {
        for from in SIZES {
            for to in SIZES {
                let mut block = ptr::null_mut();
                // SAFETY: layouts have sizes, and the block is used within them and freed once.
                unsafe {
                    work_for("/realloc", || block = alloc(layout(from, align)));
                    fill(block, from, 7);
                    assert_eq!(live_of("/realloc") - before, from as u64);
                    // By nobody, and by another route.
                    block = black_box(realloc(block, layout(from, align), to));
                    assert!(block.addr() % align == 0);
                    assert!(has(block, from.min(to), 7), "{from} to {to}, at {align}");
                    assert_eq!(live_of("/realloc") - before, to as u64);
                    work_for("/other", || {
                        block = black_box(realloc(block, layout(to, align), from));
                    });
                    assert!(has(block, from.min(to), 7), "{to} to {from}, at {align}");
                    assert_eq!(live_of("/realloc") - before, from as u64);
                    dealloc(block, layout(from, align));
                }
                assert_eq!(live_of("/realloc"), before);
            }
        }
    }
    assert_eq!(live_of("/other"), 0);
}

/// Without `black_box`: the optimizer may leave out a whole block, but never half of one.
fn plain_work<const SIZE: usize>() {
    drop(vec![1_u8; SIZE]);
    drop(Box::new([SIZE as u64; 4]));
    let mut grown = vec![2_u8; SIZE];
    grown.extend([3; 100]);
    grown.shrink_to_fit();
    assert_eq!(grown.iter().filter(|byte| **byte == 3).count(), 100);
    assert_eq!(format!("{SIZE}").parse(), Ok(SIZE));
}

#[test]
fn what_the_optimizer_sees_through_is_counted_as_a_whole_or_not_at_all() {
    let _alone = alone();
    work_for("/plain", || {
        for _ in 0..100 {
            plain_work::<1>();
            plain_work::<24>();
            plain_work::<700>();
            plain_work::<1_000>();
            plain_work::<5_000>();
        }
    });
    assert_eq!(live_of("/plain"), 0);
}

/// An allocator that fails for threads that ask for it.
struct Exhausted;

thread_local! {
    static IS_EXHAUSTED: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call goes to `System` unchanged, or is refused, as an allocator may do.
unsafe impl GlobalAlloc for Exhausted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match IS_EXHAUSTED.get() {
            true => ptr::null_mut(),
            // SAFETY: as the caller promised.
            false => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match IS_EXHAUSTED.get() {
            true => ptr::null_mut(),
            // SAFETY: as the caller promised.
            false => unsafe { System.realloc(block, layout, new_size) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(block, layout) };
    }
}

#[test]
fn an_allocation_that_failed_is_not_counted_and_the_block_that_was_to_grow_stays_its_owners() {
    let _alone = alone();
    let allocator = TrackingAllocator::new(Exhausted);
    let before = live_of("/exhausted");
    for from in SIZES {
        let mut block = ptr::null_mut();
        // SAFETY: layouts have sizes, and the block is used within them and freed once.
        unsafe {
            work_for("/exhausted", || block = allocator.alloc(layout(from, 8)));
            fill(block, from, 3);
            IS_EXHAUSTED.set(true);
            for to in SIZES {
                assert!(allocator.alloc(layout(to, 8)).is_null());
                assert!(allocator.alloc_zeroed(layout(to, 8)).is_null());
                assert!(allocator.realloc(block, layout(from, 8), to).is_null());
            }
            IS_EXHAUSTED.set(false);
            assert!(has(block, from, 3));
            assert_eq!(live_of("/exhausted") - before, from as u64);
            allocator.dealloc(block, layout(from, 8));
        }
        assert_eq!(live_of("/exhausted"), before);
    }
}
