//! The parts of the crate that share memory without locks, with [loom](https://docs.rs/loom)'s atomics instead of
//! std's: their tests try every order in which threads can meet, and every value that a load may see.
//!
//! ```sh
//! RUSTFLAGS='--cfg loom' cargo test --release --manifest-path tests/loom/Cargo.toml
//! ```

#![cfg(loom)]
#![allow(dead_code)] // Only what the proofs use is used here.

mod sync {
    pub(crate) use loom::sync::atomic;
}

#[path = "../../../src/heap/entry.rs"]
mod entry;
#[path = "../../../src/middleware/in_flight.rs"]
mod in_flight;
#[path = "../../../src/reading/seqlock.rs"]
mod seqlock;
