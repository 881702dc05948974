use super::{flow::HeapFlow, tag::Tag};
use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Work done for a request outside of its own polls. Opened only on demand: a request that spawns
/// nothing never has one.
pub(crate) struct Account {
    tag: Tag,
    state: Mutex<State>,
    /// Request body bytes received and not yet freed. Used only where blocks have no owner.
    outstanding: AtomicU64,
}

#[derive(Default)]
struct State {
    flow: HeapFlow,
    carriers: usize,
    /// Set once the request has ended; from then on `flow` counts late work.
    ended: bool,
    tell: Option<Tell>,
}

type Tell = Box<dyn FnOnce(HeapFlow) + Send>;

impl Account {
    /// The account of the request with this tag; [`Tag::NOBODY`] where blocks have no owner.
    pub(super) fn new(tag: Tag) -> Self {
        Self {
            tag,
            state: Mutex::default(),
            outstanding: AtomicU64::new(0),
        }
    }

    pub(super) fn tag(&self) -> Tag {
        self.tag
    }

    /// Adds a carrier, which may do work for this request.
    pub(super) fn carry(&self) {
        self.state().carriers += 1;
    }

    /// Removes a carrier. The last one reports the work done after the request's end.
    pub(super) fn put_down(&self) {
        let mut state = self.state();
        state.carriers -= 1;
        let tell = (state.carriers == 0).then(|| state.tell.take()).flatten();
        let late = state.flow;
        drop(state);
        if let Some(tell) = tell {
            tell(late);
        }
    }

    pub(super) fn add(&self, done: &HeapFlow) {
        let mut state = self.state();
        let peak = match self.tag {
            Tag::NOBODY => {
                let peak = state.flow.net().saturating_add_unsigned(done.peak);
                peak.max(0) as u64
            }
            // Already counted from the request's live bytes.
            _ => done.peak,
        };
        state.flow = HeapFlow {
            peak: state.flow.peak.max(peak),
            ..state.flow.and(done)
        };
    }

    #[cfg(feature = "jemalloc")]
    pub(super) fn came_in(&self, bytes: u64) {
        self.outstanding.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Takes note that request body bytes are being freed. Returns whether they still count as the
    /// request's own.
    #[cfg(feature = "jemalloc")]
    pub(super) fn went_out(&self, bytes: u64) -> bool {
        let state = self.state();
        self.outstanding.fetch_sub(bytes, Ordering::Relaxed);
        !state.ended
    }

    /// Ends the request. Returns the work done for it so far, and whether somebody still carries it.
    /// If so, the last carrier calls the result of `tell` with the work done later.
    pub(super) fn end<T>(&self, tell: impl FnOnce() -> T) -> (HeapFlow, bool)
    where
        T: FnOnce(HeapFlow) + Send + 'static,
    {
        let mut state = self.state();
        state.ended = true;
        let mut flow = std::mem::take(&mut state.flow);
        // Bytes that came in and are still there were kept.
        flow.received += self.outstanding.load(Ordering::Relaxed);
        let is_carried = state.carriers > 0;
        if is_carried {
            state.tell = Some(Box::new(tell()));
        }
        (flow, is_carried)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}
