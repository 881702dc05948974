//! Whose scope is open on a thread, and what happened in it.
//!
//! While a scope is open, what its thread allocates belongs to its request. Scopes nest, and the
//! innermost one has it all; the ones around count on when it is left.

use super::{
    account::Account,
    flow::HeapFlow,
    ring,
    slots::{self, Slot},
    tag::Tag,
    unsent,
};
use std::{
    any::Any,
    cell::Cell,
    mem::{self, ManuallyDrop},
    sync::Arc,
};

/// What a thread has counted. Only differences mean something, and they may wrap.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    allocated: u64,
    freed: u64,
    allocations: u64,
}

impl Counts {
    #[inline]
    fn of(slot: &Slot) -> Self {
        Self {
            allocated: slot.allocated(),
            freed: slot.freed(),
            allocations: slot.allocations(),
        }
    }

    #[inline]
    fn minus(self, other: Self) -> Self {
        Self {
            allocated: self.allocated.wrapping_sub(other.allocated),
            freed: self.freed.wrapping_sub(other.freed),
            allocations: self.allocations.wrapping_sub(other.allocations),
        }
    }

    #[inline]
    fn net(self) -> i64 {
        self.allocated.wrapping_sub(self.freed).cast_signed()
    }
}

/// What a thread knows of the scope that is open. Without a destructor, so that it can be used until
/// the very end of the thread.
struct Thread {
    /// What the thread had counted when the scope began, and what scopes within it counted since.
    base: Cell<Counts>,
    /// The account of its request, where one was asked for. Every scope that is entered is left, which
    /// takes it back.
    account: Cell<Option<ManuallyDrop<Arc<Account>>>>,
}

thread_local! {
    static THREAD: Thread = const {
        Thread {
            base: Cell::new(Counts { allocated: 0, freed: 0, allocations: 0 }),
            account: Cell::new(None),
        }
    };
}

/// An open scope. Must be left once, on the thread that entered it, after all that were entered
/// since.
///
/// Left in place, because to move it costs more than all else: the processor can't load in one piece
/// what it has just stored in several.
#[must_use]
pub(crate) struct Scope {
    outer: Tag,
    /// From the base of the scope around to where this one began.
    gap: Counts,
    /// How far the peak of the scope around was above what lives.
    outer_peak: i64,
    outer_account: Option<ManuallyDrop<Arc<Account>>>,
    /// What was alive of the request when the scope began.
    live: i64,
}

/// One request, as the owner of what it allocates.
#[derive(Debug, Default)]
pub(crate) struct Owned {
    tag: Tag,
    allocated: u64,
    allocations: u64,
    /// What its scopes did that its entry doesn't have yet: to add to an entry costs more than all the rest
    /// of a scope.
    pending: i64,
    peak: i64,
    /// Bytes of the response that nobody follows: see [`unsent`].
    unfollowed: u64,
    account: Option<Arc<Account>>,
}

/// An entry may lag by this much while its request is open.
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

    /// From here on, what this thread allocates is the request's. `None` where it is already.
    #[inline]
    pub(super) fn enter(&mut self) -> Option<Scope> {
        slots::with_this_thread(|slot| {
            let is_open = slot.tag() == self.tag && self.tag.has_place();
            (!is_open).then(|| Scope::enter(slot, self.tag, self.account.take()))
        })
        .flatten()
    }

    /// From here on, what this thread allocates is that of the scope around again.
    #[inline]
    pub(super) fn leave(&mut self, scope: &mut Scope) {
        slots::with_this_thread(|slot| {
            let (done, peak, account) = scope.leave(slot);
            self.allocated = self.allocated.wrapping_add(done.allocated);
            self.allocations = self.allocations.wrapping_add(done.allocations);
            let live = scope.live.wrapping_add(self.pending);
            self.peak = self.peak.max(live.wrapping_add(peak));
            self.account = account;
            self.pending = self.pending.wrapping_add(done.net());
            if self.pending.unsigned_abs() > LAG {
                ring::add(self.tag, mem::take(&mut self.pending));
            }
        });
    }

    /// The account of its work elsewhere, where one was opened.
    pub(super) fn into_account(self) -> Option<Arc<Account>> {
        self.account
    }

    /// `data` of its response goes on to the server.
    pub(super) fn hand_over(&mut self, data: &mut dyn Any) {
        unsent::follow(data, self.tag, &mut self.unfollowed);
    }

    /// What is alive of it.
    pub(super) fn live(&self) -> i64 {
        ring::live(self.tag).wrapping_add(self.pending)
    }

    /// What is to be added to its entry.
    pub(super) fn pending(&self) -> i64 {
        self.pending
    }

    /// What it allocated in its scopes, and its peak.
    pub(super) fn so_far(&self) -> HeapFlow {
        HeapFlow {
            allocated: self.allocated,
            allocations: self.allocations,
            peak: self.peak.max(0).cast_unsigned(),
            ..HeapFlow::default()
        }
    }
}

impl Scope {
    #[inline]
    fn enter(slot: &Slot, tag: Tag, account: Option<Arc<Account>>) -> Self {
        THREAD.with(|thread| {
            let now = Counts::of(slot);
            let outer = slot.tag();
            let outer_peak = slot.peak().wrapping_sub(now.net());
            slot.set_tag(tag);
            slot.set_peak(now.net());
            Self {
                outer,
                gap: now.minus(thread.base.replace(now)),
                outer_peak,
                outer_account: thread.account.replace(account.map(ManuallyDrop::new)),
                live: ring::live(tag),
            }
        })
    }

    /// What was done in it, its peak above what lived when it began, and the account back.
    #[inline]
    fn leave(&mut self, slot: &Slot) -> (Counts, i64, Option<Arc<Account>>) {
        THREAD.with(|thread| {
            let now = Counts::of(slot);
            let base = thread.base.replace(now.minus(self.gap));
            let peak = slot.peak().wrapping_sub(base.net());
            slot.set_tag(self.outer);
            slot.set_peak(now.net().wrapping_add(self.outer_peak));
            let account = thread.account.replace(self.outer_account.take());
            (now.minus(base), peak, account.map(ManuallyDrop::into_inner))
        })
    }
}

/// Calls `f`. What it allocates is nobody's, and of no request that this thread may be serving.
pub(crate) fn as_nobody<R>(f: impl FnOnce() -> R) -> R {
    struct AsNobody(Option<Scope>);
    impl Drop for AsNobody {
        fn drop(&mut self) {
            if let Some(scope) = &mut self.0 {
                // No account can have been opened: there was no request to open one for.
                slots::with_this_thread(|slot| drop(scope.leave(slot)));
            }
        }
    }
    let enter = |slot: &Slot| {
        let is_nobody = slot.tag() == Tag::NOBODY;
        (!is_nobody).then(|| Scope::enter(slot, Tag::NOBODY, None))
    };
    let _left_when_dropped = AsNobody(slots::with_this_thread(enter).flatten());
    f()
}

/// The account of the request that this thread works for, opened now if need be. `None` outside of
/// any.
pub(super) fn current_account() -> Option<Arc<Account>> {
    let tag = slots::with_this_thread(Slot::tag)?;
    if tag == Tag::NOBODY {
        return None;
    }
    let known = THREAD.with(|thread| thread.account.take());
    let account = match known {
        Some(known) => ManuallyDrop::into_inner(known),
        None => as_nobody(|| Arc::new(Account::new(tag))),
    };
    let current = Arc::clone(&account);
    THREAD.with(|thread| thread.account.set(Some(ManuallyDrop::new(account))));
    Some(current)
}
