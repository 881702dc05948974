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
use std::{any::Any, sync::Arc};

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
            Self::Owned(owned) if ring::live(owned.tag()) > HEAD.cast_signed() => {
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
                ring::close(owned.tag());
                Some(Remains {
                    tag: owned.tag(),
                    flow: owned.so_far(),
                    account: owned.into_account(),
                    waits: false,
                })
            }
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => Some(Remains {
                tag: Tag::NOBODY,
                flow: difference.so_far()?,
                account: difference.into_account(),
                waits: false,
            }),
        }
    }
}

/// What is left of a request whose window has closed.
#[derive(Debug)]
pub(crate) struct Remains {
    tag: Tag,
    flow: HeapFlow,
    account: Option<Arc<Account>>,
    /// Whether the entry is kept until the server has sent the rest.
    waits: bool,
}

/// So much may be alive of a request that keeps nothing: what a server holds of its head until the next
/// request of the connection.
const HEAD: u64 = 1024;

impl Remains {
    /// What is alive of the request. 0 where blocks have no owner.
    pub(crate) fn live(&self) -> u64 {
        ring::live(self.tag).max(0).cast_unsigned()
    }

    /// Whether the server has yet to send some of the response.
    pub(crate) fn is_unsent(&self) -> bool {
        ring::unsent(self.tag) > 0
    }

    /// Whether nothing is to be waited for: what is alive is so little that it may be the head of the
    /// response, and the server has sent the rest.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.live() <= HEAD && !self.is_unsent()
    }

    /// No one will be told of this request, nor of what work of it does.
    pub(crate) fn discard(mut self) {
        self.settle(|| {
            |late: LateRemains| {
                late.settle();
            }
        });
        self.leave();
    }

    /// Nobody looks any more whether the server has sent the rest.
    pub(crate) fn leave(self) {
        if self.waits {
            ring::waited(self.tag);
        }
    }

    /// All that is to be said of the request. Where work of it still runs, `tell` makes what is called
    /// when that ends.
    pub(crate) fn settle<T>(&mut self, tell: impl FnOnce() -> T) -> HeapFlow
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
            // Before the account is told, because work may end at once and take it back.
            ring::work_on(tag);
            let end = || {
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
            if !carried {
                ring::worked(tag);
            }
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
        self.waits = unsent > 0;
        if self.waits {
            ring::wait(tag);
        }
        ring::end(tag);
        flow.own(live);
        flow.unsent = unsent;
        flow.running = if is_carried { live - unsent } else { 0 };
        flow
    }

    /// Whether the entry of a request that was told of is kept until the server has sent the rest. If so,
    /// somebody has to [look](Self::is_over) or to [leave](Self::leave).
    pub(crate) fn waits(&self) -> bool {
        self.waits
    }

    /// Whether the server has sent the rest; then the entry is given back. Not to be called again after that.
    pub(crate) fn is_over(&self) -> bool {
        let is_over = !self.is_unsent();
        if is_over {
            ring::waited(self.tag);
        }
        is_over
    }
}

/// What is left of work that outlived its request.
#[derive(Debug)]
pub(crate) struct LateRemains {
    tag: Tag,
    done: HeapFlow,
    /// What the request had in use when it was told of.
    before: u64,
}

impl LateRemains {
    /// Whether so little is alive that it need not be waited for.
    pub(crate) fn is_settled(&self) -> bool {
        self.tag == Tag::NOBODY || ring::live(self.tag) <= HEAD.cast_signed()
    }

    /// All that is to be said of the work; `None` where it did nothing.
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
        ring::worked(tag);
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
