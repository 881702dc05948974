use super::{Reclaimed, reclaim, turns::Turns};
use crate::{
    report::{OnReport, Report},
    shield::shielded,
    target::TARGET,
    verdict::Verdict,
};
use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};
use tracing::Level;

/// A listener that gives freed pages back after a request that left some behind.
///
/// It acts on warnings where half of the growth or more is not live heap, whoever used it: the request itself
/// ([`Verdict::AllocatorHeld`](crate::Verdict::AllocatorHeld)), a thread working for it, or another request. It needs a
/// heap meter. The request never waits: the work is done on a separate thread, which starts at the first such request,
/// ends when the listener is dropped, and logs one INFO event each time. If the thread can't be started, a warning is
/// logged, once, and nothing is given back. The same goes for a child forked later, which has no such thread.
///
/// mimalloc gives back only memory left behind by the calling thread and by threads that have ended. If the threads
/// that serve requests go on, this listener gets little from it. From jemalloc, it doesn't get what those threads keep
/// in their caches.
#[derive(Debug)]
pub struct Reclaim {
    every: Duration,
    worker: OnceLock<Worker>,
}

impl Reclaim {
    /// Reclaims at most twice a minute.
    pub fn new() -> Self {
        Self {
            every: Duration::from_secs(30),
            worker: OnceLock::new(),
        }
    }

    /// Reclaims at most once per `interval`. Requests within it are not forgotten: one call at its end covers them.
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
        if report.verdict.is_warning() && left_pages(report) {
            let worker = self.worker.get_or_init(|| Worker::start(self.every));
            worker.tell(&worker.orders.asked);
        }
    }
}

/// Whether half of the process's growth or more is anonymous memory that is not live heap.
fn left_pages(report: &Report) -> bool {
    let (Some(before), Some(after)) = (report.before, report.after) else {
        return false;
    };
    let Some((live_before, live_after)) = report.live_before.zip(report.live_after) else {
        // With jemalloc's own counters, reports have no live heap.
        return matches!(report.verdict, Verdict::AllocatorHeld { .. });
    };
    let growth = after.total.saturating_sub(before.total);
    let anonymous = after.anonymous().saturating_sub(before.anonymous());
    let held = anonymous.saturating_sub(live_after.saturating_sub(live_before));
    growth > 0 && held >= growth.div_ceil(2)
}

impl Drop for Reclaim {
    fn drop(&mut self) {
        if let Some(worker) = self.worker.get() {
            worker.tell(&worker.orders.ended);
        }
    }
}

/// The thread that does the work. Woken without a lock, so a request never waits for it, not even in a forked child,
/// where the thread doesn't exist.
#[derive(Debug)]
struct Worker {
    orders: Arc<Orders>,
    /// `None` if it could not be started.
    thread: Option<Thread>,
}

#[derive(Debug, Default)]
struct Orders {
    asked: AtomicBool,
    ended: AtomicBool,
}

impl Worker {
    fn start(every: Duration) -> Self {
        let orders = Arc::<Orders>::default();
        let turns = Turns::at_most_every(every);
        let ordered = Arc::clone(&orders);
        let thread = thread::Builder::new().name("tower-memory".to_owned());
        let thread = thread.spawn(move || work(&ordered, turns));
        let thread = thread.inspect_err(no_thread).ok();
        Self {
            orders,
            thread: thread.map(|handle| handle.thread().clone()),
        }
    }

    fn tell(&self, order: &AtomicBool) {
        order.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.unpark();
        }
    }
}

fn work(orders: &Orders, mut turns: Turns) {
    while !orders.ended.load(Ordering::Acquire) {
        if orders.asked.swap(false, Ordering::AcqRel) {
            turns.ask();
        }
        match turns.wait(Instant::now()) {
            None => thread::park(),
            Some(Duration::ZERO) => {
                let reclaimed = reclaim();
                // A subscriber that panics must not end this thread.
                shielded(|| log(&reclaimed));
            }
            Some(wait) => thread::park_timeout(wait),
        }
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
        "event" = "reclaim",
        "{reclaimed}"
    );
}

#[cold]
fn no_thread(error: &io::Error) {
    tracing::warn!(
        target: TARGET,
        error = %error,
        event = "reclaim_failed",
        "freed pages stay with the allocator, because no thread could be started to reclaim them: {error}",
    );
}
