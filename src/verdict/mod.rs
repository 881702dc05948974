//! From numbers to an explanation: [`Verdict`] states it, [`judge`] decides.

mod judge;

pub(crate) use self::judge::{Evidence, Thresholds, judge, judge_late};
use crate::reclaim::{Allocator, remedy};
use bytesize::ByteSize;
use std::fmt;

/// The explanation of one growth, with the figures it rests on, in bytes.
///
/// [`Display`](fmt::Display) formats it as a sentence without the final full stop, and
/// [`next_step`](Self::next_step) says what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Growth below the threshold, or none: nothing to explain.
    WithinThreshold,
    /// The request freed everything, but at its peak it held more than
    /// [`warn_peak_above`](crate::MemoryLayer::warn_peak_above) allows.
    #[non_exhaustive]
    Peaked {
        /// The most that it held at once.
        peak: u64,
    },
    /// Live heap of this request outlives its response: the threshold or more, or half of the growth.
    ///
    /// Also if the process did not grow, because pages that the allocator already held were enough.
    #[non_exhaustive]
    Retained {
        /// Bytes still live.
        retained: u64,
        /// Bytes allocated in all.
        allocated: u64,
        /// How many of those are no longer live; with jemalloc's own counters, bytes that the request freed.
        freed: u64,
    },
    /// Live heap of this request is in use by work that carries it and is still running: the threshold or more,
    /// or half of the growth. A report of its own follows when the work ends.
    #[non_exhaustive]
    Running {
        /// Bytes in use.
        running: u64,
    },
    /// Live heap of this request is a response that its client has not read yet: the threshold or more, or half
    /// of the growth.
    #[non_exhaustive]
    Unsent {
        /// Bytes waiting for the client.
        unsent: u64,
    },
    /// The request keeps live heap that is mostly untouched: less than half of it can be resident.
    #[non_exhaustive]
    Reserved {
        /// Bytes still live.
        retained: u64,
        /// How many of those can be resident at most.
        resident: u64,
    },
    /// Half of the growth or more is not live heap: this request used the memory and freed it, and the allocator
    /// holds the pages.
    #[non_exhaustive]
    AllocatorHeld {
        /// Growth that is not live heap.
        held: u64,
        /// Growth that is live heap, of this request and of others that ran meanwhile.
        in_use: u64,
        /// Bytes of this request that are still live.
        retained: u64,
        /// The part of the growth that is the response, which the connection frees once it is sent. 0 unless
        /// jemalloc's own counters are the meter.
        handed_off: u64,
    },
    /// Half of the growth or more is files or shared memory that became resident, not heap.
    #[non_exhaustive]
    Mapped {
        /// Growth of the shared part.
        shared_growth: u64,
    },
    /// More than half of the growth is not from this request, which never held that much.
    #[non_exhaustive]
    OtherRequests {
        /// Growth beyond this request's peak.
        elsewhere: u64,
        /// The most that this request held at once.
        peak: u64,
    },
    /// More than half of the growth came from outside this request, though no other ran: from threads that don't
    /// carry it, from C code, from stacks, or from huge pages, of which the first byte makes 2 MiB resident.
    #[non_exhaustive]
    Outside {
        /// Growth of the live heap that is not this request's.
        live: u64,
        /// Growth that is not live heap.
        other: u64,
    },
    /// Other requests shared the window, and without a heap meter the growth can't be attributed to one of them.
    Overlapped,
    /// Without a heap meter, live heap can't be told from pages that the allocator holds, or from memory of C
    /// libraries and stacks.
    Unmetered,
    /// The resident set could not be read at the window's start or end.
    Unreadable,
}

impl Verdict {
    pub(crate) const NAMES: [&str; 13] = [
        "within_threshold",
        "peaked",
        "retained",
        "running",
        "unsent",
        "reserved",
        "allocator_held",
        "mapped",
        "other_requests",
        "outside",
        "overlapped",
        "unmetered",
        "unreadable",
    ];

    /// The index of its name.
    pub(crate) const fn index(&self) -> usize {
        match self {
            Self::WithinThreshold => 0,
            Self::Peaked { .. } => 1,
            Self::Retained { .. } => 2,
            Self::Running { .. } => 3,
            Self::Unsent { .. } => 4,
            Self::Reserved { .. } => 5,
            Self::AllocatorHeld { .. } => 6,
            Self::Mapped { .. } => 7,
            Self::OtherRequests { .. } => 8,
            Self::Outside { .. } => 9,
            Self::Overlapped => 10,
            Self::Unmetered => 11,
            Self::Unreadable => 12,
        }
    }

