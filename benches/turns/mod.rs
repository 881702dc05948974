//! Cases that take turns of a few milliseconds, on any number of threads: anything else the machine
//! does then slows all cases of a round alike.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

/// How long a case runs before the next one's turn.
const TURN: Duration = Duration::from_millis(2);

/// Repetitions between two looks at the clock.
const BATCH: u32 = 16;

/// Nanoseconds per repetition in one turn, which begins for all threads at once.
pub(super) fn turn(start: &Barrier, mut once: impl FnMut()) -> f64 {
    start.wait();
    let started = Instant::now();
    let mut times = 0;
    loop {
        for _ in 0..BATCH {
            once();
        }
        times += BATCH;
        let elapsed = started.elapsed();
        if elapsed >= TURN {
            return elapsed.as_nanos() as f64 / f64::from(times);
        }
    }
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
