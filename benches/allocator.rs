//! What counting adds to an allocation, beside the allocator that it counts for.
//!
//! ```text
//! cargo bench --bench allocator
//! ```
//!
//! Cases take turns of a few milliseconds and a difference is the median of the differences within
//! a round, as in the bench `overhead`.

#![allow(unsafe_code)] // To call allocators one beside the other.

mod turns;

use self::turns::{median, turn};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    array, env,
    hint::black_box,
    panic,
    sync::Barrier,
    thread,
};
use tower_memory::heap::TrackingAllocator;

static TRACKING: TrackingAllocator = TrackingAllocator::system();

const ROUNDS: usize = 300;

fn main() {
    // `cargo test --benches` only sees that it runs.
    let measuring = env::args().any(|argument| argument == "--bench");
    let rounds = if measuring { ROUNDS } else { 1 };
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    let patterns: [(&str, Pattern); 3] = [
        ("64 bytes, allocated and freed", pair),
        ("a vector that grows to 64 KiB", growing),
        ("64 KiB of zeros, allocated and freed", zeroed),
    ];
    for threads in [1, cores] {
        println!(
            "\n| {threads} thread(s){:<26} |    bare | counted |    more |",
            ""
        );
        println!("|{:-<39}|--------:|--------:|--------:|", "");
        for (name, pattern) in patterns {
            let rounds = measure(threads, rounds, pattern);
            println!(
                "| {name:<37} | {:>4.1} ns | {:>4.1} ns | {:>4.1} ns |",
                median(rounds.iter().map(|[bare, _]| *bare)),
                median(rounds.iter().map(|[_, counted]| *counted)),
                median(rounds.iter().map(|[bare, counted]| counted - bare)),
            );
        }
    }
}

type Pattern = fn(&dyn GlobalAlloc);

/// One allocation and its end.
fn pair(allocator: &dyn GlobalAlloc) {
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout isn't empty, and what is freed was allocated with it.
    unsafe { allocator.dealloc(black_box(allocator.alloc(layout)), layout) };
}

fn zeroed(allocator: &dyn GlobalAlloc) {
    let layout = Layout::new::<[u64; 8 << 10]>();
    // SAFETY: the layout isn't empty, and what is freed was allocated with it.
    unsafe { allocator.dealloc(black_box(allocator.alloc_zeroed(layout)), layout) };
}

fn growing(allocator: &dyn GlobalAlloc) {
    let mut layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout isn't empty.
    let mut vector = unsafe { allocator.alloc(layout) };
    for size in (7..=16).map(|power| 1_usize << power) {
        // SAFETY: the vector has that layout, and ten doublings of 64 bytes overflow nothing.
        unsafe {
            vector = black_box(allocator.realloc(vector, layout, size));
            layout = Layout::from_size_align_unchecked(size, layout.align());
        }
    }
    // SAFETY: the vector has that layout.
    unsafe { allocator.dealloc(vector, layout) };
}

/// The rounds of all threads; in each, what the pattern took bare and counted.
fn measure(threads: usize, rounds: usize, pattern: Pattern) -> Vec<[f64; 2]> {
    let start = &Barrier::new(threads);
    let allocators: [&(dyn GlobalAlloc + Sync); 2] = [&System, &TRACKING];
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || -> Vec<_> {
                    let round = |_| array::from_fn(|i| turn(start, || pattern(allocators[i])));
                    (0..rounds).map(round).collect()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|p| panic::resume_unwind(p)))
            .collect()
    })
}
