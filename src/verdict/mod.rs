//! From numbers to an explanation: [`Verdict`] says it, [`judge`] decides.

mod judge;

pub(crate) use self::judge::{Evidence, Thresholds, judge};
use bytesize::ByteSize;
use std::fmt;

/// The explanation of one growth, with the figures it rests on, in bytes.
///
/// [`Display`](fmt::Display) gives it as a sentence without the final stop, and
/// [`next_step`](Self::next_step) what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Growth below the threshold, or none: nothing to explain.
    WithinThreshold,
    /// The request gave everything back, but at its peak it held more than
    /// [`warn_peak_above`](crate::MemoryLayer::warn_peak_above) allows.
    #[non_exhaustive]
    Peaked {
        /// The most that it held at once.
        peak: u64,
    },
    /// Live heap of this request outlives it: the threshold or more, or half of the growth.
    ///
    /// Also where the process did not grow, because pages that the allocator had kept were enough.
    #[non_exhaustive]
    Retained {
        /// What outlives the request.
        retained: u64,
        /// What it allocated in all.
        allocated: u64,
        /// What it freed of that, or of what others had allocated.
        freed: u64,
    },
    /// Half of the growth or more is no live heap: pages that this request used and gave back, and
    /// that the allocator keeps.
    #[non_exhaustive]
    AllocatorHeld {
        /// Growth that is not live.
        held: u64,
        /// What of this request outlives it.
        retained: u64,
        /// What of the growth is the response, which the connection frees once it is sent.
        handed_off: u64,
    },
    /// Half of the growth or more is files or shared memory that became resident, not heap.
    #[non_exhaustive]
    Mapped {
        /// Growth of the shared part.
        shared_growth: u64,
    },
    /// More than half of the growth can't be this request's, which never held that much.
    #[non_exhaustive]
    OtherRequests {
        /// Growth beyond what this request held.
        elsewhere: u64,
        /// The most that this request held at once.
        peak: u64,
    },
    /// Other requests shared the window, and nothing tells whose growth it is.
    Overlapped,
    /// No heap meter tells what it is: live heap, pages that the allocator keeps, or memory of C
    /// libraries and stacks.
    Unmetered,
    /// The resident set could not be read at the window's start or end.
    Unreadable,
}

impl Verdict {
    pub(crate) const NAMES: [&str; 9] = [
        "within_threshold",
        "peaked",
        "retained",
        "allocator_held",
        "mapped",
        "other_requests",
        "overlapped",
        "unmetered",
        "unreadable",
    ];

    /// Where its name is.
    pub(crate) const fn index(&self) -> usize {
        match self {
            Self::WithinThreshold => 0,
            Self::Peaked { .. } => 1,
            Self::Retained { .. } => 2,
            Self::AllocatorHeld { .. } => 3,
            Self::Mapped { .. } => 4,
            Self::OtherRequests { .. } => 5,
            Self::Overlapped => 6,
            Self::Unmetered => 7,
            Self::Unreadable => 8,
        }
    }

    /// The name in the log: `within_threshold`, `peaked`, `retained`, `allocator_held`, `mapped`,
    /// `other_requests`, `overlapped`, `unmetered` or `unreadable`.
    pub const fn as_str(&self) -> &'static str {
        Self::NAMES[self.index()]
    }

    /// Whether there is something to explain: growth, or what is retained, at or above the
    /// threshold, or a peak above its own.
    pub const fn is_warning(&self) -> bool {
        !matches!(self, Self::WithinThreshold | Self::Unreadable)
    }

    /// What to do about it, as a sentence without the final stop; `None` where nothing needs doing.
    pub const fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::WithinThreshold | Self::Unreadable => None,
            Self::Peaked { .. } => Some(
                "Not retained by this request: consider streaming, or a limit on how many run at once",
            ),
            Self::Retained { .. } => Some(
                "Look for what this route stores (a cache, a session, a queue), and whether each request adds to it",
            ),
            Self::AllocatorHeld {
                held, handed_off, ..
            } if *handed_off > *held => {
                Some("Not retained by this request: consider to stream the response")
            }
            Self::AllocatorHeld { .. } => Some(
                "Not retained by this request: consider reclaim, MALLOC_ARENA_MAX, or jemalloc",
            ),
            Self::Mapped { .. } => {
                Some("The kernel takes pages of files back when memory is short")
            }
            Self::OtherRequests { .. } => {
                Some("Look for the warnings of the requests that ran meanwhile")
            }
            Self::Overlapped => {
                Some("Install a heap meter to tell requests apart: tower_memory::heap")
            }
            Self::Unmetered => {
                Some("A heap meter tells live heap from kept pages: tower_memory::heap")
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |bytes: &u64| ByteSize(*bytes);
        match self {
            Self::WithinThreshold => f.write_str("growth is within the threshold"),
            Self::Peaked { peak } => {
                write!(f, "{} were live at once and given back", size(peak))
            }
            Self::Retained {
                retained,
                allocated,
                freed,
            } => write!(
                f,
                "{} of live heap outlive this request ({} allocated, {} freed)",
                size(retained),
                size(allocated),
                size(freed)
            ),
            Self::AllocatorHeld {
                held,
                retained,
                handed_off,
            } if handed_off > held => write!(
                f,
                "{} of the growth are the response, freed once it is sent; {} are freed pages the allocator keeps, {} still live",
                size(handed_off),
                size(held),
                size(retained)
            ),
            Self::AllocatorHeld { held, retained, .. } => write!(
                f,
                "{} of the growth are freed pages the allocator keeps; {} still live",
                size(held),
                size(retained)
            ),
            Self::Mapped { shared_growth } => write!(
                f,
                "{} of the growth are files or shared memory that became resident, not heap",
                size(shared_growth)
            ),
            Self::OtherRequests { elsewhere, peak } => write!(
                f,
                "{} of the growth are not this request's, which held {} at most",
                size(elsewhere),
                size(peak)
            ),
            Self::Overlapped => f.write_str(
                "other requests shared the window, and nothing tells whose growth it is",
            ),
            Self::Unmetered => f.write_str(
                "no heap meter tells whether this is live heap or pages the allocator keeps",
            ),
            Self::Unreadable => f.write_str("the resident set could not be read"),
        }
    }
}
