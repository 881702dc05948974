//! What the layer costs a request, compared with its parts and with what it replaces.
//!
//! ```text
//! cargo bench --bench overhead
//! ```
//!
//! The cases take turns of a few milliseconds, for many rounds, and a difference is the median of
//! the differences within a round: anything else the machine does slows all cases of a round alike.

mod naive;
mod request;
mod turns;

use self::{
    naive::NaiveLayer,
    request::{no_op, serve},
    turns::{median, turn},
};
use std::{
    env, fs::File, hint::black_box, os::unix::fs::FileExt, panic, sync::Barrier, thread,
    time::Duration,
};
use tower::{BoxError, Layer};
use tower_memory::MemoryLayer;

const ROUNDS: usize = 500;

fn main() -> Result<(), BoxError> {
    // `cargo test --benches` only checks that it runs.
    let measuring = env::args().any(|argument| argument == "--bench");
    let rounds = if measuring { ROUNDS } else { 1 };
    let cores = thread::available_parallelism()?.get();
    let cases = Cases::new()?;
    let (alone, crowded) = (cases.measure(1, rounds), cases.measure(cores, rounds));
    print_costs(&alone, &crowded, cores);
    print_targets(&alone, &crowded, cores);
    Ok(())
}

/// Shared by the measuring threads, as by those of a server.
struct Cases {
    statm: File,
    every_time: MemoryLayer,
    shared: MemoryLayer,
    naive: NaiveLayer,
}

/// Nanoseconds per request of each case in one round.
struct Round {
    bare: f64,
    preads: f64,
    every_time: f64,
    shared: f64,
    naive: f64,
}

impl Cases {
    fn new() -> Result<Self, BoxError> {
        Ok(Self {
            statm: File::open("/proc/self/statm")?,
            every_time: MemoryLayer::new().resolution(Duration::ZERO),
            shared: MemoryLayer::new(),
            naive: NaiveLayer::new()?,
        })
    }

    /// The rounds of all threads, which serve the same case at the same time.
    fn measure(&self, threads: usize, rounds: usize) -> Vec<Round> {
        let start = &Barrier::new(threads);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.rounds(rounds, start)))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|p| panic::resume_unwind(p)))
                .collect()
        })
    }

    fn rounds(&self, rounds: usize, start: &Barrier) -> Vec<Round> {
        let mut bare = no_op();
        let mut every_time = self.every_time.layer(no_op());
        let mut shared = self.shared.layer(no_op());
        let mut naive = self.naive.layer(no_op());
        (0..rounds)
            .map(|_| Round {
                bare: turn(start, || serve(&mut bare)),
                preads: turn(start, || {
                    pread(&self.statm);
                    serve(&mut bare);
                    pread(&self.statm);
                }),
                every_time: turn(start, || serve(&mut every_time)),
                shared: turn(start, || serve(&mut shared)),
                naive: turn(start, || serve(&mut naive)),
            })
            .collect()
    }
}

fn pread(statm: &File) {
    let mut buffer = [0; 160];
    let _ = black_box(statm.read_at(&mut buffer, 0));
    black_box(&buffer);
}

type Cost = fn(&Round) -> f64;

fn print_costs(alone: &[Round], crowded: &[Round], cores: usize) {
    let cases: [(&str, Cost); 5] = [
        ("bare service", |round| round.bare),
        ("two `pread`s of statm, no layer", |round| round.preads),
        ("layer, reading every time", |round| round.every_time),
        ("layer, readings shared (default)", |round| round.shared),
        ("naive layer with sysinfo", |round| round.naive),
    ];
    let crowd = format!("{cores} threads");
    println!(
        "| {:<32} | {:>9} | {:>9} | {:>9} | {:>9} |",
        "one request", "1 thread", "over bare", crowd, "over bare"
    );
    println!(
        "|{:-<34}|{:->10}:|{:->10}:|{:->10}:|{:->10}:|",
        "", "", "", "", ""
    );
    for (name, cost) in cases {
        let over_bare = |round: &Round| cost(round) - round.bare;
        println!(
            "| {name:<32} | {:>9} | {:>9} | {:>9} | {:>9} |",
            nanos(median(alone.iter().map(cost))),
            nanos(median(alone.iter().map(over_bare))),
            nanos(median(crowded.iter().map(cost))),
            nanos(median(crowded.iter().map(over_bare))),
        );
    }
}

fn print_targets(alone: &[Round], crowded: &[Round], cores: usize) {
    let over_preads = |round: &Round| round.every_time - round.preads;
    let shared = |round: &Round| round.shared - round.bare;
    let times_every_time =
        |round: &Round| (round.naive - round.bare) / (round.every_time - round.bare);
    let times_shared = |round: &Round| (round.naive - round.bare) / (round.shared - round.bare);
    println!();
    for (threads, rounds) in [(1, alone), (cores, crowded)] {
        println!("threads: {threads}");
        println!(
            "  reading every time, over its two preads: {} (target: 300 ns)",
            nanos(median(rounds.iter().map(over_preads)))
        );
        println!(
            "  readings shared, over the bare service:  {} (target: 250 ns)",
            nanos(median(rounds.iter().map(shared)))
        );
        println!(
            "  sysinfo costs {:.0} times what reading every time costs,",
            median(rounds.iter().map(times_every_time))
        );
        println!(
            "  and {:.0} times what shared readings cost (target: 15 times)",
            median(rounds.iter().map(times_shared))
        );
    }
}

fn nanos(nanos: f64) -> String {
    format!("{nanos:.0} ns")
}
