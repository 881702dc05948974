//! Waits until the server has dropped what it held of a request, and then reports it.
//!
//! One thread for the process, started by the first request that is not settled at its end. A
//! request that hands one over takes no lock.

use super::ending::Waiting;
use crate::{heap, log::TARGET, shield::shielded};
use std::{
    collections::VecDeque,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// After the end of a body, servers have dropped its frames within 6 ms in 99 of 100 cases.
const GRACE: Duration = Duration::from_millis(50);

/// How long to wait for a client that does not read its response.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Reports `waiting` once it is settled, or its time is over.
pub(super) fn wait(waiting: Waiting) {
    // All of this is bookkeeping, of no request.
    heap::as_nobody(|| {
        let settler = SETTLER.get_or_init(Settler::start);
        match settler {
            Some(settler) if settler.is_of_this_process() => settler.send(waiting),
            _ => waiting.tell(),
        }
    });
}

static SETTLER: OnceLock<Option<Settler>> = OnceLock::new();

struct Settler {
    sender: Sender<(Instant, Waiting)>,
    thread: Thread,
    process: u32,
}

/// Whether the thread has nothing to do until it is woken.
static IS_IDLE: AtomicBool = AtomicBool::new(false);

impl Settler {
    /// `None` where the thread can't be started.
    fn start() -> Option<Self> {
        let (sender, receiver) = channel();
        let thread = thread::Builder::new().name("tower-memory".to_owned());
        let thread = thread.spawn(move || work(&receiver));
        let thread = thread.inspect_err(|error| {
            tracing::warn!(
                target: TARGET,
                error = %error,
                "no thread could be started to wait for servers to drop responses, so reports of requests may count responses as retained: {error}",
            );
        });
        Some(Self {
            sender,
            thread: thread.ok()?.thread().clone(),
            process: std::process::id(),
        })
    }

    /// A forked child has no such thread.
    fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    fn send(&self, waiting: Waiting) {
        // Fails only when the thread is gone, which ends with the process.
        let _ = self.sender.send((Instant::now(), waiting));
        if IS_IDLE.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

fn work(receiver: &Receiver<(Instant, Waiting)>) {
    let mut waiting = VecDeque::new();
    loop {
        waiting.extend(receiver.try_iter());
        match waiting.is_empty() {
            true => waiting.extend(idle(receiver)),
            false => thread::sleep(PAUSE),
        }
        let now = Instant::now();
        for _ in 0..waiting.len() {
            let Some((since, ending)) = waiting.pop_front() else {
                break;
            };
            match is_due(&ending, now.saturating_duration_since(since)) {
                true => drop(shielded(|| ending.tell())),
                false => waiting.push_back((since, ending)),
            }
        }
    }
}

/// Until something comes.
fn idle(receiver: &Receiver<(Instant, Waiting)>) -> Option<(Instant, Waiting)> {
    IS_IDLE.store(true, Ordering::SeqCst);
    // What came just before has seen no idle thread and wakes none.
    let first = receiver.try_recv().ok();
    if first.is_none() {
        thread::park();
    }
    IS_IDLE.store(false, Ordering::SeqCst);
    first
}

fn is_due(ending: &Waiting, age: Duration) -> bool {
    let is_patient = ending.is_unsent() && age < PATIENCE;
    ending.is_settled() || (age >= GRACE && !is_patient)
}
