//! The remains of a request whose window has closed, and of its work once that has ended.

use super::{
    account::Account,
    flow::HeapFlow,
    ring,
    scope::{self, Owned},
    tag::Tag,
};
use std::sync::Arc;

/// The remains of a request whose window has closed: part of it may be live, or its work may still be running.
#[derive(Debug)]
pub(crate) struct Remains {
    tag: Tag,
    flow: HeapFlow,
    account: Option<Arc<Account>>,
}

/// A request that keeps nothing may have this much live: the parts of its head that a server holds until
/// the next request on the connection.
pub(super) const HEAD: u64 = 1024;

impl Remains {
    /// Where blocks have no owner.
    #[cfg(feature = "jemalloc")]
    pub(super) fn by_difference(flow: HeapFlow, account: Option<Arc<Account>>) -> Self {
        Self {
            tag: Tag::NOBODY,
            flow,
            account,
        }
    }

    /// Ends a request with nothing to wait for, as most are, and returns its figures.
    #[inline]
    pub(super) fn settled(owned: &Owned) -> Option<HeapFlow> {
        let tag = owned.tag();
        let is_small = owned.live() <= HEAD as i64;
        let is_settled = is_small && !owned.has_account() && ring::unsent(tag) == 0;
        is_settled.then(|| {
            ring::close_and_end(tag, owned.pending());
            let mut flow = owned.so_far();
            flow.own(0);
            flow
        })
    }

    /// Of any other request.
    pub(super) fn of(owned: Owned) -> Self {
        let (tag, flow) = (owned.tag(), owned.so_far());
        ring::close(tag, owned.pending());
        let account = owned.into_account();
        Self { tag, flow, account }
    }

    /// Live bytes of the request. 0 where blocks have no owner.
    pub(crate) fn live(&self) -> u64 {
        ring::live(self.tag).max(0) as u64
    }

    /// Whether the server has yet to send some of the response.
    pub(crate) fn is_unsent(&self) -> bool {
        ring::unsent(self.tag) > 0
    }

    /// Whether there is nothing to wait for: so little is live that it may be the head of the response,
    /// and the server has sent the rest.
    pub(crate) fn is_settled(&self) -> bool {
        self.live() <= HEAD && !self.is_unsent()
    }

    /// Gives up the request without a report. If its work is still running, its entry is given back when
    /// that ends.
    pub(crate) fn discard(self) {
        let Self { tag, account, .. } = self;
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
        self.tag == Tag::NOBODY || ring::live(self.tag) <= HEAD as i64
    }

    /// The figures of the work; `None` if it did nothing.
    pub(crate) fn settle(&self) -> Option<HeapFlow> {
        let &Self { tag, done, before } = self;
        if tag == Tag::NOBODY {
            return (done != HeapFlow::default()).then_some(done);
        }
        let live = match self.is_settled() {
            true => 0,
            false => ring::live(tag).max(0) as u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_never_below_what_is_alive() {
        let mut flow = HeapFlow {
            allocated: 100,
            peak: 10,
            ..HeapFlow::default()
        };
        flow.own(50);
        assert_eq!((flow.peak, flow.freed, flow.net()), (50, 50, 50));
    }
}
