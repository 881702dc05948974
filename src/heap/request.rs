//! One request, as whichever meter there is sees it.

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

/// Where [`Flow::enter`] notes a scope, for [`Flow::leave`] to end.
#[derive(Default)]
pub(crate) struct Scope {
    owned: Option<scope::Scope>,
    #[cfg(feature = "jemalloc")]
    by_difference: Option<by_difference::Scope>,
}

impl Flow {
    /// A new request of `route`, which began at that time of the [`clock`](crate::clock).
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

    /// From here on, what this thread does is the request's, until `scope` is left.
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

    /// Ends a scope of work elsewhere, and returns what was done in it.
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
            Self::Owned(owned) => unsent::follow(data, owned.tag(), owned.unfollowed()),
            #[cfg(feature = "jemalloc")]
            Self::ByDifference(difference) => difference.hand_off(data),
        }
    }

    /// The window is about to close while the server has the response body. `None` where that doesn't
    /// matter, because so little is alive.
    pub(crate) fn before_body(&self) -> Option<unsent::Body> {
        match self {
            Self::Owned(owned) if owned.tag().has_place() && owned.live() > HEAD as i64 => {
                Some(unsent::Body::of(owned.tag()))
            }
            _ => None,
        }
    }

    /// The window has closed. What is left of the request; `None` where no allocator counts.
    #[inline]
    pub(crate) fn close(self) -> Option<Remains> {
        match self {
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
