//! A layer within its own clone: one request must not count as two.
//!
//! While a request is polled, its arrival lies where a clone of its layer further inside finds it. The
//! clone takes it and reports the request; the outer one doesn't.

use super::in_flight::{Arrival, InFlight};
use std::{cell::Cell, ptr};

#[derive(Clone, Copy)]
struct Serving {
    /// What all clones of a layer share; never looked into.
    family: *const InFlight,
    arrival: Option<Arrival>,
}

thread_local! {
    static SERVING: Cell<Serving> = const {
        Cell::new(Serving { family: ptr::null(), arrival: None })
    };
}

/// What was there before, to be put back.
#[must_use]
pub(super) struct Outer(Serving);

/// A request of `family` is polled from here on.
#[inline]
pub(super) fn enter(family: &InFlight, arrival: Option<Arrival>) -> Outer {
    Outer(SERVING.replace(Serving { family, arrival }))
}

/// It is no longer polled: its arrival, if no clone further inside has taken it.
#[inline]
pub(super) fn leave(outer: &Outer) -> Option<Arrival> {
    SERVING.replace(outer.0).arrival
}

/// The arrival of the request that this thread polls for a clone of the same layer.
#[inline]
pub(super) fn take_over(family: &InFlight) -> Option<Arrival> {
    let serving = SERVING.get();
    let arrival = serving.arrival?;
    ptr::eq(serving.family, family).then(|| {
        SERVING.set(Serving {
            arrival: None,
            ..serving
        });
        arrival
    })
}