    /// The name used in the log: `within_threshold`, `peaked`, `retained`, `running`, `unsent`, `reserved`,
    /// `allocator_held`, `mapped`, `other_requests`, `outside`, `overlapped`, `unmetered` or `unreadable`.
    pub const fn as_str(&self) -> &'static str {
        Self::NAMES[self.index()]
    }

    /// Whether there is something to explain: growth or retained memory at or above the threshold, or a peak
    /// above its own threshold.
    pub const fn is_warning(&self) -> bool {
        !matches!(self, Self::WithinThreshold | Self::Unreadable)
    }

    /// What to do about it, as a sentence without the final full stop; `None` if nothing needs doing.
    pub fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::WithinThreshold | Self::Unreadable => None,
            Self::Peaked { .. } => Some(
                "Not retained by this request: consider streaming, or a limit on how many run at once",
            ),
            Self::Retained { .. } => Some(
                "Look for what this route stores (a cache, a session, a queue), and whether each request adds to it",
            ),
            Self::Running { .. } => Some("A second report follows when the work ends"),
            Self::Unsent { .. } => Some(
                "Not retained by this request: consider streaming the response, or a timeout for slow clients",
            ),
            Self::Reserved { .. } => {
                Some("It costs address space, and memory only where it is written to")
            }
            Self::Outside { live, other } if *live > *other => Some(
                "Carry CurrentRequest into the threads and tasks that this route hands work to, so their memory counts for it",
            ),
            Self::Outside { .. } => Some(
                "Carry CurrentRequest into the threads that this route hands work to; what is left is C code, stacks or huge pages",
            ),
            Self::AllocatorHeld {
                held, handed_off, ..
            } if *handed_off > *held => {
                Some("Not retained by this request: consider streaming the response")
            }
            Self::AllocatorHeld { .. } => Some(match Allocator::in_use() {
                Allocator::Glibc => remedy!("Not retained by this request: " Glibc),
                Allocator::Jemalloc => remedy!("Not retained by this request: " Jemalloc),
                Allocator::Mimalloc => remedy!("Not retained by this request: " Mimalloc),
                Allocator::Unknown => remedy!("Not retained by this request: " Unknown),
            }),
            Self::Mapped { .. } => {
                Some("The kernel takes pages of files back when memory is short")
            }
            Self::OtherRequests { .. } => {
                Some("Look for the warnings of the requests that ran meanwhile")
            }
            Self::Overlapped => {
                Some("Install a heap meter to tell requests apart: tower_memory::heap")
            }
            Self::Unmetered => Some("Install a heap meter, which is two lines: tower_memory::heap"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = |bytes: &u64| ByteSize(*bytes);
        match self {
            Self::WithinThreshold => f.write_str("growth is within the threshold"),
            Self::Peaked { peak } => {
                write!(f, "{} was live at once and has been freed", size(peak))
            }
            Self::Retained {
                retained,
                allocated,
                freed,
            } => write!(
                f,
                "{} allocated by this request is still live ({} allocated, {} freed)",
                size(retained),
                size(allocated),
                size(freed)
            ),
            Self::Running { running } => write!(
                f,
                "{} allocated by this request is in use by its background work",
                size(running)
            ),
            Self::Unsent { unsent } => write!(
                f,
                "{} of the response has not been read by its client yet",
                size(unsent)
            ),
            Self::Reserved { retained, resident } => write!(
                f,
                "{} reserved by this request is still live, at most {} of it resident",
                size(retained),
                size(resident)
            ),
            Self::AllocatorHeld {
                held,
                in_use,
                handed_off,
                ..
            } if handed_off > held => write!(
                f,
                "{} of the growth is the response, freed once it is sent; {} is freed memory the allocator still holds, {} is in use",
                size(handed_off),
                size(held),
                size(&(in_use - handed_off))
            ),
            Self::AllocatorHeld { held, in_use, .. } => write!(
                f,
                "{} of the growth is freed memory the allocator still holds; {} is in use",
                size(held),
                size(in_use)
            ),
            Self::Mapped { shared_growth } => write!(
                f,
                "{} of the growth is files or shared memory that became resident, not heap",
                size(shared_growth)
            ),
            Self::OtherRequests { elsewhere, peak } => write!(
                f,
                "{} of the growth is not from this request, which never held more than {}",
                size(elsewhere),
                size(peak)
            ),
            Self::Outside { live, other } if live > other => write!(
                f,
                "{} of live heap was allocated outside this request while no other ran",
                size(live)
            ),
            Self::Outside { other, .. } => write!(
                f,
                "{} came from outside this request's heap while no other ran: memory freed by work on other threads, C code, stacks, or huge pages",
                size(other)
            ),
            Self::Overlapped => f.write_str(
                "other requests ran meanwhile, and without a heap meter the growth can't be attributed to one of them",
            ),
            Self::Unmetered => f.write_str(
                "without a heap meter, live heap can't be told from freed pages",
            ),
            Self::Unreadable => f.write_str("the resident set could not be read"),
        }
    }
}
