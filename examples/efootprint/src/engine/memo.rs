//! What was computed already.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::series::Hours;

/// An object, one of its attributes, and of which object it is about.
pub(crate) type Key = (u32, &'static str, u32);

/// The series computed last, as many as there is room for. One that had to go is computed once
/// more where it is needed.
pub(crate) struct Memo {
    kept: Mutex<SizedCache>,
    /// The most bytes that series may take.
    room: AtomicUsize,
}

struct SizedCache {
    series: LruCache<Key, Hours>,
    /// In bytes.
    size: usize,
}

/// What a series takes beside its values: its entry, and the reference counts.
const ENTRY: usize = 128;

impl Memo {
    pub(crate) fn new(room: usize) -> Self {
        let kept = SizedCache {
            series: LruCache::unbounded(),
            size: 0,
        };
        Self {
            kept: Mutex::new(kept),
            room: AtomicUsize::new(room),
        }
    }

    /// Keeps series of so many bytes from now on, if that is more than before.
    pub(crate) fn widen(&self, room: usize) {
        self.room.fetch_max(room, Relaxed);
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Hours> {
        self.kept().series.get(key).cloned()
    }

    pub(crate) fn keep(&self, key: Key, hours: Hours) {
        // What has to go is freed when others may look again.
        let mut gone = Vec::new();
        let mut kept = self.kept();
        kept.size += size_of_entry(&hours);
        if let Some(previous) = kept.series.put(key, hours) {
            kept.size -= size_of_entry(&previous);
            gone.push(previous);
        }
        while kept.size > self.room.load(Relaxed) && kept.series.len() > 1 {
            let Some((_, oldest)) = kept.series.pop_lru() else {
                break;
            };
            kept.size -= size_of_entry(&oldest);
            gone.push(oldest);
        }
        drop(kept);
        drop(gone);
    }

    /// Nothing panics while it holds the lock, so a poisoned one still guards a whole memo.
    fn kept(&self) -> MutexGuard<'_, SizedCache> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size_of_entry(hours: &Hours) -> usize {
    ENTRY + hours.as_ref().map_or(0, |series| series.size())
}
