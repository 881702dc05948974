//! Windows that have closed, for a thread's next requests to open again.
//!
//! Much is known of a request, and a server moves its future and body many times. So they hold no more than a
//! pointer to it. An allocation for each request would cost more than those moves, and what the last request of
//! this thread used is still in the cache.

#![allow(clippy::vec_box)] // The boxes are lent to requests, one by one.

use super::open::Open;
use crate::heap;
use std::cell::RefCell;

/// How many a thread keeps, some 450 bytes each. More requests at once allocate theirs and free it.
const KEPT: usize = 64;

thread_local! {
    static SPARE: RefCell<Vec<Box<Open>>> = const { RefCell::new(Vec::new()) };
}

#[inline]
pub(super) fn take() -> Box<Open> {
    let spare = SPARE.try_with(|spare| spare.try_borrow_mut().ok()?.pop());
    // There is none at the end of a thread either, when its list is gone.
    spare.ok().flatten().unwrap_or_else(allocate)
}

#[cold]
fn allocate() -> Box<Open> {
    heap::as_nobody(|| Box::new(Open::blank()))
}

#[inline]
pub(super) fn give_back(window: Box<Open>) {
    let _ = SPARE.try_with(|spare| {
        if let Ok(mut spare) = spare.try_borrow_mut() {
            if spare.len() < spare.capacity() || has_grown(&mut spare) {
                spare.push(window);
            }
        }
    });
}

/// Makes room the first time.
#[cold]
fn has_grown(spare: &mut Vec<Box<Open>>) -> bool {
    let is_first = spare.is_empty();
    if is_first {
        heap::as_nobody(|| spare.reserve_exact(KEPT));
    }
    is_first
}
