//! The resident set and live heap at one instant.

mod seqlock;
mod shared;

pub(crate) use self::shared::SharedReading;
use crate::resident::Resident;

/// Stands for live bytes when no heap meter is installed.
const UNKNOWN: u64 = u64::MAX;

/// One reading and its time.
#[derive(Debug)]
pub(crate) struct Reading {
    /// By [`clock::nanos`](crate::clock::nanos).
    pub(crate) at: u64,
    pub(crate) resident: Option<Resident>,
    live: u64,
}

impl Reading {
    /// Live heap of the process, in bytes. Read together with the resident set: growth of one
    /// without the other is memory that the allocator holds.
    pub(crate) fn live(&self) -> Option<u64> {
        (self.live != UNKNOWN).then_some(self.live)
    }
}
