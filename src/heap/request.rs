//! One request, as seen by the installed meter.

#[cfg(feature = "jemalloc")]
use super::by_difference::{self, Difference};
use super::{
    account::Account,
    flow::HeapFlow,
    labels, ring,
    scope::{self, Owned},
    slots,
    tag::Tag,
    unsent,
};
use crate::route::Route;
use std::{any::Any, sync::Arc};

/// The heap of one request, while its window is open.
#[derive(Debug, Default)]
pub(crate) enum Flow {
    /// No heap meter is installed.
    #[default]
    Unmetered,
    /// Blocks have owners.
    Owned(Owned),
    /// Only each thread's allocations and frees are known.
    #[cfg(feature = "jemalloc")]
    ByDifference(Difference),
}

/// Filled by [`Flow::enter`] and ended by [`Flow::leave`].
#[derive(Default)]
pub(crate) struct Scope {
    owned: Option<scope::Scope>,
    #[cfg(feature = "jemalloc")]
    by_difference: Option<by_difference::Scope>,
}

impl Flow {
    /// A new request of `route` that began at that time of the [`clock`](crate::clock).
    #[inline]
    pub(crate) fn open(route: &Route, began: u64) -> Self {
        if slots::are_counting() {
            return Self::Owned(Owned::new(ring::open(labels::number(route), began)));
        }
        #[cfg(feature = "jemalloc")]
        if by_difference::this_thread().is_some() {
            return Self::ByDifference(Difference::default());
        }
        Self::Unmetered
    }

    /// Work elsewhere of the request that `account` stands for.
    pub(super) fn carrying(account: Arc<Account>) -> Self {
        #[cfg(feature = "jemalloc")]
        if account.tag() == Tag::NOBODY {
            return Self::ByDifference(Difference::carrying(account));
        }
        Self::Owned(Owned::carrying(account))
    }

    /// From here on, this thread's activity is the request's, until `scope` is left.
    #[inline]
    pub(crate) fn enter(&mut self, scope: &mut Scope) {
        match self {
            Self::Unmetered => {}
            Self::Owned(owned) => owned.enter(&mut scope.owned),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => scope.by_difference = difference.enter(),
        }
    }

    /// Ends a scope.
    #[inline]
    pub(crate) fn leave(&mut self, scope: &mut Scope) {
        match self {
            Self::Unmetered => {}
            Self::Owned(owned) => {
                if let Some(scope) = &mut scope.owned {
                    owned.leave(scope);
                }
            }
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => {
                if let Some(scope) = &mut scope.by_difference {
                    difference.leave(scope);
                }
            }
        }
    }

    /// Ends a scope of work elsewhere, and returns the work done in it.
    pub(super) fn leave_elsewhere(&mut self, scope: &mut Scope) -> HeapFlow {
        match self {
            Self::Unmetered => HeapFlow::default(),
            Self::Owned(owned) => {
                if let Some(scope) = &mut scope.owned {
                    owned.leave(scope);
                }
                owned.so_far()
            }
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => {
                if let Some(scope) = &mut scope.by_difference {
                    difference.leave_apart(scope);
                }
                difference.so_far().unwrap_or_default()
            }
        }
    }

    /// `data` of the response goes on to the server.
    pub(crate) fn hand_over(&mut self, data: &mut dyn Any) {
        match self {
            Self::Unmetered => {}
            Self::Owned(owned) => owned.hand_over(data),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => difference.hand_off(data),
        }
    }

    /// Called before the window closes while the server still has the response body. `None` if so little
    /// is live that it doesn't matter.
    pub(crate) fn before_body(&self) -> Option<unsent::Body> {
        match self {
            Self::Owned(owned) if owned.tag().has_place() && owned.live() > HEAD.cast_signed() => {
                Some(unsent::Body::of(owned.tag()))
            }
            _ => None,
        }
    }

    /// Closes the window and returns the remains of the request; `None` without a heap meter.
    #[inline]
    pub(crate) fn close(self) -> Option<Remains> {
        match self {
            Self::Unmetered => None,
            Self::Owned(owned) => Some(Remains::of(owned)),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => Some(Remains::Alive(Alive {
                tag: Tag::NOBODY,
                flow: difference.so_far()?,
                account: difference.into_account(),
            })),
        }
    }
}

/// The remains of a request whose window has closed.
#[derive(Debug)]
pub(crate) enum Remains {
    /// Nothing to wait for, and nothing left to do.
    Settled(HeapFlow),
    Alive(Alive),
}

/// Part of it may be live, or its work may still be running.
#[derive(Debug)]
pub(crate) struct Alive {
    tag: Tag,
    flow: HeapFlow,
    account: Option<Arc<Account>>,
}

/// A request that keeps nothing may have this much live: the parts of its head that a server holds until
/// the next request on the connection.
const HEAD: u64 = 1024;

