//! One request, as whichever meter there is sees it.

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
use std::{any::Any, mem, sync::Arc};

/// The heap of one request, while its window is open.
#[derive(Debug, Default)]
pub(crate) enum Flow {
    /// No allocator counts.
    #[default]
    Unmetered,
    /// Its blocks are known as its own.
    Owned(Owned),
    /// What its thread allocates and frees is known.
    #[cfg(feature = "jemalloc")]
    ByDifference(Difference),
}

/// A scope that was entered; see [`Flow::enter`].
#[must_use]
pub(crate) enum Scope {
    Owned(scope::Scope),
    #[cfg(feature = "jemalloc")]
    ByDifference(by_difference::Scope),
}

impl Flow {
    /// A new request of `route`.
    #[inline]
    pub(crate) fn open(route: &Route) -> Self {
        if slots::are_counting() {
            return Self::Owned(Owned::new(ring::open(labels::number(route))));
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

    /// From here on, what this thread does is the request's. `None` where it is already, or where no
    /// allocator counts.
    #[inline]
    pub(crate) fn enter(&mut self) -> Option<Scope> {
        match self {
            Self::Unmetered => None,
            Self::Owned(owned) => owned.enter().map(Scope::Owned),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => difference.enter().map(Scope::ByDifference),
        }
    }

    /// Ends a scope.
    #[inline]
    pub(crate) fn leave(&mut self, scope: &mut Scope) {
        match (self, scope) {
            (Self::Owned(owned), Scope::Owned(scope)) => owned.leave(scope),
            #[cfg(feature = "jemalloc")]
            (Self::ByDifference(difference), Scope::ByDifference(scope)) => {
                difference.leave(scope);
            }
            #[allow(
                unreachable_patterns,
                reason = "there is one pair only without jemalloc's counters"
            )]
            _ => {}
        }
    }

    /// Ends a scope of work elsewhere, and returns what was done in it.
    pub(super) fn leave_elsewhere(&mut self, scope: Option<Scope>) -> HeapFlow {
        match (&mut *self, scope) {
            #[cfg(feature = "jemalloc")]
            (Self::ByDifference(difference), Some(Scope::ByDifference(mut scope))) => {
                difference.leave_apart(&mut scope);
            }
            (flow, Some(mut scope)) => flow.leave(&mut scope),
            (_, None) => {}
        }
        match self {
            Self::Unmetered => HeapFlow::default(),
            Self::Owned(owned) => owned.so_far(),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => difference.so_far().unwrap_or_default(),
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

    /// The window is about to close while the server has the response body. `None` where that doesn't
    /// matter, because so little is alive.
    pub(crate) fn before_body(&self) -> Option<unsent::Body> {
        match self {
            Self::Owned(owned) if owned.live() > HEAD.cast_signed() => {
                Some(unsent::Body::of(owned.tag()))
            }
            _ => None,
        }
    }

    /// The window has closed. What is left of the request; `None` where no allocator counts.
    pub(crate) fn close(self) -> Option<Remains> {
        match self {
            Self::Unmetered => None,
            Self::Owned(owned) => {
                let mut remains = Remains {
                    tag: owned.tag(),
                    flow: owned.so_far(),
                    pending: owned.pending(),
                    account: owned.into_account(),
                    is_closed: false,
                };
                // What is over at once is closed and ended in one.
                if !remains.is_settled() || remains.account.is_some() {
                    ring::close(remains.tag, mem::take(&mut remains.pending));
                    remains.is_closed = true;
                }
                Some(remains)
            }
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => Some(Remains {
                tag: Tag::NOBODY,
                flow: difference.so_far()?,
                pending: 0,
                account: difference.into_account(),
                is_closed: true,
            }),
        }
    }
}

/// What is left of a request whose window has closed.
#[derive(Debug)]
pub(crate) struct Remains {
    tag: Tag,
    flow: HeapFlow,
    /// What its entry doesn't have yet; 0 once that is closed.
    pending: i64,
    is_closed: bool,
    account: Option<Arc<Account>>,
}

/// So much may be alive of a request that keeps nothing: what a server holds of its head until the next
/// request of the connection.
const HEAD: u64 = 1024;

impl Remains {
    /// What is alive of the request. 0 where blocks have no owner.
    pub(crate) fn live(&self) -> u64 {
        let live = ring::live(self.tag).wrapping_add(self.pending);
        live.max(0).cast_unsigned()
    }

    /// Whether the server has yet to send some of the response.
    pub(crate) fn is_unsent(&self) -> bool {
        ring::unsent(self.tag) > 0
    }

    /// Whether there is nothing to wait for: what is alive is so little that it may be the head of the
    /// response, and the server has sent the rest.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.live() <= HEAD && !self.is_unsent()
    }

    /// This request is reported by nobody here. Where work of it still runs, its entry is given back when
    /// that ends.
    pub(crate) fn discard(self) {
        let tag = self.tag;
        let end = || {
            ring::work_on(tag);
            move |_| ring::end(tag)
        };
        let is_carried = self
            .account
            .as_ref()
            .is_some_and(|account| scope::as_nobody(|| account.end(end)).1);
        if !is_carried {
            self.end();
        }
    }

    fn end(&self) {
        match self.is_closed {
            true => ring::end(self.tag),
            false => ring::close_and_end(self.tag, self.pending),
        }
    }

    /// The figures of the request. Where work of it still runs, `tell` makes what is called
    /// when that ends.
    pub(crate) fn settle<T>(&self, tell: impl FnOnce() -> T) -> HeapFlow
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
            // What the server has yet to send keeps the entry from the next request.
            self.end();
        }
        flow.own(live);
        flow.unsent = unsent;
        flow.running = if is_carried { live - unsent } else { 0 };
        flow
    }
}

/// What is left of work that went on after its request.
#[derive(Debug)]
pub(crate) struct LateRemains {
    tag: Tag,
    done: HeapFlow,
    /// What the request had in use when it was reported.
    before: u64,
}

impl LateRemains {
    /// Whether so little is alive that it need not be waited for.
    pub(crate) fn is_settled(&self) -> bool {
        self.tag == Tag::NOBODY || ring::live(self.tag) <= HEAD.cast_signed()
    }

    /// The figures of the work; `None` where it did nothing.
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
    /// With `live` of it alive: the rest was freed, whoever did it.
    fn own(&mut self, live: u64) {
        // Others may have grown a block of its.
        let all = self.allocated.saturating_add(self.received);
        self.allocated += live.saturating_sub(all);
        self.freed = self.allocated + self.received - live;
    }
}
