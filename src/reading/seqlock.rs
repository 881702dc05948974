//! A few words that change together, read by many without waiting.

use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// The last `N` published words, under a sequence counter: odd while a writer is at work, changed afterwards.
/// Values are atomics, so a torn read is detected, not undefined.
///
/// Nobody waits. A reader that meets a writer gets nothing, and a writer that meets another publishes nothing.
#[derive(Debug)]
pub(super) struct Seqlock<const N: usize> {
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> Seqlock<N> {
    pub(super) fn new() -> Self {
        Self {
            sequence: AtomicU64::new(0),
            words: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// `None` before the first, and while another is being written.
    #[inline]
    pub(super) fn read(&self) -> Option<[u64; N]> {
        let sequence = self.sequence.load(Ordering::Acquire);
        if sequence == 0 || sequence % 2 == 1 {
            return None;
        }
        let words = std::array::from_fn(|at| self.words[at].load(Ordering::Relaxed));
        // Keeps the loads above before the check below; pairs with the fence in `publish`.
        fence(Ordering::Acquire);
        let is_whole = self.sequence.load(Ordering::Relaxed) == sequence;
        is_whole.then_some(words)
    }

    pub(super) fn publish(&self, words: [u64; N]) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        if sequence % 2 == 1 {
            return;
        }
        let odd = sequence + 1;
        let (success, failure) = (Ordering::Acquire, Ordering::Relaxed);
        let taken = self
            .sequence
            .compare_exchange(sequence, odd, success, failure);
        if taken.is_err() {
            return;
        }
        // Keeps the stores below after the counter turned odd.
        fence(Ordering::Release);
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        self.sequence.store(odd + 1, Ordering::Release);
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use std::{sync::atomic::AtomicBool, thread};

    #[test]
    fn nothing_is_read_before_something_is_published() {
        let lock = Seqlock::new();
        assert_eq!(lock.read(), None);
        lock.publish([1, 2]);
        assert_eq!(lock.read(), Some([1, 2]));
    }

    #[test]
    fn threads_never_see_words_of_which_some_are_older() {
        let lock = Seqlock::new();
        let publishing = AtomicBool::new(true);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for n in 0..1_000_000 {
                        lock.publish([n, n * 3, n * 7]);
                    }
                    publishing.store(false, Ordering::Relaxed);
                });
                scope.spawn(|| {
                    while publishing.load(Ordering::Relaxed) {
                        if let Some([n, three, seven]) = lock.read() {
                            assert_eq!((three, seven), (n * 3, n * 7));
                        }
                    }
                });
            }
        });
        assert!(lock.read().is_some());
    }
}

#[cfg(all(test, loom))]
mod proofs {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn words_are_read_whole_or_not_at_all() {
        loom::model(|| {
            let lock = Arc::new(Seqlock::new());
            lock.publish([1, 1]);
            let writer = Arc::clone(&lock);
            let writing = thread::spawn(move || writer.publish([2, 2]));
            if let Some([a, b]) = lock.read() {
                assert_eq!(a, b);
            }
            writing.join().unwrap();
            assert_eq!(lock.read(), Some([2, 2]));
        });
    }

    #[test]
    fn of_two_writers_at_once_one_may_give_way_and_none_mixes_with_the_other() {
        loom::model(|| {
            let lock = Arc::new(Seqlock::new());
            let other = Arc::clone(&lock);
            let writing = thread::spawn(move || other.publish([1, 1]));
            lock.publish([2, 2]);
            writing.join().unwrap();
            let [a, b] = lock.read().unwrap();
            assert_eq!(a, b);
        });
    }
}
