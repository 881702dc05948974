//! The cost of owners in resident memory: 200,000 JSON objects, held, in a process of its own for each
//! allocator.
//!
//! ```text
//! cargo bench --bench resident
//! ```

#![allow(unsafe_code)] // To be an allocator that is chosen when the process starts.

use mimalloc::MiMalloc;
use serde_json::Value;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    env, fs,
    process::Command,
    sync::atomic::{AtomicU8, Ordering},
};
use tikv_jemallocator::Jemalloc;
use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static CHOSEN: Chosen = Chosen;

/// One of [`NAMES`], bare or with owners, as chosen by the variable `ALLOCATOR`.
struct Chosen;

const NAMES: [&str; 3] = ["glibc", "jemalloc", "mimalloc"];

static SYSTEM: TrackingAllocator = TrackingAllocator::system();
static JEMALLOC: TrackingAllocator<Jemalloc> = TrackingAllocator::new(Jemalloc);
static MIMALLOC: TrackingAllocator<MiMalloc> = TrackingAllocator::new(MiMalloc);

fn chosen() -> &'static dyn GlobalAlloc {
    static CHOICE: AtomicU8 = AtomicU8::new(0);
    let mut choice = CHOICE.load(Ordering::Relaxed);
    if choice == 0 {
        // SAFETY: a name that ends with a null byte; `std::env` would allocate.
        let value = unsafe { libc::getenv(c"ALLOCATOR".as_ptr()) };
        choice = match value.is_null() {
            true => 1,
            // SAFETY: the result of `getenv` is a string.
            false => unsafe { *value.cast::<u8>() - b'0' + 1 },
        };
        CHOICE.store(choice, Ordering::Relaxed);
    }
    match choice {
        2 => &Jemalloc,
        3 => &MiMalloc,
        4 => &SYSTEM,
        5 => &JEMALLOC,
        6 => &MIMALLOC,
        _ => &System,
    }
}

// SAFETY: every call goes to the one allocator that was chosen before the first.
unsafe impl GlobalAlloc for Chosen {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe { chosen().alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { chosen().dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe { chosen().alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promised.
        unsafe { chosen().realloc(block, layout, size) }
    }
}

fn main() {
    if env::var_os("ALLOCATOR").is_some() {
        return println!("{}", hold_json());
    }
    println!("| 200,000 JSON objects |      bare | with owners |   more |");
    println!("|----------------------|----------:|------------:|-------:|");
    let resident = |choice: usize| {
        let itself = env::current_exe().expect("a path");
        let output = Command::new(itself)
            .env("ALLOCATOR", choice.to_string())
            .output();
        let text = String::from_utf8(output.expect("it runs").stdout).expect("text");
        text.trim().parse::<f64>().expect("a number") / f64::from(1 << 20)
    };
    for (choice, name) in NAMES.iter().enumerate() {
        let (bare, owners) = (resident(choice), resident(choice + 3));
        let more = (owners / bare - 1.0) * 100.0;
        println!("| {name:<20} | {bare:>5.1} MiB | {owners:>7.1} MiB | {more:>4.1} % |");
    }
}

/// Returns what they add to the resident set, in bytes.
fn hold_json() -> u64 {
    let before = resident();
    let object = |id: usize| {
        let text = format!(
            r#"{{"id":"{id}","name":"item {id}","tags":["a","b","c"],"size":{{"w":{id},"h":2.5}}}}"#
        );
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let objects: Vec<_> = (0..200_000).map(object).collect();
    let held = resident() - before;
    drop(std::hint::black_box(objects));
    held
}

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.expect("a number") * 4096
}
