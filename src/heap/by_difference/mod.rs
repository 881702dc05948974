//! Requests where blocks have no owner: jemalloc counts by itself, per thread.
//!
//! A thread's counts only rise; a *scope* is the stretch between two looks at them. A request's figures
//! are the sum of its scopes: one for each time it is polled, and one for the drop at its end. That is
//! exact only if a request frees everything it allocated itself. Memory that passes between request and
//! connection is corrected for where it can be seen. That includes body frames, but not heads, nor the
//! buffers that a server cuts its frames from. The documentation of [`heap`](super) has the bounds.

mod frame;
mod jemalloc;

pub(super) use self::{
    frame::received,
    jemalloc::{live_bytes, this_thread},
};

use self::{frame::handed_off, jemalloc::Counters};
use super::{account::Account, flow::HeapFlow, tag::Tag};
use std::{any::Any, cell::Cell, mem::ManuallyDrop, sync::Arc};

/// Calls `f` with this thread's counters, or returns `None` if jemalloc is not the global allocator.
#[inline]
fn with_this_thread<R>(f: impl FnOnce(&Counters) -> R) -> Option<R> {
    this_thread().map(|counters| f(&counters))
}

/// A thread's counts. Only differences mean something, and they may wrap.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    allocated: u64,
    freed: u64,
    received: u64,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            allocated: self.allocated.wrapping_add(other.allocated),
            freed: self.freed.wrapping_add(other.freed),
            received: self.received.wrapping_add(other.received),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            allocated: self.allocated.wrapping_sub(other.allocated),
            freed: self.freed.wrapping_sub(other.freed),
            received: self.received.wrapping_sub(other.received),
        }
    }

    fn net(self) -> i64 {
        self.allocated.wrapping_sub(self.freed) as i64
    }
}

/// A thread's state beside its allocator's counts. Has no destructor, so it can be used until the very
/// end of the thread.
struct Thread {
    /// Request body bytes received, ever.
    received: Cell<u64>,
    /// Counts, ever, of scopes that belong to another request than their enclosing scope.
    elsewhere: Cell<Counts>,
    /// Whether a request's scope is open.
    is_serving: Cell<bool>,
    /// Its account, if one was opened. Every scope that is entered is left, which drops it.
    account: Cell<Option<ManuallyDrop<Arc<Account>>>>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            received: Cell::new(0),
            elsewhere: Cell::new(Counts { allocated: 0, freed: 0, received: 0 }),
            is_serving: Cell::new(false),
            account: Cell::new(None),
        }
    };
}

impl Thread {
    #[inline]
    fn counts(&self, meter: &Counters) -> Counts {
        Counts {
            allocated: meter.allocated(),
            freed: meter.freed(),
            received: self.received.get(),
        }
    }
}

/// An open scope. Must be left once, on the thread that entered it, after all scopes entered since.
///
/// Left in place, because moving it costs more than all the rest: the processor can't load in one piece
/// what it has just stored in several.
#[must_use]
pub(crate) struct Scope {
    was_serving: bool,
    outer_account: Option<ManuallyDrop<Arc<Account>>>,
    /// The peak of the enclosing scope, as if nothing had ever been counted elsewhere.
    outer_peak: i64,
}

/// One request's counts so far.
///
/// Between its scopes these are plain sums. While a scope is open, the counts at its start are
/// subtracted from them, so nothing needs to remember those.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    counts: Counts,
    peak: i64,
    handed_off: u64,
    account: Option<Arc<Account>>,
}

impl Difference {
    /// A separate flow for work of the request that `account` stands for.
    pub(in crate::heap) fn carrying(account: Arc<Account>) -> Self {
        Self {
            account: Some(account),
            ..Self::default()
        }
    }

