//! The scope open on a thread, and the activity within it.
//!
//! While a scope is open, its thread's allocations belong to its request. Scopes nest, and only the
//! innermost one counts; its enclosing scopes go on when it is left.

use super::{
    account::Account,
    flow::HeapFlow,
    ring,
    slot::{Counts, Slot},
    slots,
    tag::Tag,
};
use std::{
    cell::Cell,
    mem::{self, ManuallyDrop},
    sync::Arc,
};

thread_local! {
    /// The account of the request whose scope is open, if one was opened. Every scope that is entered is
    /// left, which takes it back. Has no destructor, so it can be used until the very end of the thread.
    static ACCOUNT: Cell<Option<ManuallyDrop<Arc<Account>>>> = const { Cell::new(None) };
}

/// An open scope. Must be left once, on the thread that entered it, after all scopes entered since.
///
/// Left in place, because moving it costs more than all the rest: the processor can't load in one piece
/// what it has just stored in several.
#[must_use]
pub(crate) struct Scope {
    outer: Tag,
    /// The thread's counts at the start of the scope, minus those of ended scopes.
    began: Counts,
    /// How far the enclosing scope's peak was above its live bytes.
    outer_peak: u64,
    outer_account: Option<ManuallyDrop<Arc<Account>>>,
    /// The request's live bytes at the start of the scope.
    live: i64,
}

/// One request, as the owner of its allocations.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    tag: Tag,
    allocated: u64,
    allocations: u64,
    /// Changes in its scopes that its entry doesn't have yet: adding to an entry costs more than all the
    /// rest of a scope.
    pending: i64,
    peak: i64,
    /// See [`unfollowed`](Self::unfollowed).
    unfollowed: u64,
    account: Option<Arc<Account>>,
}

/// How far an entry may lag while its request is open.
const LAG: u64 = 4096;

impl Owned {
    #[inline]
    pub(super) fn new(tag: Tag) -> Self {
        Self {
            tag,
            ..Self::default()
        }
    }

    /// Work elsewhere of the request that `account` stands for.
    pub(super) fn carrying(account: Arc<Account>) -> Self {
        let mut owned = Self::new(account.tag());
        owned.account = Some(account);
        owned
    }

    #[inline]
    pub(super) fn tag(&self) -> Tag {
        self.tag
    }

    /// From here on, this thread's allocations are the request's. Opens no `scope` if they are already.
    #[inline]
    pub(super) fn enter(&mut self, scope: &mut Option<Scope>) {
        slots::with_this_thread(|slot| {
            let is_open = slot.tag() == self.tag && self.tag.has_place();
            if !is_open {
                let account = self.account.take().map(ManuallyDrop::new);
                Scope::enter(scope, slot, self.tag, account);
            }
        });
    }

    /// From here on, this thread's allocations belong to the enclosing scope again.
    // A call costs less than a copy of this in every service.
    #[inline(never)]
    pub(super) fn leave(&mut self, scope: &mut Scope) {
        slots::with_this_thread(|slot| {
            let (done, above, account) = scope.leave(slot);
            if let Some(account) = account {
                self.account = Some(ManuallyDrop::into_inner(account));
            }
            self.allocated = self.allocated.wrapping_add(done.allocated);
            self.allocations = self.allocations.wrapping_add(done.allocations);
            self.pending = self.pending.wrapping_add(done.net());
            let live = scope.live.wrapping_add(self.pending);
            self.peak = self.peak.max(live.saturating_add_unsigned(above));
            if self.pending.unsigned_abs() > LAG {
                ring::add(self.tag, mem::take(&mut self.pending));
            }
        });
    }

    #[inline]
    pub(super) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// The account of its work elsewhere, if one was opened.
    pub(super) fn into_account(self) -> Option<Arc<Account>> {
        self.account
    }

    /// Response bytes that nothing follows: see [`unsent`](super::unsent).
    pub(super) fn unfollowed(&mut self) -> &mut u64 {
        &mut self.unfollowed
    }

    /// Live bytes of the request, outside of its scopes.
    pub(super) fn live(&self) -> i64 {
        ring::live(self.tag).wrapping_add(self.pending)
    }

    /// Changes still to be added to its entry.
    pub(super) fn pending(&self) -> i64 {
        self.pending
    }

    /// Its allocations within its scopes, and its peak.
    pub(super) fn so_far(&self) -> HeapFlow {
        HeapFlow {
            allocated: self.allocated,
            allocations: self.allocations,
            peak: self.peak.max(0) as u64,
            ..HeapFlow::default()
        }
    }
}

impl Scope {
    #[inline]
    fn enter(
        place: &mut Option<Self>,
        slot: &Slot,
        tag: Tag,
        account: Option<ManuallyDrop<Arc<Account>>>,
    ) {
        let now = slot.counts();
        *place = Some(Self {
            outer: slot.tag(),
            began: now.minus(slot.ended()),
            outer_peak: slot.above(now),
            outer_account: ACCOUNT.replace(account),
            live: ring::live(tag),
        });
        slot.set_tag(tag);
        slot.set_above(now, 0);
    }

    /// The work done in it, how far its peak is above that work's live bytes, and the account.
    #[inline]
    fn leave(&mut self, slot: &Slot) -> (Counts, u64, Option<ManuallyDrop<Arc<Account>>>) {
        let now = slot.counts();
        let done = now.minus(slot.ended()).minus(self.began);
        slot.set_ended(now.minus(self.began));
        let above = slot.above(now);
        slot.set_tag(self.outer);
        slot.set_above(now, self.outer_peak);
        let account = ACCOUNT.replace(self.outer_account.take());
        (done, above, account)
    }
}

/// Calls `f`. Its allocations belong to nobody, not to a request that this thread may be serving.
#[inline]
pub(crate) fn as_nobody<R>(f: impl FnOnce() -> R) -> R {
    let tag = slots::with_this_thread(Slot::tag).unwrap_or(Tag::NOBODY);
    if tag == Tag::NOBODY {
        return f();
    }
    struct AsNobody(Option<Scope>);
    impl Drop for AsNobody {
        fn drop(&mut self) {
            if let Some(scope) = &mut self.0 {
                // No account can have been opened, because there was no request.
                slots::with_this_thread(|slot| scope.leave(slot));
            }
        }
    }
    let mut guard = AsNobody(None);
    slots::with_this_thread(|slot| Scope::enter(&mut guard.0, slot, Tag::NOBODY, None));
    f()
}

/// The account of the request that this thread works for, opened now if necessary. `None` outside of any
/// request.
pub(super) fn current_account() -> Option<Arc<Account>> {
    let tag = slots::with_this_thread(Slot::tag)?;
    if tag == Tag::NOBODY {
        return None;
    }
    let known = ACCOUNT.take();
    let account = match known {
        Some(known) => ManuallyDrop::into_inner(known),
        None => as_nobody(|| Arc::new(Account::new(tag))),
    };
    let current = Arc::clone(&account);
    ACCOUNT.set(Some(ManuallyDrop::new(account)));
    Some(current)
}
