use crate::shield::shielded;
use std::{
    fmt, io, process,
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How long anyone waits for a reading. A reading that takes longer is late.
pub(super) const DEADLINE: Duration = Duration::from_millis(100);

/// The wait is split into slices. When a cgroup has used up its share of processor time nothing runs, and waking
/// up from that must not look like a reading that hangs.
const SLICES: u32 = 10;

/// An idle thread ends after this time.
const IDLE: Duration = Duration::from_secs(10);

/// Takes readings on a thread of their own, because they may block.
///
/// An answer is never older than its question: it comes from a reading that began later, and everyone who asks
/// meanwhile shares it. Nobody waits longer than [`DEADLINE`]. After a late reading nobody waits at all:
/// questions only trigger readings in the background, until one is quick again.
///
/// The thread starts at the first question. It ends when there are no more, or when this is dropped; a blocked
/// thread ends when its reading returns.
pub(super) struct Aside<T> {
    take: Arc<Take<T>>,
    first: OnceLock<Link<T>>,
}

type Take<T> = dyn Fn() -> io::Result<T> + Send + Sync;

/// The desk of one process. A forked child has neither its parent's thread nor anyone to unlock a lock its
/// parent held, so it gets a desk of its own.
struct Link<T> {
    process: u32,
    desk: Arc<Desk<T>>,
    next: OnceLock<Box<Link<T>>>,
}

/// Where questions and answers meet. Never locked while a reading is taken.
struct Desk<T> {
    state: Mutex<State<T>>,
    asked: Condvar,
    answered: Condvar,
}

struct State<T> {
    /// Readings are numbered from 1. This many were requested,
    wanted: u64,
    /// begun,
    begun: u64,
    /// and finished: all that were begun, or all but the last.
    finished: u64,
    /// From the last reading that finished.
    value: Option<T>,
    /// Why there is no value. Given to the first caller who asks.
    error: Option<io::Error>,
    /// The last reading took too long or still does.
    is_late: bool,
    has_thread: bool,
    is_over: bool,
}

/// Why there is no reading.
#[derive(Debug)]
pub(super) enum Failure {
    Late,
    /// `None` if another caller was given the error.
    Error(Option<io::Error>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => write!(f, "no answer within {} ms", DEADLINE.as_millis()),
            Self::Error(Some(error)) => error.fmt(f),
            Self::Error(None) => f.write_str("the reading failed"),
        }
    }
}

impl<T: Copy + Send + 'static> Aside<T> {
    /// `take` is called for one reading at a time. A panic is a failed reading.
    pub(super) fn new(take: impl Fn() -> io::Result<T> + Send + Sync + 'static) -> Self {
        Self {
            take: Arc::new(take),
            first: OnceLock::new(),
        }
    }

    /// The result of a reading that begins after this call.
    pub(super) fn ask(&self) -> Result<T, Failure> {
        let desk = self.desk();
        let mut state = desk.lock();
        let mine = state.begun + 1;
        if !state.has_thread {
            self.start(desk)
                .map_err(|error| Failure::Error(Some(error)))?;
            state.has_thread = true;
        } else if state.wanted < mine {
            desk.asked.notify_one();
        }
        state.wanted = mine;
        let is_open = |state: &mut State<T>| state.finished < mine && !state.is_late;
        for _ in 0..SLICES {
            (state, _) = desk
                .answered
                .wait_timeout_while(state, DEADLINE / SLICES, is_open)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.finished < mine {
            // Nobody else should wait for it.
            state.is_late = true;
            desk.answered.notify_all();
            return Err(Failure::Late);
        }
        state
            .value
            .ok_or_else(|| Failure::Error(state.error.take()))
    }

    fn start(&self, desk: &Arc<Desk<T>>) -> io::Result<()> {
        let (desk, take) = (Arc::clone(desk), Arc::clone(&self.take));
        let thread = thread::Builder::new().name("tower-memory".to_owned());
        let started = thread.spawn(move || desk.work(&*take));
        started.map(drop).map_err(|error| {
            let reason = format!("no thread could be started for the reading: {error}");
            io::Error::new(error.kind(), reason)
        })
    }

    fn desk(&self) -> &Arc<Desk<T>> {
        let process = process::id();
        let mut link = self.first.get_or_init(|| Link::new(process));
        while link.process != process {
            link = link.next.get_or_init(|| Box::new(Link::new(process)));
        }
        &link.desk
    }
}

impl<T> Drop for Aside<T> {
    fn drop(&mut self) {
        let process = process::id();
        let mut link = self.first.get();
        while let Some(one) = link {
            if one.process == process {
                one.desk.lock().is_over = true;
                one.desk.asked.notify_one();
            }
            link = one.next.get().map(Box::as_ref);
        }
    }
}