    /// From here on, this thread's activity is the request's. `None` without a heap meter.
    #[inline]
    pub(in crate::heap) fn enter(&mut self) -> Option<Scope> {
        with_this_thread(|meter| {
            THREAD.with(|thread| {
                let elsewhere = thread.elsewhere.get();
                let counts = thread.counts(meter).minus(elsewhere);
                self.counts = self.counts.minus(counts);
                let outer_peak = meter.peak().wrapping_sub(elsewhere.net());
                meter.set_peak(meter.net());
                let account = self.account.take().map(ManuallyDrop::new);
                Scope {
                    was_serving: thread.is_serving.replace(true),
                    outer_account: thread.account.replace(account),
                    outer_peak,
                }
            })
        })
    }

    /// Ends a scope that also counts for the enclosing one: a request served within a request is part of
    /// both.
    #[inline]
    pub(in crate::heap) fn leave(&mut self, scope: &mut Scope) {
        with_this_thread(|meter| {
            THREAD.with(|thread| {
                let elsewhere = thread.elsewhere.get();
                let outer_peak = self.close(thread, meter, scope);
                let outer_peak = outer_peak.wrapping_add(elsewhere.net());
                meter.set_peak(meter.peak().max(outer_peak));
            });
        });
    }

    /// Ends the only scope of this flow, which doesn't count for the enclosing one: that scope may be of
    /// another request, or be about to add this flow from its account.
    pub(in crate::heap) fn leave_apart(&mut self, scope: &mut Scope) {
        with_this_thread(|meter| {
            THREAD.with(|thread| {
                let outer_peak = self.close(thread, meter, scope);
                let elsewhere = thread.elsewhere.get().plus(self.counts);
                thread.elsewhere.set(elsewhere);
                meter.set_peak(outer_peak.wrapping_add(elsewhere.net()));
            });
        });
    }

    #[inline]
    fn close(&mut self, thread: &Thread, meter: &Counters, scope: &mut Scope) -> i64 {
        let elsewhere = thread.elsewhere.get();
        let peak = meter.peak().wrapping_sub(elsewhere.net());
        self.peak = self.peak.max(self.counts.net().wrapping_add(peak));
        let counts = thread.counts(meter).minus(elsewhere);
        self.counts = self.counts.plus(counts);
        thread.is_serving.set(scope.was_serving);
        let account = thread.account.replace(scope.outer_account.take());
        self.account = account.map(ManuallyDrop::into_inner);
        scope.outer_peak
    }

    /// `data` of the response goes on to the poller of the body.
    pub(in crate::heap) fn hand_off(&mut self, data: &mut dyn Any) {
        self.handed_off += handed_off(data);
    }

    /// The account of this request's work elsewhere, if one was opened.
    pub(in crate::heap) fn into_account(self) -> Option<Arc<Account>> {
        self.account
    }

    /// The counts so far, without the account. `None` without a heap meter.
    pub(in crate::heap) fn so_far(&self) -> Option<HeapFlow> {
        with_this_thread(|_| HeapFlow {
            allocated: self.counts.allocated,
            freed: self.counts.freed,
            peak: self.peak.max(0) as u64,
            received: self.counts.received,
            handed_off: self.handed_off,
            ..HeapFlow::default()
        })
    }
}

/// The account of the request that this thread works for, opened now if necessary. `None` outside of any
/// request or without a heap meter.
pub(in crate::heap) fn current_account() -> Option<Arc<Account>> {
    THREAD.with(|thread| {
        thread.is_serving.get().then(|| {
            let account = thread.account.take();
            let account = account
                .map(ManuallyDrop::into_inner)
                .unwrap_or_else(|| Arc::new(Account::new(Tag::NOBODY)));
            let current = Arc::clone(&account);
            thread.account.set(Some(ManuallyDrop::new(account)));
            current
        })
    })
}

/// Calls `free`, which frees memory from outside, and counts that memory as received: the enclosing
/// scope sees no change.
pub(in crate::heap) fn neutral<R>(free: impl FnOnce() -> R) -> R {
    let freed = || with_this_thread(Counters::freed).unwrap_or(0);
    let before = freed();
    let result = free();
    let freed = freed().wrapping_sub(before);
    THREAD.with(|thread| {
        let received = thread.received.get().wrapping_add(freed);
        thread.received.set(received);
    });
    result
}
