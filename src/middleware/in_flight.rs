use crate::sync::atomic::{AtomicU64, Ordering};
use std::num::NonZeroU64;

/// Counts requests in flight and tells each one how many others shared its window.
///
/// Both counts live in one word, so each request sees them as of one instant: the low bits hold
/// how many are in flight, the high bits how many have ever started. A window was shared by the
/// requests in flight when it opened and those that started before it closed.
///
/// ```text
/// | 36 bits: started, wraps off the top | 28 bits: in flight |
/// ```
#[derive(Debug, Default)]
pub(crate) struct InFlight(AtomicU64);

const IN_FLIGHT_BITS: u32 = 28;
const IN_FLIGHT: u64 = (1 << IN_FLIGHT_BITS) - 1;
const ONE_STARTED: u64 = 1 << IN_FLIGHT_BITS;
const STARTED: u64 = u64::MAX >> IN_FLIGHT_BITS;

/// The word as a request found it when its window opened, plus one to leave room for `None`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival(NonZeroU64);

/// The counts as of the moment a window closes.
#[derive(Debug)]
pub(crate) struct Departure {
    /// How many others shared any part of the window.
    pub(crate) overlap: u32,
    /// How many were in flight just before, including this one.
    pub(crate) in_flight: u32,
}

impl InFlight {
    // The strictest orderings, because the counts are compared with readings that are not
    // atomics: no reading may move out of its window. On x86 all orderings cost the same.

    pub(crate) fn enter(&self) -> Arrival {
        let before = self.0.fetch_add(ONE_STARTED + 1, Ordering::SeqCst);
        Arrival(NonZeroU64::MIN.saturating_add(before))
    }

    /// Ends the window that `arrival` opened.
    pub(crate) fn leave(&self, arrival: Arrival) -> Departure {
        let before = self.0.fetch_sub(1, Ordering::SeqCst);
        let found = arrival.0.get() - 1;
        let ahead = found & IN_FLIGHT;
        let started = (found >> IN_FLIGHT_BITS) + 1;
        let since = (before >> IN_FLIGHT_BITS).wrapping_sub(started) & STARTED;
        let narrow = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Departure {
            overlap: narrow(ahead + since),
            in_flight: narrow(before & IN_FLIGHT),
        }
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_alone_shares_its_window_with_none() {
        let in_flight = InFlight::default();
        for _ in 0..3 {
            let arrival = in_flight.enter();
            assert_eq!(in_flight.leave(arrival).overlap, 0);
        }
    }

    #[test]
    fn the_count_survives_the_wrap_of_what_has_started() {
        let in_flight = InFlight(AtomicU64::new(STARTED << IN_FLIGHT_BITS));
        let first = in_flight.enter();
        let second = in_flight.enter();
        for (arrival, left) in [(first, 2), (second, 1)] {
            let departure = in_flight.leave(arrival);
            assert_eq!((departure.overlap, departure.in_flight), (1, left));
        }
        assert_eq!(in_flight.0.load(Ordering::SeqCst) & IN_FLIGHT, 0);
    }

    proptest! {
        /// Checks against the plain definition: two windows overlap when each opens before the
        /// other closes.
        #[test]
        fn overlap_is_the_number_of_windows_that_share_any_part(
            script in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let in_flight = InFlight::default();
            let mut open = Vec::new();
            let mut windows = Vec::new();
            for (time, step) in script.iter().enumerate() {
                if step % 2 == 0 || open.is_empty() {
                    open.push((in_flight.enter(), time));
                } else {
                    let (arrival, opened) = open.swap_remove(usize::from(*step) % open.len());
                    windows.push((opened, time, in_flight.leave(arrival).overlap));
                }
            }
            let still_open: Vec<_> = open.iter().map(|(_, opened)| *opened).collect();
            for &(opened, closed, overlap) in &windows {
                let closed_ones = windows
                    .iter()
                    .filter(|w| w.0 != opened && w.0 < closed && w.1 > opened);
                let open_ones = still_open.iter().filter(|o| **o < closed);
                prop_assert_eq!(overlap as usize, closed_ones.count() + open_ones.count());
            }
        }
    }
}

#[cfg(all(test, loom))]
mod proofs {
    use super::*;
    use loom::{sync::Arc, thread};

    #[test]
    fn of_two_windows_both_or_neither_share_a_part_of_the_other() {
        loom::model(|| {
            let in_flight = Arc::new(InFlight::default());
            let other = Arc::clone(&in_flight);
            let serving = thread::spawn(move || {
                let arrival = other.enter();
                other.leave(arrival).overlap
            });
            let arrival = in_flight.enter();
            let ours = in_flight.leave(arrival).overlap;
            let theirs = serving.join().unwrap();
            assert_eq!(ours, theirs);
            assert_eq!(in_flight.0.load(Ordering::SeqCst) & IN_FLIGHT, 0);
        });
    }
}