impl<T> Link<T> {
    fn new(process: u32) -> Self {
        let state = State {
            wanted: 0,
            begun: 0,
            finished: 0,
            value: None,
            error: None,
            is_late: false,
            has_thread: false,
            is_over: false,
        };
        Self {
            process,
            desk: Arc::new(Desk {
                state: Mutex::new(state),
                asked: Condvar::new(),
                answered: Condvar::new(),
            }),
            next: OnceLock::new(),
        }
    }
}

impl<T> Desk<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, take: &Take<T>) {
        let mut state = self.lock();
        loop {
            let is_idle = |state: &mut State<T>| state.wanted == state.begun && !state.is_over;
            (state, _) = self
                .asked
                .wait_timeout_while(state, IDLE, is_idle)
                .unwrap_or_else(PoisonError::into_inner);
            if state.is_over || state.wanted == state.begun {
                state.has_thread = false;
                return;
            }
            state.begun += 1;
            drop(state);
            let began = Instant::now();
            let taken = shielded(take);
            let is_late = began.elapsed() >= DEADLINE;
            let taken = taken.unwrap_or_else(|| Err(io::Error::other("the reader panicked")));
            state = self.lock();
            state.finished = state.begun;
            state.is_late = is_late;
            (state.value, state.error) = match taken {
                Ok(value) => (Some(value), None),
                Err(error) => (None, Some(error)),
            };
            self.answered.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    };

    /// Numbers its readings from 1.
    fn counting() -> Aside<u64> {
        let number = AtomicU64::new(0);
        Aside::new(move || Ok(number.fetch_add(1, Ordering::SeqCst) + 1))
    }

    #[test]
    fn each_question_has_an_answer_of_its_own_where_nobody_else_asks() {
        let aside = counting();
        for number in 1..=3 {
            assert_eq!(aside.ask().ok(), Some(number));
        }
    }

    #[test]
    fn who_asks_while_a_reading_is_taken_has_the_one_after_it() {
        let clock = Arc::new(AtomicU64::new(0));
        let now = Arc::clone(&clock);
        let aside = Aside::new(move || Ok(now.fetch_add(1, Ordering::SeqCst)));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        let asked = clock.load(Ordering::SeqCst);
                        // The machine may be too busy for one.
                        if let Ok(read) = aside.ask() {
                            assert!(read >= asked, "a reading from before the question");
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn an_error_and_a_panic_are_failures_and_the_next_reading_counts_again() {
        let number = AtomicU64::new(0);
        let aside = Aside::new(move || match number.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::Error::other("gone")),
            // Without the panic hook, which takes time to print a backtrace.
            1 => std::panic::resume_unwind(Box::new("as planned")),
            number => Ok(number),
        });
        for reason in ["gone", "the reader panicked"] {
            let failure = aside.ask().expect_err("no reading");
            assert_eq!(failure.to_string(), reason);
        }
        assert_eq!(aside.ask().ok(), Some(2));
    }

    #[test]
    fn a_reading_that_blocks_is_late_and_its_answer_is_given_to_nobody() {
        let (release, blocked) = mpsc::channel();
        let blocked = Mutex::new(blocked);
        let aside = Aside::new(move || {
            let blocked = blocked.lock().expect("not poisoned");
            blocked.recv().map_err(io::Error::other)
        });
        for _ in 0..1_000 {
            assert!(matches!(aside.ask(), Err(Failure::Late)));
        }
        release.send("old").expect("somebody reads");
        // The reading triggered by the questions above.
        release.send("in the background").expect("somebody reads");
        for _ in 0..1_000 {
            release.send("new").expect("somebody reads");
        }
        let answer = loop {
            match aside.ask() {
                Ok(answer) => break answer,
                Err(_) => thread::yield_now(),
            }
        };
        assert_eq!(answer, "new");
    }

    #[test]
    fn the_thread_ends_with_who_could_ask() {
        let (alive, gone) = mpsc::channel::<()>();
        let aside = Aside::new(move || {
            let _alive = &alive;
            Ok(())
        });
        assert!(aside.ask().is_ok());
        drop(aside);
        // The sender is gone once the thread has dropped the reader.
        let limit = Duration::from_secs(20);
        assert_eq!(
            gone.recv_timeout(limit),
            Err(mpsc::RecvTimeoutError::Disconnected)
        );
    }

    #[test]
    fn a_forked_child_waits_for_no_thread_of_its_parent() {
        let aside = counting();
        let parents = Link::new(0);
        {
            let mut state = parents.desk.lock();
            // As they are while the parent's thread takes a reading.
            (state.wanted, state.begun, state.has_thread) = (1, 1, true);
        }
        assert!(aside.first.set(parents).is_ok());
        assert_eq!([aside.ask().ok(), aside.ask().ok()], [Some(1), Some(2)]);
    }
}
