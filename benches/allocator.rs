//! What counting adds to an allocation, compared with the bare allocator and with other crates that
//! count.
//!
//! ```text
//! cargo bench --bench allocator
//! ```
//!
//! Cases take turns of a few milliseconds, and a difference is the median of the differences within
//! a round, as in the bench `overhead`.

#![allow(unsafe_code)] // To call allocators one beside the other.

mod turns;

use self::turns::{median, turn};
use cap::Cap;
use mimalloc::MiMalloc;
use stats_alloc::StatsAlloc;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    env,
    hint::black_box,
    panic,
    sync::Barrier,
    thread,
};
use tikv_jemallocator::Jemalloc;
use tower_memory::heap::TrackingAllocator;
use tracking_allocator::{
    AllocationGroupId, AllocationGroupToken, AllocationRegistry, AllocationTracker, Allocator,
};

const ROUNDS: usize = 100;

type Shared = &'static (dyn GlobalAlloc + Sync);

/// An allocator, and the bare one within it.
struct Case {
    name: &'static str,
    allocator: Shared,
    inner: usize,
}

/// The bare ones first; wrappers refer to one of them by its place.
static CASES: [Case; 9] = [
    Case::new("system", &System, 0),
    Case::new("jemalloc, with its own counters", &Jemalloc, 1),
    Case::new("mimalloc", &MiMalloc, 2),
    Case::new("TrackingAllocator, system", &SYSTEM, 0),
    Case::new("TrackingAllocator, jemalloc", &JEMALLOC, 1),
    Case::new("TrackingAllocator, mimalloc", &MIMALLOC, 2),
    Case::new("tracking-allocator, in a group", &PER_GROUP, 0),
    Case::new("stats_alloc", &STATS, 0),
    Case::new("cap", &CAP, 0),
];

static SYSTEM: TrackingAllocator = TrackingAllocator::system();
static JEMALLOC: TrackingAllocator<Jemalloc> = TrackingAllocator::new(Jemalloc);
static MIMALLOC: TrackingAllocator<MiMalloc> = TrackingAllocator::new(MiMalloc);
static PER_GROUP: Allocator<System> = Allocator::system();
static STATS: StatsAlloc<System> = StatsAlloc::system();
static CAP: Cap<System> = Cap::new(System, usize::MAX);

/// In a table of its own: it takes a lock and a backtrace.
static DHAT: dhat::Alloc = dhat::Alloc;

impl Case {
    const fn new(name: &'static str, allocator: Shared, inner: usize) -> Self {
        Self {
            name,
            allocator,
            inner,
        }
    }
}

fn main() {
    // `cargo test --benches` only checks that it runs.
    let measuring = env::args().any(|argument| argument == "--bench");
    let rounds = if measuring { ROUNDS } else { 1 };
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    AllocationRegistry::set_global_tracker(Nothing).expect("the only tracker");
    AllocationRegistry::enable_tracking();
    let patterns: [(&str, Pattern); 3] = [
        ("64 bytes, allocated and freed", pair),
        ("a vector that grows to 64 KiB", growing),
        ("64 KiB of zeros, allocated and freed", zeroed),
    ];
    for (name, pattern) in patterns {
        for threads in [1, cores] {
            println!("\n{name}, {threads} thread(s)\n");
            print(&measure(threads, rounds, pattern));
        }
    }
    println!("\n64 bytes, allocated and freed, dhat: {:.0} ns", dhat());
}

/// Ignores everything tracking-allocator reports, which is the least it can cost.
struct Nothing;

impl AllocationTracker for Nothing {
    fn allocated(&self, _: usize, _: usize, _: usize, _: AllocationGroupId) {}

    fn deallocated(
        &self,
        _: usize,
        _: usize,
        _: usize,
        _: AllocationGroupId,
        _: AllocationGroupId,
    ) {
    }
}

fn dhat() -> f64 {
    let _profiler = dhat::Profiler::builder().testing().build();
    turn(&Barrier::new(1), || pair(&DHAT))
}

fn print(rounds: &[Vec<f64>]) {
    println!("| {:<36} |      time |      more |", "allocator");
    println!("|{:-<38}|----------:|----------:|", "");
    for (place, case) in CASES.iter().enumerate() {
        let time = median(rounds.iter().map(|round| round[place]));
        let more = median(rounds.iter().map(|round| round[place] - round[case.inner]));
        println!("| {:<36} | {time:>6.1} ns | {more:>6.1} ns |", case.name);
    }
}

type Pattern = fn(&dyn GlobalAlloc);

/// One allocation and its free.
fn pair(allocator: &dyn GlobalAlloc) {
    let layout = Layout::new::<[u64; 8]>();
    // SAFETY: the layout isn't empty, and the block is freed with the layout it was allocated with.
    unsafe { allocator.dealloc(black_box(allocator.alloc(layout)), layout) };
}

fn zeroed(allocator: &dyn GlobalAlloc) {
    let layout = Layout::new::<[u64; 8 << 10]>();
    // SAFETY: the layout isn't empty, and the block is freed with the layout it was allocated with.
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

/// The rounds of all threads, each with the pattern's time for each allocator.
fn measure(threads: usize, rounds: usize, pattern: Pattern) -> Vec<Vec<f64>> {
    let start = &Barrier::new(threads);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(move || -> Vec<_> {
                    let mut group = AllocationGroupToken::register().expect("a group more");
                    let _counted = group.enter();
                    let time = |case: &Case| turn(start, || pattern(case.allocator));
                    let round = |_| CASES.iter().map(time).collect();
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
