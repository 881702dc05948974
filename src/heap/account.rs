use super::{flow::HeapFlow, tag::Tag};
use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What is done for a request elsewhere than in its own polls. Opened only where somebody asks: a
/// request that spawns nothing never has one.
pub(crate) struct Account {
    tag: Tag,
    state: Mutex<State>,
    /// Request body bytes that came in and are not freed yet, where blocks have no owner.
    outstanding: AtomicU64,
}

#[derive(Default)]
struct State {
    flow: HeapFlow,
    carriers: usize,
    /// Set once the request has ended: `flow` begins anew with what is late.
    ended: bool,
    tell: Option<Tell>,
}

type Tell = Box<dyn FnOnce(HeapFlow) + Send>;

impl Account {
    /// Of the request that owns what has this tag; nobody's where blocks have no owner.
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

    /// One more may do work for this request.
    pub(super) fn carry(&self) {
        self.state().carriers += 1;
    }

    /// One less. The last one tells what was done after the request's end.
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
            // Counted from what was alive of the request all along.
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

    /// Request body bytes are freed. Whether they still count as the request's own.
    #[cfg(feature = "jemalloc")]
    pub(super) fn went_out(&self, bytes: u64) -> bool {
        let state = self.state();
        self.outstanding.fetch_sub(bytes, Ordering::Relaxed);
        !state.ended
    }

    /// The request has ended: what was done for it so far, and whether somebody still carries it. Then
    /// `tell` makes what the last of them calls with what was done later.
    pub(super) fn end<T>(&self, tell: impl FnOnce() -> T) -> (HeapFlow, bool)
    where
        T: FnOnce(HeapFlow) + Send + 'static,
    {
        let mut state = self.state();
        state.ended = true;
        let mut flow = std::mem::take(&mut state.flow);
        // What came in and is there still was kept.
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
