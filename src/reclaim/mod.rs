//! Gives freed pages back to the operating system.
//!
//! Allocators keep the pages of what was freed, to hand them out again. After a burst that is not
//! going to be repeated they are only a large resident set. One line has them given back whenever a
//! request has left some behind ([`Verdict::AllocatorHeld`](crate::Verdict::AllocatorHeld)):
//!
//! ```
//! use tower_memory::{MemoryLayer, reclaim::Reclaim};
//!
//! let layer = MemoryLayer::new().on_report(Reclaim::new());
//! ```
//!
//! ```text
//! INFO tower_memory: reclaimed 457.1 MiB in 45 ms, asked of glibc
//! ```
//!
//! [`reclaim`] does the same at a time of your own.
//!
//! # What is asked
//!
//! | allocator | what | gives back |
//! |---|---|---|
//! | glibc | [`malloc_trim(0)`](https://man7.org/linux/man-pages/man3/malloc_trim.3.html) | whole free pages of all arenas |
//! | jemalloc | `thread.tcache.flush`, [`arena.<all>.purge`](https://jemalloc.net/jemalloc.3.html) | unused dirty pages of all arenas |
//! | mimalloc | [`mi_collect(true)`](https://microsoft.github.io/mimalloc/group__extended.html) | of the calling thread and of threads that ended, only |
//!
//! They are found in the process as it runs, linked or preloaded, and all that are found are asked:
//! one that nobody uses has nothing to give. On Linux with glibc, on x86-64 and AArch64; elsewhere
//! only what the dynamic linker knows by name, or none.
//!
//! # Cost
//!
//! From microseconds to hundreds of milliseconds, in which glibc holds the lock of one arena after
//! the other: whoever allocates there waits. Pages that were given back fault in again when they are
//! needed, some 0.1 µs for each KiB. So it is off by default, done on a thread of its own, and not
//! more often than each half minute.

mod allocators;
mod turns;

use self::{allocators::Found, turns::Turns};
use crate::{
    log::TARGET,
    report::{OnReport, Report},
    resident::{self, ReadResident, Resident},
    verdict::Verdict,
};
use bytesize::ByteSize;
use std::{
    fmt, io,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tracing::Level;

/// Asks each allocator of this process to give freed pages back, now and on this thread, which may
/// block for hundreds of milliseconds: not on one that polls futures.
///
/// ```no_run
/// use tower_memory::reclaim::reclaim;
///
/// # async fn night_shift() {
/// let reclaimed = tokio::task::spawn_blocking(reclaim).await.unwrap();
/// println!("{reclaimed}"); // reclaimed 457.1 MiB in 45 ms, asked of glibc
/// # }
/// ```
pub fn reclaim() -> Reclaimed {
    let reader = resident::default_reader();
    let before = reader.read().ok();
    let started = Instant::now();
    let found = allocators::give_back();
    Reclaimed {
        duration: started.elapsed(),
        before,
        after: reader.read().ok(),
        found,
    }
}

/// What came of it. [`Display`](fmt::Display) tells in a sentence.
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
    /// By how much the resident set fell, in bytes; 0 when it didn't, `None` when it could not be
    /// read. What other threads allocate or free meanwhile is in it.
    pub fn bytes(&self) -> Option<u64> {
        Some(self.before?.total.saturating_sub(self.after?.total))
    }
}

impl fmt::Display for Reclaimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            duration, found, ..
        } = self;
        // Three digits are enough of a time.
        let milliseconds = duration.as_secs_f64() * 1e3;
        let time = fmt::from_fn(|f| match milliseconds {
            10.0.. => write!(f, "{milliseconds:.0} ms"),
            _ => write!(f, "{milliseconds:.2} ms"),
        });
        match self.bytes() {
            _ if found.is_empty() => {
                f.write_str("no allocator was found that can give freed pages back")
            }
            None => write!(
                f,
                "asked {found} for freed pages in {time}, but the resident set could not be read"
            ),
            Some(0) => write!(f, "{found} had no freed pages to give back, in {time}"),
            Some(bytes) => write!(
                f,
                "reclaimed {} in {time}, asked of {found}",
                ByteSize(bytes)
            ),
        }
    }
}

