//! Work on several threads.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError, mpsc};

use super::Engine;
use crate::objects::AnyObject;

impl<O: AnyObject> Engine<O> {
    /// Does the work for all items, on the engine's threads, and takes what comes out in the order
    /// of the items.
    pub(crate) fn for_all<T: Sync, R: Send, E>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.threads == 1 {
            return items.iter().map(work).try_for_each(take);
        }
        let (give, given) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let given = Mutex::new(given);
        let next = || given.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let work = |i: usize| catch_unwind(AssertUnwindSafe(|| work(&items[i])));
        std::thread::scope(|threads| {
            for _ in 0..self.threads.min(items.len()) {
                let tell = tell.clone();
                threads.spawn(move || {
                    while let Ok(i) = next() {
                        // Where nobody listens any more, nothing is given any more either.
                        tell.send((i, work(i))).ok();
                    }
                });
            }
            // The threads end when this is gone, whatever happens.
            let give = give;
            let mut left = 0..items.len();
            let mut give_next = || left.next().is_some_and(|i| give.send(i).is_ok());
            // What is done waits for what is before it: a few for each thread, not all.
            (0..self.threads * 4).all(|_| give_next());
            let mut done = BTreeMap::new();
            for i in 0..items.len() {
                let result = loop {
                    if let Some(result) = done.remove(&i) {
                        break result;
                    }
                    let news = told.recv();
                    let (other, result) =
                        news.unwrap_or_else(|_| unreachable!("`tell` is there until the end"));
                    done.insert(other, result);
                };
                give_next();
                take(result.unwrap_or_else(|panic| resume_unwind(panic)))?;
            }
            Ok(())
        })
    }
}
