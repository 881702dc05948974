//! A layer inside its own clone: one request must not count as two.
//!
//! While a request is polled, its arrival is kept where an inner clone of the layer finds it. The
//! inner clone takes it and reports the request; the outer one doesn't.

use super::in_flight::{Arrival, InFlight};
use std::{cell::Cell, ptr};

struct Serving {
    /// Shared by all clones of a layer; only compared, never dereferenced.
    family: Cell<*const InFlight>,
    arrival: Cell<Option<Arrival>>,
}

thread_local! {
    static SERVING: Serving = const {
        Serving { family: Cell::new(ptr::null()), arrival: Cell::new(None) }
    };
}

/// The previous contents, to be put back.
#[must_use]
pub(super) struct Outer {
    family: *const InFlight,
    arrival: Option<Arrival>,
}

/// Call when polling a request of `family` begins.
#[inline]
pub(super) fn enter(family: &InFlight, arrival: Option<Arrival>) -> Outer {
    SERVING.with(|serving| Outer {
        family: serving.family.replace(family),
        arrival: serving.arrival.replace(arrival),
    })
}

/// Call when polling ends. Returns the arrival, unless an inner clone has taken it.
#[inline]
pub(super) fn leave(outer: &Outer) -> Option<Arrival> {
    SERVING.with(|serving| {
        serving.family.set(outer.family);
        serving.arrival.replace(outer.arrival)
    })
}

/// Takes the arrival of the request that this thread polls for a clone of the same layer.
#[inline]
pub(super) fn take_over(family: &InFlight) -> Option<Arrival> {
    SERVING.with(|serving| match ptr::eq(serving.family.get(), family) {
        true => serving.arrival.take(),
        false => None,
    })
}
