//! A request that is warned of while DEBUG is logged has two events, which count once.

use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, VecDeque};

/// Events that may still meet their other one. It comes next in the log, or after those of as many threads as there are;
/// this many let the two levels be in files of their own.
const OPEN: usize = 1 << 16;

/// A warning is written right after the DEBUG event; threads may be held up between the two.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// The events whose other one has not come (yet).
#[derive(Default)]
pub(crate) struct Pairs {
    /// By fingerprint: how many DEBUG events wait for their warning, or below zero the other way round, and the time of the
    /// last. Work that outlives requests may do the same each time, and have the same fingerprint.
    open: HashMap<u64, (i32, Timestamp)>,
    order: VecDeque<(u64, Timestamp)>,
    /// When the events were that are no longer waited for, from the earliest to the latest: DEBUG events, then warnings.
    forgotten: [Option<(Timestamp, Timestamp)>; 2],
    /// Events that came alone, and whose other one may have been forgotten.
    doubtful: u64,
}

impl Pairs {
    /// Whether this event is the first, or only one, of its request.
    pub(crate) fn is_first(&mut self, fingerprint: u64, is_warning: bool, at: Timestamp) -> bool {
        let side = if is_warning { -1 } else { 1 };
        let (balance, last) = self.open.get(&fingerprint).copied().unwrap_or((0, at));
        if balance * side < 0 && at.duration_since(last).abs() <= SOON {
            self.keep(fingerprint, balance + side, last);
            return false;
        }
        // Those of another side that are too old are not waited for any longer.
        self.keep(fingerprint, (balance * side).max(0) * side + side, at);
        // It may be of one of the other kind.
        let others = self.forgotten[usize::from(!is_warning)];
        if others.is_some_and(|(first, last)| {
            first.duration_since(at) <= SOON && at.duration_since(last) <= SOON
        }) {
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
        if let Some((balance, last)) = self.open.get(&fingerprint).copied() {
            self.keep(fingerprint, balance - balance.signum(), last);
            let kind = &mut self.forgotten[usize::from(balance < 0)];
            let (first, latest) = kind.unwrap_or((at, at));
            *kind = Some((first.min(at), latest.max(at)));
        }
    }

    fn keep(&mut self, fingerprint: u64, balance: i32, last: Timestamp) {
        match balance {
            0 => self.open.remove(&fingerprint),
            _ => self.open.insert(fingerprint, (balance, last)),
        };
    }
}
