use super::{Reclaimed, reclaim, turns::Turns};
use crate::{
    log::TARGET,
    report::{OnReport, Report},
    verdict::Verdict,
};
use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tracing::Level;

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
