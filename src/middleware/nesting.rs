//! A layer within its own clone: one request must not count as two.
//!
//! While a request is polled, its arrival lies where a clone of its layer further inside finds it. The
//! clone takes it and reports the request; the outer one doesn't.

use super::in_flight::{Arrival, InFlight};
use std::{cell::Cell, ptr};

struct Serving {
    /// What all clones of a layer share; never looked into.
    family: Cell<*const InFlight>,
    arrival: Cell<Option<Arrival>>,
}

thread_local! {
    static SERVING: Serving = const {
        Serving { family: Cell::new(ptr::null()), arrival: Cell::new(None) }
    };
}

/// What was there before, to be put back.
#[must_use]
pub(super) struct Outer {
    family: *const InFlight,
    arrival: Option<Arrival>,
}

/// A request of `family` is polled from here on.
#[inline]
pub(super) fn enter(family: &InFlight, arrival: Option<Arrival>) -> Outer {
    SERVING.with(|serving| Outer {
        family: serving.family.replace(family),
        arrival: serving.arrival.replace(arrival),
    })
}

/// It is no longer polled: its arrival, if no clone further inside has taken it.
#[inline]
pub(super) fn leave(outer: &Outer) -> Option<Arrival> {
    SERVING.with(|serving| {
        serving.family.set(outer.family);
        serving.arrival.replace(outer.arrival)
    })
}

/// The arrival of the request that this thread polls for a clone of the same layer.
#[inline]
pub(super) fn take_over(family: &InFlight) -> Option<Arrival> {
    SERVING.with(|serving| match ptr::eq(serving.family.get(), family) {
        true => serving.arrival.take(),
        false => None,
    })
}
