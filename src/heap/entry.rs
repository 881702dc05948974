//! The account of one open request: its live bytes.

use crate::sync::atomic::{AtomicU64, Ordering};

/// Generations of an entry.
pub(super) const GENERATIONS: u64 = 1 << 6;

/// One word, so a change of live bytes sees their owner at the same instant:
///
/// ```text
/// | 48 bits: live bytes, signed | 8 bits | closed | working | open | 6 bits: generation |
/// ```
///
/// Live bytes are at the top, so borrowing from them changes nothing below.
#[derive(Debug)]
pub(super) struct Word(AtomicU64);

const GENERATION: u64 = GENERATIONS - 1;
const OPEN: u64 = GENERATIONS;
/// The response is gone, but the request's work is still running.
const WORKING: u64 = OPEN << 1;
/// The window is closed.
const CLOSED: u64 = OPEN << 2;
const LIVE_SHIFT: u32 = 16;

/// A [`Word`] as it was at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct State(u64);

impl State {
    /// Live bytes. May be below zero for a moment, if a free is added before its allocation.
    #[inline]
    pub(super) const fn live(self) -> i64 {
        (self.0 as i64) >> LIVE_SHIFT
    }

    #[inline]
    pub(super) const fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    pub(super) const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) const fn is_working(self) -> bool {
        self.0 & WORKING != 0
    }

    #[inline]
    const fn generation(self) -> u64 {
        self.0 & GENERATION
    }
}

#[inline]
const fn as_live(bytes: i64) -> u64 {
    (bytes as u64) << LIVE_SHIFT
}

impl Word {
    #[cfg(not(loom))]
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(super) fn state(&self) -> State {
        State(self.0.load(Ordering::Acquire))
    }

    /// Opens it for another request and returns that request's generation, if it still is as `found`.
    #[inline]
    pub(super) fn open(&self, found: State) -> Option<u64> {
        // If nothing is live, no block has this generation, and it can be reused. Otherwise blocks that have it
        // must not be taken for the new request's.
        let generation = match found.live() {
            0 => found.generation(),
            _ => (found.0 + 1) & GENERATION,
        };
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let opened = self
            .0
            .compare_exchange(found.0, generation | OPEN, success, failure);
        opened.ok().map(|_| generation)
    }

    /// Adds the open request's own changes.
    #[inline]
    pub(super) fn add(&self, bytes: i64) {
        self.0.fetch_add(as_live(bytes), Ordering::AcqRel);
    }

    /// Adds others' changes to blocks of `generation`, whether or not the request is open. Does nothing if the
    /// entry has passed to another request.
    ///
    /// An addition that is taken back afterwards would not do: in between, a request that ends would look as if
    /// nothing of it were live.
    #[inline]
    pub(super) fn add_from_outside(&self, generation: u64, bytes: i64) {
        let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
        let more = |word| {
            (State(word).generation() == generation).then(|| word.wrapping_add(as_live(bytes)))
        };
        // Fails if the generation is another.
        let _ = self.0.fetch_update(success, failure, more);
    }

    /// Closes the window, and adds `pending` bytes.
    pub(super) fn close(&self, pending: i64) {
        let change = as_live(pending).wrapping_add(CLOSED);
        self.0.fetch_add(change, Ordering::AcqRel);
    }

    /// The same for a request that is reported: returns the bytes still live.
    #[inline]
    pub(super) fn close_and_end(&self, pending: i64) -> i64 {
        let change = as_live(pending).wrapping_sub(OPEN);
        let before = self.0.fetch_add(change, Ordering::AcqRel);
        State(before.wrapping_add(change)).live()
    }

    /// Marks work that goes on after the response.
    pub(super) fn work_on(&self) {
        self.0.fetch_or(WORKING | CLOSED, Ordering::AcqRel);
    }

    /// Marks the request as reported.
    pub(super) fn end(&self) {
        let flags = OPEN | CLOSED | WORKING;
        self.0.fetch_and(!flags, Ordering::AcqRel);
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    fn open(word: &Word) -> u64 {
        word.open(word.state()).expect("nobody else takes it")
    }

    #[test]
    fn live_bytes_are_exact_whoever_changes_them_and_may_pass_below_zero() {
        let word = Word::new();
        let generation = open(&word);
        word.add_from_outside(generation, -100);
        assert_eq!(word.state().live(), -100);
        word.add(164);
        assert_eq!(word.state().live(), 64);
        assert!(word.state().is_open());
    }

    #[test]
    fn an_entry_that_left_nothing_is_used_again_as_it_is() {
        let word = Word::new();
        let first = open(&word);
        word.add(64);
        word.add_from_outside(first, -64);
        assert_eq!(word.close_and_end(0), 0);
        assert_eq!(open(&word), first);
    }

    #[test]
    fn a_block_of_an_earlier_request_is_not_taken_for_a_later_ones() {
        let word = Word::new();
        let first = open(&word);
        assert_eq!(word.close_and_end(64), 64);
        let second = open(&word);
        assert_ne!(first, second);
        word.add_from_outside(first, -64);
        assert_eq!(word.state().live(), 0);
    }
}

#[cfg(all(test, loom))]
mod proofs {
    use super::*;
    use loom::{sync::Arc, thread};

    fn word() -> Arc<Word> {
        Arc::new(Word(AtomicU64::new(0)))
    }

    #[test]
    fn a_block_that_ends_elsewhere_comes_off_its_own_request_and_no_later_one() {
        loom::model(|| {
            let word = word();
            let first = word.open(word.state()).unwrap();
            word.add(64);
            let elsewhere = Arc::clone(&word);
            let freeing = thread::spawn(move || elsewhere.add_from_outside(first, -64));
            word.close_and_end(0);
            let second = word.open(word.state());
            freeing.join().unwrap();
            match second {
                Some(_) => assert_eq!(word.state().live(), 0),
                // It changed under our eyes, so it is free by now.
                None => assert_eq!((word.state().live(), word.state().is_open()), (0, false)),
            }
        });
    }

    #[test]
    fn a_request_is_never_taken_to_leave_nothing_because_of_blocks_of_an_earlier_one() {
        loom::model(|| {
            let word = word();
            let first = word.open(word.state()).unwrap();
            word.close_and_end(64);
            let second = word.open(word.state()).unwrap();
            let elsewhere = Arc::clone(&word);
            let freeing = thread::spawn(move || elsewhere.add_from_outside(first, -64));
            assert_eq!(word.close_and_end(64), 64);
            freeing.join().unwrap();
            assert_ne!(first, second);
            assert_eq!(word.state().live(), 64);
        });
    }

    #[test]
    fn of_two_requests_that_want_an_entry_one_has_it() {
        loom::model(|| {
            let word = word();
            let other = Arc::clone(&word);
            let found = word.state();
            let opening = thread::spawn(move || other.open(other.state()).is_some());
            let ours = word.open(found).is_some();
            let theirs = opening.join().unwrap();
            assert!(ours || theirs);
        });
    }
}
