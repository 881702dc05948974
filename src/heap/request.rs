//! One request, as seen by the installed meter.

use super::{
    account::Account,
    flow::HeapFlow,
    labels,
    remains::{HEAD, Remains},
    ring,
    scope::{self, Owned},
    slots, unsent,
};
#[cfg(feature = "jemalloc")]
use super::{
    by_difference::{self, Difference},
    tag::Tag,
};
use crate::route::Route;
use std::{any::Any, mem, sync::Arc};

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
    /// Begins a request of `route` that began at that time of the [`clock`](crate::clock).
    #[inline]
    pub(crate) fn open(&mut self, route: &Route, began: u64) {
        match slots::are_counting() {
            true => self.open_owned(route, began),
            false => self.open_by_difference(),
        }
    }

    fn open_by_difference(&mut self) {
        #[cfg(feature = "jemalloc")]
        if by_difference::this_thread().is_some() {
            *self = Self::ByDifference(Difference::default());
        }
    }

    #[inline(never)]
    fn open_owned(&mut self, route: &Route, began: u64) {
        *self = Self::Owned(Owned::new(ring::open(labels::number(route), began)));
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
    #[inline]
    pub(crate) fn hand_over(&mut self, data: &mut dyn Any) {
        match self {
            Self::Unmetered => {}
            Self::Owned(owned) => unsent::follow(data, owned.tag(), owned.unfollowed()),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => difference.hand_off(data),
        }
    }

    /// Called before the window closes while the server still has the response body. `None` if so little
    /// is live that it doesn't matter.
    pub(crate) fn before_body(&self) -> Option<unsent::Body> {
        match self {
            Self::Owned(owned) if owned.tag().has_place() && owned.live() > HEAD as i64 => {
                Some(unsent::Body::of(owned.tag()))
            }
            _ => None,
        }
    }

    /// Closes the window of a request with nothing to wait for, as most are: passes on its `figures`, if any, and
    /// returns `true`. Otherwise leaves it open.
    #[inline]
    pub(crate) fn close_settled(&mut self, figures: &mut Option<HeapFlow>) -> bool {
        match self {
            Self::Unmetered => true,
            Self::Owned(owned) => {
                *figures = Remains::settled(owned);
                if figures.is_some() {
                    *self = Self::Unmetered;
                }
                figures.is_some()
            }
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(_) => false,
        }
    }

    /// Closes the window and returns the remains of the request; `None` without a heap meter.
    pub(crate) fn close(&mut self) -> Option<Remains> {
        match mem::take(self) {
            Self::Unmetered => None,
            Self::Owned(owned) => Some(Remains::of(owned)),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => {
                let flow = difference.so_far()?;
                Some(Remains::by_difference(flow, difference.into_account()))
            }
        }
    }
}