impl Remains {
    fn of(owned: Owned) -> Self {
        let (tag, pending) = (owned.tag(), owned.pending());
        let mut flow = owned.so_far();
        let is_small = owned.live() <= HEAD.cast_signed();
        let account = owned.into_account();
        if is_small && account.is_none() && ring::unsent(tag) == 0 {
            ring::close_and_end(tag, pending);
            flow.own(0);
            return Self::Settled(flow);
        }
        ring::close(tag, pending);
        Self::Alive(Alive { tag, flow, account })
    }

    /// Live bytes of the request. 0 where blocks have no owner.
    pub(crate) fn live(&self) -> u64 {
        match self {
            Self::Settled(_) => 0,
            Self::Alive(alive) => alive.live(),
        }
    }

    /// Whether the server has yet to send some of the response.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, Self::Alive(alive) if alive.is_unsent())
    }

    /// Whether there is nothing to wait for: so little is live that it may be the head of the response,
    /// and the server has sent the rest.
    pub(crate) fn is_settled(&self) -> bool {
        match self {
            Self::Settled(_) => true,
            Self::Alive(alive) => alive.is_settled(),
        }
    }

    /// Gives up the request without a report. If its work is still running, its entry is given back when
    /// that ends.
    pub(crate) fn discard(self) {
        let Self::Alive(Alive { tag, account, .. }) = self else {
            return;
        };
        let end = || {
            ring::work_on(tag);
            move |_| ring::end(tag)
        };
        let is_carried = account.is_some_and(|account| scope::as_nobody(|| account.end(end)).1);
        if !is_carried {
            ring::end(tag);
        }
    }

    /// The figures of the request. If its work is still running, the result of `tell` is called when that
    /// ends.
    #[inline]
    pub(crate) fn settle<T>(&self, tell: impl FnOnce() -> T) -> HeapFlow
    where
        T: FnOnce(LateRemains) + Send + 'static,
    {
        match self {
            Self::Settled(flow) => *flow,
            Self::Alive(alive) => alive.settle(tell),
        }
    }
}

impl Alive {
    fn live(&self) -> u64 {
        ring::live(self.tag).max(0).cast_unsigned()
    }

    fn is_unsent(&self) -> bool {
        ring::unsent(self.tag) > 0
    }

    fn is_settled(&self) -> bool {
        self.live() <= HEAD && !self.is_unsent()
    }

    fn settle<T>(&self, tell: impl FnOnce() -> T) -> HeapFlow
    where
        T: FnOnce(LateRemains) + Send + 'static,
    {
        let tag = self.tag;
        let mut flow = self.flow;
        let mut is_carried = false;
        let live = match self.is_settled() {
            true => 0,
            false => self.live(),
        };
        let unsent = ring::unsent(tag).min(live);
        if let Some(account) = &self.account {
            let end = || {
                // Before the last carrier can give the entry back.
                ring::work_on(tag);
                let tell = tell();
                move |done| {
                    tell(LateRemains {
                        tag,
                        done,
                        before: live - unsent,
                    })
                }
            };
            let (elsewhere, carried) = scope::as_nobody(|| account.end(end));
            is_carried = carried;
            let peak = match tag {
                Tag::NOBODY => flow.peak.saturating_add(elsewhere.peak),
                _ => flow.peak.max(elsewhere.peak),
            };
            flow = HeapFlow {
                peak,
                ..flow.and(&elsewhere)
            };
        }
        if tag == Tag::NOBODY {
            return flow;
        }
        if !is_carried {
            // Data that the server has yet to send keeps the entry from the next request.
            ring::end(tag);
        }
        flow.own(live);
        flow.unsent = unsent;
        flow.running = if is_carried { live - unsent } else { 0 };
        flow
    }
}

/// The remains of work that went on after its request.
#[derive(Debug)]
pub(crate) struct LateRemains {
    tag: Tag,
    done: HeapFlow,
    /// Bytes the request had in use when it was reported.
    before: u64,
}

impl LateRemains {
    /// Whether too little is live to be worth waiting for.
    pub(crate) fn is_settled(&self) -> bool {
        self.tag == Tag::NOBODY || ring::live(self.tag) <= HEAD.cast_signed()
    }

    /// The figures of the work; `None` if it did nothing.
    pub(crate) fn settle(self) -> Option<HeapFlow> {
        let Self {
            tag, done, before, ..
        } = self;
        if tag == Tag::NOBODY {
            return (done != HeapFlow::default()).then_some(done);
        }
        let live = match self.is_settled() {
            true => 0,
            false => ring::live(tag).max(0).cast_unsigned(),
        };
        ring::end(tag);
        let mut flow = HeapFlow {
            // Taken over from the request.
            received: before,
            ..done
        };
        flow.own(live);
        let is_quiet = done.allocations == 0 && before == 0;
        (!is_quiet).then_some(flow)
    }
}

impl HeapFlow {
    /// Completes the figures, given `live` bytes still live: the rest was freed, by whomever.
    fn own(&mut self, live: u64) {
        // Others may have grown one of its blocks.
        let all = self.allocated.saturating_add(self.received);
        self.allocated += live.saturating_sub(all);
        // A scope knows the live bytes at its start, but not those that others added meanwhile.
        self.peak = self.peak.max(live);
        self.freed = self.allocated + self.received - live;
    }
}
