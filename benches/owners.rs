//! The cost of owners for each block, over counting alone, in the same run.
//!
//! ```text
//! cargo bench --bench owners
//! ```
//!
//! Warm blocks of one size, allocated and freed in batches; and blocks of many sizes replaced at random, so
//! the ends of most are in no cache when they are freed. Cases take turns of a few milliseconds, and a
//! difference is the median of the differences within a round.

#![allow(unsafe_code)] // To call allocators one beside the other.

mod counting;
#[allow(dead_code)] // The other benches use more of it.
mod turns;

use self::{
    counting::Counting,
    turns::{median, turn},
};
use mimalloc::MiMalloc;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::RefCell,
    env,
    hint::black_box,
    sync::Barrier,
};
use tikv_jemallocator::Jemalloc;
use tower_memory::heap::TrackingAllocator;

const ROUNDS: usize = 60;

type Shared = &'static (dyn GlobalAlloc + Sync);

/// An allocator bare, counted, and with owners.
struct Case {
    name: &'static str,
    allocators: [Shared; 3],
}

static COUNTING_SYSTEM: Counting<System> = Counting(System);
static COUNTING_JEMALLOC: Counting<Jemalloc> = Counting(Jemalloc);
static COUNTING_MIMALLOC: Counting<MiMalloc> = Counting(MiMalloc);
static SYSTEM: TrackingAllocator = TrackingAllocator::system();
static JEMALLOC: TrackingAllocator<Jemalloc> = TrackingAllocator::new(Jemalloc);
static MIMALLOC: TrackingAllocator<MiMalloc> = TrackingAllocator::new(MiMalloc);

static CASES: [Case; 3] = [
    Case {
        name: "glibc",
        allocators: [&System, &COUNTING_SYSTEM, &SYSTEM],
    },
    Case {
        name: "jemalloc",
        allocators: [&Jemalloc, &COUNTING_JEMALLOC, &JEMALLOC],
    },
    Case {
        name: "mimalloc",
        allocators: [&MiMalloc, &COUNTING_MIMALLOC, &MIMALLOC],
    },
];

fn main() {
    // `cargo test --benches` only checks that it runs.
    let measuring = env::args().any(|argument| argument == "--bench");
    let rounds = if measuring { ROUNDS } else { 1 };
    println!(
        "| an allocation and its free       |     bare | counting |   owners | over counting |"
    );
    println!(
        "|----------------------------------|---------:|---------:|---------:|--------------:|"
    );
    for case in &CASES {
        for size in [24, 64, 1000, 4096, 65536] {
            let layout = Layout::from_size_align(size, 8).expect("a layout");
            print(
                &format!("{}, {size} B, warm", case.name),
                case,
                rounds,
                |allocator| {
                    pair(allocator, layout);
                },
            );
        }
        for (blocks, size) in [(2_000, "0.5 MB"), (20_000, "5 MB")] {
            // Each allocator has blocks of its own.
            let kept = case
                .allocators
                .map(|allocator| RefCell::new(keep(allocator, blocks)));
            let churn = |allocator: Shared| {
                let at = case.allocators.iter().position(|one| same(*one, allocator));
                replace(allocator, &mut kept[at.expect("one of them")].borrow_mut());
            };
            let name = format!("{}, 8 to 508 B, {size}", case.name);
            print(&name, case, rounds, churn);
            for (allocator, blocks) in case.allocators.iter().zip(kept) {
                for (block, layout) in blocks.into_inner() {
                    // SAFETY: it was allocated by this allocator with that layout.
                    unsafe { allocator.dealloc(block, layout) };
                }
            }
        }
    }
}

fn same(a: Shared, b: Shared) -> bool {
    std::ptr::eq(
        std::ptr::from_ref(a).cast::<()>(),
        std::ptr::from_ref(b).cast::<()>(),
    )
}

fn print(name: &str, case: &Case, rounds: usize, work: impl Fn(Shared)) {
    let start = Barrier::new(1);
    let mut times = Vec::new();
    for round in 0..rounds {
        // The order changes, so none always follows the same one.
        let mut took = [0.0; 3];
        for step in 0..3 {
            let at = (step + round) % 3;
            took[at] = turn(&start, || work(case.allocators[at]));
        }
        times.push(took);
    }
    let [bare, counting, owners] = [0, 1, 2].map(|at| median(times.iter().map(|took| took[at])));
    let more = median(times.iter().map(|took| took[2] - took[1]));
    println!(
        "| {name:<32} | {bare:>5.1} ns | {counting:>5.1} ns | {owners:>5.1} ns | {more:>10.1} ns |"
    );
}

fn pair(allocator: Shared, layout: Layout) {
    // SAFETY: the layout isn't empty, and the block is freed with the layout it was allocated with.
    unsafe { allocator.dealloc(black_box(allocator.alloc(layout)), layout) };
}

type Block = (*mut u8, Layout);

fn block(allocator: Shared) -> Block {
    let layout = Layout::from_size_align(fastrand::usize(8..=508), 8).expect("a layout");
    // SAFETY: the layout isn't empty.
    (black_box(unsafe { allocator.alloc(layout) }), layout)
}

fn keep(allocator: Shared, blocks: usize) -> Vec<Block> {
    (0..blocks).map(|_| block(allocator)).collect()
}

/// Replaces one of the blocks at random.
fn replace(allocator: Shared, blocks: &mut [Block]) {
    let at = fastrand::usize(..blocks.len());
    let (block, layout) = std::mem::replace(&mut blocks[at], block(allocator));
    // SAFETY: it was allocated here, by this allocator, with that layout.
    unsafe { allocator.dealloc(block, layout) };
}
