//! A request that is warned of while DEBUG is logged has two events, which count once.

use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Events that may still meet their other one. It comes next in the log, or after those of as many threads as there are;
/// this many let the two levels be in files of their own.
const OPEN: usize = 1 << 16;

/// A warning is written right after the DEBUG event.
const SOON: SignedDuration = SignedDuration::from_secs(1);

/// The events whose other one has not come (yet).
#[derive(Default)]
pub(crate) struct Pairs {
    /// By fingerprint: how many DEBUG events wait for their warning, or below zero the other way round.
    open: HashMap<u64, i32>,
    order: VecDeque<(u64, Timestamp)>,
    /// Time of the latest event that is no longer waited for.
    forgotten: Option<Timestamp>,
    /// Events that came alone, and whose other one may have been forgotten.
    doubtful: u64,
}

impl Pairs {
    /// Whether this event is the first, or only one, of its request.
    pub(crate) fn is_first(&mut self, fingerprint: u64, is_warning: bool, at: Timestamp) -> bool {
        let side = if is_warning { -1 } else { 1 };
        let balance = self.open.entry(fingerprint).or_default();
        let was = *balance;
        *balance += side;
        if *balance == 0 {
            self.open.remove(&fingerprint);
        }
        if was * side < 0 {
            return false;
        }
        if self
            .forgotten
            .is_some_and(|forgotten| at.duration_since(forgotten) <= SOON)
        {
            self.doubtful += 1;
        }
        self.order.push_back((fingerprint, at));
        if self.order.len() > OPEN {
            self.forget();
        }
        true
    }

    /// The most requests that may have been counted twice.
    pub(crate) fn doubtful(&self) -> u64 {
        self.doubtful
    }

    fn forget(&mut self) {
        let Some((fingerprint, at)) = self.order.pop_front() else {
            return;
        };
        if let Some(balance) = self.open.get_mut(&fingerprint) {
            *balance -= balance.signum();
            if *balance == 0 {
                self.open.remove(&fingerprint);
            }
            self.forgotten = self.forgotten.max(Some(at));
        }
    }
}
