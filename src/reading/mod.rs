//! The resident set and the live heap of one instant.

mod seqlock;
mod shared;

pub(crate) use self::shared::SharedReading;
use crate::resident::Resident;
use std::time::Duration;

/// Live bytes where no allocator counts them.
const UNKNOWN: u64 = u64::MAX;

/// What a request read, and when.
#[derive(Debug)]
pub(crate) struct Reading {
    /// By [`clock::nanos`](crate::clock::nanos).
    pub(crate) at: u64,
    pub(crate) resident: Option<Resident>,
    live: u64,
}

impl Reading {
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        Duration::from_nanos(self.at.saturating_sub(earlier.at))
    }

    /// Live heap of the process, in bytes. Read with the resident set, because what one grew and the
    /// other did not is what the allocator keeps.
    pub(crate) fn live(&self) -> Option<u64> {
        (self.live != UNKNOWN).then_some(self.live)
    }
}
