//! Services with a known behaviour that the zoo doesn't have.

use axum::{Router, routing::get};
use std::sync::{Arc, Mutex, PoisonError};

/// An app with one route, which changes what it keeps with the number of the request.
fn app<T: Default + Send + 'static>(
    change: impl Fn(&mut T, u64) + Clone + Send + Sync + 'static,
) -> Router {
    let kept = Arc::new(Mutex::new((0, T::default())));
    let handle = async move || {
        let (number, kept) = &mut *kept.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        change(kept, *number);
    };
    Router::new().route("/it", get(handle))
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

/// Panics from a certain request on.
pub(crate) fn failing(from: u64) -> Router {
    app(move |_: &mut (), number| assert!(number < from, "on purpose"))
}
