use super::{
    ReadResident, Resident,
    aside::{Aside, Failure},
    checked,
};
use crate::shield::shielded;
use std::{
    fmt, hint, process,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// A reader that can't hold up its callers.
///
/// A reader that may block is read [`Aside`]. One that says it never blocks is read in place at no
/// extra cost, but by one thread at a time: if it blocks after all, it holds up that thread, and
/// all others go aside.
pub(crate) struct GuardedReader {
    reader: Arc<dyn ReadResident>,
    turn: Turn,
    aside: Aside<Resident>,
    /// The process in which the turn was last seen held, if any.
    process: AtomicU32,
}

impl GuardedReader {
    pub(crate) fn new(reader: Arc<dyn ReadResident>) -> Self {
        let aside = Arc::clone(&reader);
        Self {
            reader,
            turn: Turn::default(),
            aside: Aside::new(move || checked(&*aside)),
            process: AtomicU32::new(process::id()),
        }
    }

    pub(crate) fn reader(&self) -> &Arc<dyn ReadResident> {
        &self.reader
    }

    /// A reading that began after this call, or `None`, with the reason passed to `failed`.
    pub(crate) fn read(&self, failed: impl Fn(&dyn fmt::Display)) -> Option<Resident> {
        let taken = shielded(|| self.take().map_err(|failure| failed(&failure)));
        let Some(taken) = taken else {
            // A panic of the reader, or of its error while it was being logged.
            shielded(|| failed(&"the reader panicked"));
            return None;
        };
        taken.ok()
    }

    fn take(&self) -> Result<Resident, Failure> {
        if !self.reader.may_block() {
            if let Some(_turn) = self.turn.take() {
                return checked(&*self.reader).map_err(|error| Failure::Error(Some(error)));
            }
        }
        // If the process forked, the thread that held the turn is not in the child.
        let process = process::id();
        if self.process.swap(process, Ordering::Relaxed) != process {
            self.turn.give_back();
        }
        self.aside.ask()
    }
}

/// One thread at a time, without waiting for a thread that doesn't come back.
#[derive(Default)]
struct Turn(AtomicU8);

const FREE: u8 = 0;
const TAKEN: u8 = 1;
/// Held for so long that somebody lost patience. Nobody waits for it any more.
const OVERDUE: u8 = 2;

/// Many times what a system call takes if the kernel answers from memory.
const PATIENCE: Duration = Duration::from_micros(20);

impl Turn {
    fn take(&self) -> Option<Held<'_>> {
        match self.try_take() {
            Ok(_) => Some(Held(self)),
            Err(_) => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> Option<Held<'_>> {
        let began = Instant::now();
        loop {
            match self.0.load(Ordering::Relaxed) {
                FREE if self.try_take().is_ok() => return Some(Held(self)),
                OVERDUE => return None,
                _ if began.elapsed() >= PATIENCE => {
                    let order = Ordering::Relaxed;
                    let _ = self.0.compare_exchange(TAKEN, OVERDUE, order, order);
                    return None;
                }
                _ => hint::spin_loop(),
            }
        }
    }

    fn try_take(&self) -> Result<u8, u8> {
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        self.0.compare_exchange(FREE, TAKEN, success, failure)
    }

    fn give_back(&self) {
        self.0.store(FREE, Ordering::Release);
    }
}

/// Gives the turn back, even if the reader panics.
struct Held<'a>(&'a Turn);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Condvar, Mutex, atomic::AtomicBool, mpsc},
        thread,
    };

    /// Blocks for as long as it is shut.
    struct Gate {
        is_shut: Mutex<bool>,
        opened: Condvar,
        entered: mpsc::SyncSender<()>,
        may_block: bool,
    }

    impl Gate {
        /// A reader that is shut, and a receiver for each reading that begins.
        fn shut(may_block: bool) -> (Arc<Self>, mpsc::Receiver<()>) {
            let (entered, readings) = mpsc::sync_channel(1_000_000);
            let gate = Self {
                is_shut: Mutex::new(true),
                opened: Condvar::new(),
                entered,
                may_block,
            };
            (Arc::new(gate), readings)
        }

        fn open(&self) {
            *self.is_shut.lock().expect("not poisoned") = false;
            self.opened.notify_all();
        }
    }

    impl ReadResident for Gate {
        fn read(&self) -> io::Result<Resident> {
            self.entered.send(()).expect("the test goes on");
            let is_shut = self.is_shut.lock().expect("not poisoned");
            let _open = self.opened.wait_while(is_shut, |is_shut| *is_shut);
            Ok(Resident::new(4096, 0))
        }

        fn may_block(&self) -> bool {
            self.may_block
        }
    }

    /// The reading, or the reason why there is none.
    fn read(reader: &GuardedReader) -> Result<Resident, String> {
        let reason = Mutex::new(String::new());
        let read = reader.read(|why| *reason.lock().expect("not poisoned") = why.to_string());
        read.ok_or_else(|| reason.into_inner().expect("not poisoned"))
    }

    fn until_it_reads(reader: &GuardedReader) {
        while read(reader).is_err() {
            thread::yield_now();
        }
    }

    const LATE: &str = "no answer within 100 ms";

    #[test]
    fn a_reader_that_blocks_holds_nobody_and_is_read_again_when_it_is_back() {
        let (gate, readings) = Gate::shut(true);
        let reader = GuardedReader::new(gate.clone());
        for _ in 0..1_000 {
            assert_eq!(read(&reader), Err(LATE.to_owned()));
        }
        assert_eq!(
            readings.try_iter().count(),
            1,
            "blocked once, and not again and again"
        );
        gate.open();
        until_it_reads(&reader);
    }

    #[test]
    fn a_reader_that_blocks_against_its_word_holds_one_thread_and_no_second() {
        let (gate, readings) = Gate::shut(false);
        let reader = &GuardedReader::new(gate.clone());
        thread::scope(|scope| {
            let held = scope.spawn(|| read(reader));
            readings.recv().expect("it reads");
            for _ in 0..1_000 {
                assert_eq!(read(reader), Err(LATE.to_owned()));
            }
            assert!(!held.is_finished());
            gate.open();
            assert_eq!(held.join().expect("no panic"), Ok(Resident::new(4096, 0)));
        });
        until_it_reads(reader);
    }

    #[test]
    fn a_reader_that_never_blocks_is_read_by_whoever_asks() {
        struct Here(thread::ThreadId);
        impl ReadResident for Here {
            fn read(&self) -> io::Result<Resident> {
                assert_eq!(thread::current().id(), self.0);
                Ok(Resident::new(4096, 0))
            }
            fn may_block(&self) -> bool {
                false
            }
        }
        let reader = GuardedReader::new(Arc::new(Here(thread::current().id())));
        assert_eq!(read(&reader), Ok(Resident::new(4096, 0)));
    }

    #[test]
    fn who_waits_for_a_turn_has_it_when_it_is_given_back() {
        let turn = Turn::default();
        let is_held = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        if let Some(_held) = turn.take() {
                            assert!(!is_held.swap(true, Ordering::SeqCst), "two have it");
                            is_held.store(false, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert!(turn.take().is_some());
    }

    #[test]
    fn a_forked_child_has_the_turn_that_a_thread_of_its_parent_held() {
        let (gate, _readings) = Gate::shut(false);
        gate.open();
        let reader = GuardedReader::new(gate);
        std::mem::forget(reader.turn.take());
        reader.process.store(0, Ordering::Relaxed);
        until_it_reads(&reader);
        assert!(reader.turn.take().is_some());
    }
}
