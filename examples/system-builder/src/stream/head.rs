//! The heads of a form's parts, which its parser holds whole: a part that never begins would be held
//! up to the limit of the body.

use axum::body::Body;
use futures_util::{StreamExt, stream};
use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Poll, ready},
};

/// Most bytes of a head, with what the connection hands on at once.
const MOST: usize = 64 * 1024;

/// Counts what is read of a body between the fields of a form.
#[derive(Clone, Default)]
pub(super) struct Heads(Arc<AtomicUsize>);

/// A head that is too long.
#[derive(Debug)]
pub(super) struct HeadTooLong;

impl Heads {
    /// A body that fails where a head is too long.
    ///
    /// It comes chunk by chunk, with a pause after each: the parser takes all there is before it
    /// looks at any of it.
    pub(super) fn limit(&self, body: Body) -> Body {
        let heads = self.clone();
        let mut chunks = body.into_data_stream();
        let mut pause = false;
        Body::from_stream(stream::poll_fn(move |cx| {
            if std::mem::take(&mut pause) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let chunk = ready!(chunks.poll_next_unpin(cx));
            pause = true;
            Poll::Ready(chunk.map(|chunk| {
                let chunk = chunk?;
                let read = heads.0.fetch_add(chunk.len(), Relaxed);
                if read > MOST {
                    return Err(axum::Error::new(HeadTooLong));
                }
                Ok(chunk)
            }))
        }))
    }

    /// Says that a part has begun, or goes on.
    pub(super) fn passed(&self) {
        self.0.store(0, Relaxed);
    }
}

impl fmt::Display for HeadTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the head of a part is longer than {} KiB", MOST / 1024)
    }
}

impl Error for HeadTooLong {}
