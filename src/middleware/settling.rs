//! Waits until the server has dropped its share of a request, then reports the request.
//!
//! One thread for the process, started by the first request that has not settled at its end. Handing over a
//! request takes no lock.

use crate::{heap, shield::shielded, target::TARGET};
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
use tracing::{Dispatch, dispatcher};

/// In 99 of 100 cases, servers drop a body's frames within 6 ms of its end.
const GRACE: Duration = Duration::from_millis(50);

/// How long to wait for a client that does not read its response.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often to look.
const PAUSE: Duration = Duration::from_millis(10);

/// Something to report about a request, once its live heap is known.
pub(super) trait Unsettled: Send {
    /// Whether there is nothing to wait for.
    fn is_settled(&self) -> bool;

    /// Whether its client has yet to read some of the response.
    fn is_unsent(&self) -> bool;

    /// Reports it. Called once.
    fn tell(&mut self);
}

/// Something that waits, since when, and the subscriber for its events.
struct Waiting {
    since: Instant,
    ending: Box<dyn Unsettled>,
    subscriber: Dispatch,
}

impl Waiting {
    fn tell(mut self) {
        dispatcher::with_default(&self.subscriber, || self.ending.tell());
    }
}

/// Reports `ending` now, or once it has settled or its time is up.
pub(super) fn tell_or_wait(mut ending: impl Unsettled + 'static) {
    if ending.is_settled() {
        return ending.tell();
    }
    // All of this is bookkeeping and belongs to no request.
    heap::as_nobody(|| {
        let settler = SETTLER.get_or_init(Settler::start);
        match settler {
            Some(settler) if settler.is_of_this_process() => {
                settler.send(Message::Wait(Waiting {
                    since: Instant::now(),
                    ending: Box::new(ending),
                    subscriber: dispatcher::get_default(Clone::clone),
                }));
            }
            _ => ending.tell(),
        }
    });
}

/// Waits until every request that has ended so far is reported: some 60 ms at most, or no time if none is
/// waiting.
///
/// A request with more than 1 KiB live at its end is reported up to 50 ms later. Call this before `main`
/// returns, or the last of those reports are lost. It blocks, so don't call it on a thread that other
/// futures need. Data that a client has not read by then is reported as unsent.
///
/// ```
/// // After the server has shut down:
/// tower_memory::flush();
/// ```
pub fn flush() {
    match SETTLER.get() {
        Some(Some(settler)) if settler.is_of_this_process() => {
            let (done, all_told) = channel();
            settler.send(Message::Flush(done));
            // Fails only when the thread is gone.
            let _ = all_told.recv();
        }
        _ => {}
    }
}

static SETTLER: OnceLock<Option<Settler>> = OnceLock::new();

enum Message {
    Wait(Waiting),
    /// Stop waiting for requests that have ended so far, and send once all of them are reported.
    Flush(Sender<()>),
}

struct Settler {
    sender: Sender<Message>,
    thread: Thread,
    process: u32,
}

/// Whether the thread has nothing to do until it is woken.
static IS_IDLE: AtomicBool = AtomicBool::new(false);

impl Settler {
    /// `None` if the thread can't be started.
    fn start() -> Option<Self> {
        let (sender, receiver) = channel();
        let thread = thread::Builder::new().name("tower-memory".to_owned());
        let thread = thread.spawn(move || work(&receiver));
        let thread = thread.inspect_err(|error| {
            tracing::warn!(
                target: TARGET,
                error = %error,
                event = "settling_failed",
                "no thread could be started to wait for servers to drop responses, so reports of requests may count responses as retained: {error}",
            );
        });
        Some(Self {
            sender,
            thread: thread.ok()?.thread().clone(),
            process: std::process::id(),
        })
    }

    /// A forked child does not have the thread.
    fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    fn send(&self, message: Message) {
        // Fails only when the thread is gone, which ends with the process.
        let _ = self.sender.send(message);
        if IS_IDLE.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
    }
}

fn work(receiver: &Receiver<Message>) {
    let mut waiting = VecDeque::new();
    loop {
        let first = match waiting.is_empty() {
            true => idle(receiver),
            false => {
                thread::sleep(PAUSE);
                None
            }
        };
        let mut flushed = Vec::new();
        for message in first.into_iter().chain(receiver.try_iter()) {
            match message {
                Message::Wait(one) => waiting.push_back(one),
                Message::Flush(done) => flushed.push(done),
            }
        }
        match flushed.is_empty() {
            true => tell_due(&mut waiting, PATIENCE),
            false => {
                while !waiting.is_empty() {
                    tell_due(&mut waiting, GRACE);
                    thread::sleep(PAUSE);
                }
            }
        }
        for done in flushed {
            // The caller may have stopped waiting.
            let _ = done.send(());
        }
    }
}

/// Blocks until a message comes.
fn idle(receiver: &Receiver<Message>) -> Option<Message> {
    IS_IDLE.store(true, Ordering::SeqCst);
    // A message sent just before found no idle thread, so it woke none.
    let first = receiver.try_recv().ok();
    if first.is_none() {
        thread::park();
    }
    IS_IDLE.store(false, Ordering::SeqCst);
    first
}

/// Reports requests that have settled or run out of time, which is `patience` while a client has yet to
/// read.
fn tell_due(waiting: &mut VecDeque<Waiting>, patience: Duration) {
    let now = Instant::now();
    for _ in 0..waiting.len() {
        let Some(one) = waiting.pop_front() else {
            break;
        };
        let age = now.saturating_duration_since(one.since);
        let time = if one.ending.is_unsent() {
            patience
        } else {
            GRACE
        };
        match one.ending.is_settled() || age >= time {
            // Dropped inside, too, because it may hold the last handle to a listener.
            true => drop(shielded(move || one.tell())),
            false => waiting.push_back(one),
        }
    }
}