/// A listener that has freed pages given back where a request left some behind.
///
/// It acts on requests that are warned of with [`Verdict::AllocatorHeld`], for which a heap meter
/// must count. The request never waits: a thread of its own does the work, begun at the first such
/// request and ended when the listener is dropped, and writes one INFO event each time.
#[derive(Debug)]
pub struct Reclaim {
    every: Duration,
    worker: OnceLock<Arc<Worker>>,
}

impl Reclaim {
    /// At most twice a minute.
    pub fn new() -> Self {
        Self {
            every: Duration::from_secs(30),
            worker: OnceLock::new(),
        }
    }

    /// At most once in `interval`. Requests within it are not forgotten: they have their turn at its
    /// end.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_memory::{MemoryLayer, reclaim::Reclaim};
    ///
    /// let reclaim = Reclaim::new().at_most_every(Duration::from_secs(300));
    /// let layer = MemoryLayer::new().on_report(reclaim);
    /// ```
    pub fn at_most_every(mut self, interval: Duration) -> Self {
        self.every = interval;
        self
    }
}

impl Default for Reclaim {
    fn default() -> Self {
        Self::new()
    }
}

impl OnReport for Reclaim {
    fn on_report(&self, report: &Report) {
        if matches!(report.verdict, Verdict::AllocatorHeld { .. }) {
            let worker = self.worker.get_or_init(|| Worker::start(self.every));
            worker.tell(Turns::ask);
        }
    }
}

impl Drop for Reclaim {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.get() {
            worker.tell(Turns::end);
        }
    }
}

/// The thread that does the work, and what it is told.
#[derive(Debug)]
struct Worker {
    turns: Mutex<Turns>,
    told: Condvar,
}

impl Worker {
    fn start(every: Duration) -> Arc<Self> {
        let worker = Arc::new(Self {
            turns: Mutex::new(Turns::at_most_every(every)),
            told: Condvar::new(),
        });
        let working = Arc::clone(&worker);
        let thread = thread::Builder::new().name("tower-memory".to_owned());
        if let Err(error) = thread.spawn(move || working.work()) {
            no_thread(&error);
        }
        worker
    }

    fn tell(&self, what: impl FnOnce(&mut Turns)) {
        what(&mut self.lock());
        self.told.notify_one();
    }

    fn work(&self) {
        let mut turns = self.lock();
        while let Some(wait) = turns.wait(Instant::now()) {
            if wait.is_zero() {
                drop(turns);
                log(&reclaim());
                turns = self.lock();
            } else {
                let waited = self.told.wait_timeout(turns, wait);
                turns = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log(reclaimed: &Reclaimed) {
    tracing::event!(
        target: TARGET,
        Level::INFO,
        "reclaim.bytes" = reclaimed.bytes(),
        "reclaim.duration_ms" = reclaimed.duration.as_micros() as f64 / 1e3,
        "memory.before" = reclaimed.before.map(|resident| resident.total),
        "memory.after" = reclaimed.after.map(|resident| resident.total),
        "{reclaimed}"
    );
}

#[cold]
fn no_thread(error: &io::Error) {
    tracing::warn!(
        target: TARGET,
        error = %error,
        "freed pages stay with the allocator, because no thread could be started to reclaim them: {error}",
    );
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
                "reclaimed 457.0 MiB in 45 ms, asked of glibc",
            ),
            (
                told(both, 501 << 20, 12),
                "glibc and jemalloc had no freed pages to give back, in 0.01 ms",
            ),
            (
                told(all, 499 << 20, 1_200),
                "reclaimed 1.0 MiB in 1.20 ms, asked of glibc, jemalloc and mimalloc",
            ),
            (
                told(Found::default(), 500 << 20, 1),
                "no allocator was found that can give freed pages back",
            ),
        ] {
            assert_eq!(told, meant);
        }
    }
}
