//! Services with a known behaviour.

use axum::{Router, routing::get};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// State that lives as long as the app.
struct Kept<T>(Arc<Mutex<T>>);

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Default> Kept<T> {
    fn new() -> Self {
        Self(Arc::default())
    }
}

impl<T> Kept<T> {
    fn get(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An app whose only route changes what it keeps with the number of the request.
fn app<T: Default + Send + 'static>(
    change: impl Fn(&mut T, u64) + Clone + Send + Sync + 'static,
) -> Router {
    let kept = Kept::<(u64, T)>::new();
    Router::new().route(
        "/it",
        get(async move || {
            let (number, kept) = &mut *kept.get();
            *number += 1;
            change(kept, *number);
        }),
    )
}

pub(crate) fn steady() -> Router {
    app(|_: &mut (), _| drop(std::hint::black_box(vec![1_u8; 10_000])))
}

pub(crate) fn leak(bytes: usize) -> Router {
    app(move |_: &mut (), _| {
        std::hint::black_box(vec![1_u8; bytes].leak());
    })
}

/// One of so many requests leaks.
pub(crate) fn rare(each: u64, bytes: usize) -> Router {
    app(move |_: &mut (), number| {
        if number % each == 0 {
            std::hint::black_box(vec![1_u8; bytes].leak());
        }
    })
}

/// A map of numbers that is never emptied.
pub(crate) fn doubling() -> Router {
    app(|kept: &mut HashMap<u64, u64>, number| {
        kept.insert(number, number);
    })
}

/// A cache of so many entries, that are of different sizes and evict the oldest.
pub(crate) fn cache(entries: usize) -> Router {
    app(move |kept: &mut VecDeque<Vec<u8>>, number| {
        if kept.len() == entries {
            kept.pop_front();
        }
        kept.push_back(vec![1; 100 + number as usize * 7919 % 900]);
    })
}

/// A cache of so many bytes.
pub(crate) fn cache_of_bytes(most: usize) -> Router {
    app(move |kept: &mut (usize, VecDeque<Vec<u8>>), number| {
        let entry = vec![1; 100 + number as usize * 7919 % 5_000];
        kept.0 += entry.len();
        kept.1.push_back(entry);
        while kept.0 > most {
            kept.0 -= kept.1.pop_front().map_or(0, |entry| entry.len());
        }
    })
}

/// A buffer that is thrown away when it is full.
pub(crate) fn saw_tooth(period: u64) -> Router {
    app(move |kept: &mut Vec<Vec<u8>>, number| {
        if number % period == 0 {
            kept.clear();
        }
        kept.push(vec![1; 300]);
    })
}

/// One large thing that is made at a certain request and stays.
pub(crate) fn step(at: u64) -> Router {
    app(move |kept: &mut Vec<u8>, number| {
        if number == at {
            *kept = vec![1; 1 << 20];
        }
    })
}

/// A step now and then, for ever.
pub(crate) fn staircase(each: u64) -> Router {
    app(move |kept: &mut Vec<Vec<u8>>, number| {
        if number % each == 0 {
            kept.push(vec![1; 200_000]);
        }
    })
}

/// Requests keep nothing, but a task grows for as long as the app lives.
pub(crate) fn background() -> Router {
    let kept = Kept::<Vec<Vec<u8>>>::new();
    let weak = Arc::downgrade(&kept.0);
    tokio::spawn(async move {
        while let Some(kept) = weak.upgrade() {
            Kept(kept).get().push(vec![1; 4_000]);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    Router::new().route(
        "/it",
        get(async move || {
            drop(kept.get());
        }),
    )
}

/// Fails from a certain request on.
pub(crate) fn failing(from: u64) -> Router {
    app(move |_: &mut (), number| assert!(number < from, "on purpose"))
}
