use super::flow::HeapFlow;
use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// What is done for a request elsewhere than in its own polls. Opened only where somebody asks: a
/// request that spawns nothing and has no body never has one.
#[derive(Default)]
pub(crate) struct Account {
    state: Mutex<State>,
    /// Request body bytes that came in and are not freed yet.
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
    /// One more may do work for this request.
    pub(super) fn carry(&self) {
        self.state().carriers += 1;
    }

    /// One less. The last one tells what was done after the request's end, if anything was.
    pub(super) fn put_down(&self) {
        let mut state = self.state();
        state.carriers -= 1;
        let tell = (state.carriers == 0).then(|| state.tell.take()).flatten();
        let late = state.flow;
        drop(state);
        if let Some(tell) = tell
            && late != HeapFlow::default()
        {
            tell(late);
        }
    }

    pub(super) fn add(&self, done: &HeapFlow) {
        let mut state = self.state();
        let peak = state.flow.net().saturating_add_unsigned(done.peak);
        let peak = state.flow.peak.max(peak.max(0).cast_unsigned());
        state.flow = HeapFlow {
            peak,
            ..state.flow.and(done)
        };
    }

    pub(super) fn came_in(&self, bytes: u64) {
        self.outstanding.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Request body bytes are freed. Whether they still count as the request's own.
    pub(super) fn went_out(&self, bytes: u64) -> bool {
        let state = self.state();
        self.outstanding.fetch_sub(bytes, Ordering::Relaxed);
        !state.ended
    }

    /// The request has ended: what was done for it so far. If somebody still carries it, `tell`
    /// makes what the last of them calls with what was done later.
    pub(crate) fn end<T>(&self, tell: impl FnOnce() -> T) -> HeapFlow
    where
        T: FnOnce(HeapFlow) + Send + 'static,
    {
        let mut state = self.state();
        state.ended = true;
        let mut flow = std::mem::take(&mut state.flow);
        // What came in and is there still was kept.
        flow.received += self.outstanding.load(Ordering::Relaxed);
        if state.carriers > 0 {
            state.tell = Some(Box::new(tell()));
        }
        flow
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
