//! Gives freed pages back to the operating system.
//!
//! Allocators keep the pages of freed memory to hand them out again. After a one-off burst, those
//! pages only make for a large resident set. One line gives them back whenever a request has left
//! some behind ([`Verdict::AllocatorHeld`](crate::Verdict::AllocatorHeld)):
//!
//! ```
//! use tower_memory::{MemoryLayer, reclaim::Reclaim};
//!
//! let layer = MemoryLayer::new().on_report(Reclaim::new());
//! ```
//!
//! ```text
//! INFO tower_memory: reclaimed 457.1 MiB from glibc in 45 ms
//! ```
//!
//! [`reclaim`] does the same at a time of your choice.
//!
//! # Calls
//!
//! | allocator | call | gives back |
//! |---|---|---|
//! | glibc | [`malloc_trim(0)`](https://man7.org/linux/man-pages/man3/malloc_trim.3.html) | whole free pages of all arenas |
//! | jemalloc | `thread.tcache.flush`, [`arena.<all>.purge`](https://jemalloc.net/jemalloc.3.html) | unused dirty pages of all arenas |
//! | mimalloc | [`mi_collect(true)`](https://microsoft.github.io/mimalloc/group__extended.html) | only pages of the calling thread and of threads that have ended |
//!
//! glibc gives back nothing from the *top* of an arena other than the main one: the free end of up
//! to 64 MiB that each thread's arena may have.
//!
//! Allocators are found in the running process, linked or preloaded, and all of them are called: an
//! unused one has nothing to give. This works on Linux with glibc, on x86-64 and AArch64. Elsewhere,
//! only allocators that the dynamic linker knows by name are found, or none.
//!
//! # Cost
//!
//! From microseconds to hundreds of milliseconds. Meanwhile glibc locks one arena after the other,
//! and whoever allocates there waits. Pages that were given back fault in again when they are
//! needed, at some 0.1 µs per KiB. So it is off by default, runs on a thread of its own, and runs at
//! most every half minute.

mod allocators;
mod listener;
mod turns;

use self::allocators::Found;
pub(crate) use self::allocators::{Allocator, remedy};
pub use self::listener::Reclaim;
use crate::resident::{self, Resident};
use bytesize::ByteSize;
use std::{
    fmt,
    time::{Duration, Instant},
};

/// Tells each allocator of this process to give back freed pages, now and on this thread. May block
/// for hundreds of milliseconds: don't call it on a thread that polls futures.
///
/// ```no_run
/// use tower_memory::reclaim::reclaim;
///
/// # async fn night_shift() {
/// let reclaimed = tokio::task::spawn_blocking(reclaim).await.unwrap();
/// println!("{reclaimed}"); // reclaimed 457.1 MiB from glibc in 45 ms
/// # }
/// ```
pub fn reclaim() -> Reclaimed {
    let before = resident::now();
    let started = Instant::now();
    let found = allocators::give_back();
    Reclaimed {
        duration: started.elapsed(),
        before,
        after: resident::now(),
        found,
    }
}

/// The result of [`reclaim`]. [`Display`](fmt::Display) formats it as a sentence.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reclaimed {
    /// The resident set before; `None` when it could not be read.
    pub before: Option<Resident>,
    /// The resident set after; `None` when it could not be read.
    pub after: Option<Resident>,
    /// How long it took.
    pub duration: Duration,
    found: Found,
}

impl Reclaimed {
    /// How far the resident set fell, in bytes; 0 if it didn't, `None` if it could not be read.
    /// Includes allocations and frees of other threads meanwhile.
    pub fn bytes(&self) -> Option<u64> {
        Some(self.before?.total.saturating_sub(self.after?.total))
    }
}

impl fmt::Display for Reclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            duration, found, ..
        } = self;
        // Three significant digits are enough for a duration.
        let milliseconds = duration.as_secs_f64() * 1e3;
        let digits = if milliseconds < 10.0 { 2 } else { 0 };
        let time = format!("{milliseconds:.digits$} ms");
        match self.bytes() {
            _ if found.is_empty() => {
                f.write_str("found no allocator that can give freed pages back")
            }
            None => write!(
                f,
                "asked {found} for freed pages in {time}, but the resident set could not be read"
            ),
            Some(0) => write!(f, "{found} had nothing to give back, in {time}"),
            Some(bytes) => write!(f, "reclaimed {} from {found} in {time}", ByteSize(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: Found, after: u64, micros: u64) -> String {
        let reclaimed = Reclaimed {
            before: Some(Resident::new(500 << 20, 0)),
            after: Some(Resident::new(after, 0)),
            duration: Duration::from_micros(micros),
            found,
        };
        reclaimed.to_string()
    }

    #[test]
    fn what_came_of_it_is_a_sentence() {
        let glibc = Found {
            glibc: true,
            ..Found::default()
        };
        let both = Found {
            jemalloc: true,
            ..glibc
        };
        let all = Found {
            mimalloc: true,
            ..both
        };
        for (told, meant) in [
            (
                told(glibc, 43 << 20, 45_123),
                "reclaimed 457.0 MiB from glibc in 45 ms",
            ),
            (
                told(both, 501 << 20, 12),
                "glibc and jemalloc had nothing to give back, in 0.01 ms",
            ),
            (
                told(all, 499 << 20, 1_200),
                "reclaimed 1.0 MiB from glibc, jemalloc and mimalloc in 1.20 ms",
            ),
            (
                told(Found::default(), 500 << 20, 1),
                "found no allocator that can give freed pages back",
            ),
        ] {
            assert_eq!(told, meant);
        }
    }
}
