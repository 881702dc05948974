//! What was computed already.

use std::cell::{Cell, RefCell};

use lru::LruCache;

use super::Hours;

/// An object, one of its attributes, and of which object it is about.
pub(super) type Key = (u32, &'static str, u32);

/// The series computed last, as many as there is room for. One that had to go is computed once
/// more where it is needed.
pub(super) struct Memo {
    series: RefCell<LruCache<Key, Hours>>,
    /// Bytes of the series, and the most that they may be.
    size: Cell<usize>,
    room: usize,
}

/// What a series takes beside its values: its entry, and the reference counts.
const ENTRY: usize = 128;

impl Memo {
    pub(super) fn new(room: usize) -> Self {
        Self {
            series: RefCell::new(LruCache::unbounded()),
            size: Cell::new(0),
            room,
        }
    }

    pub(super) fn get(&self, key: &Key) -> Option<Hours> {
        self.series.borrow_mut().get(key).cloned()
    }

    pub(super) fn keep(&self, key: Key, hours: Hours) {
        let mut series = self.series.borrow_mut();
        let mut size = self.size.get() + size_of_entry(&hours);
        if let Some(previous) = series.put(key, hours) {
            size -= size_of_entry(&previous);
        }
        while size > self.room && series.len() > 1 {
            let Some((_, oldest)) = series.pop_lru() else {
                break;
            };
            size -= size_of_entry(&oldest);
        }
        self.size.set(size);
    }
}

fn size_of_entry(hours: &Hours) -> usize {
    ENTRY + hours.as_ref().map_or(0, |series| series.size())
}
