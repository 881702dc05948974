use bytesize::ByteSize;
use std::fmt;

/// Whether the service keeps memory per request, with the figures it rests on.
///
/// [`Display`](fmt::Display) formats it as a sentence.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// Requests leave nothing behind: growth faded twice in a row, and the soak would have seen it.
    #[non_exhaustive]
    Settled {
        /// Bytes a request in the last stage.
        per_request: f64,
    },
    /// Each request leaves about as much behind.
    #[non_exhaustive]
    Grows {
        /// Bytes a request in the last stage.
        per_request: f64,
        /// The share of the growth that is live heap of routes, between 0 and 1; `None` where blocks have no owner.
        explained: Option<f64>,
        /// The route with most of it.
        route: Option<String>,
    },
    /// A table grows, each time to twice its size, and is never emptied.
    #[non_exhaustive]
    GrowsByDoubling {
        /// Bytes of the last step.
        step: u64,
        /// Requests before it.
        at: u64,
        /// Requests before the next one.
        next: u64,
    },
    /// Memory rose once and not again, as when a cache fills.
    #[non_exhaustive]
    Stepped {
        /// Bytes of the step.
        step: u64,
        /// Requests before it.
        at: u64,
    },
    /// Live heap is settled. Resident memory grew by freed pages, and the allocator gives them back when told to.
    #[non_exhaustive]
    HeldByAllocator {
        /// Growth of resident memory that is not live heap, in bytes.
        held: u64,
        /// What [`reclaim`](crate::reclaim::reclaim) gave back; `None` for another process.
        given_back: Option<u64>,
    },
    /// Live heap is settled. Resident memory grew by freed pages that the allocator can't give back, because something
    /// lives on most of them.
    #[non_exhaustive]
    Pinned {
        /// Growth of resident memory that is not live heap, in bytes.
        held: u64,
        /// What [`reclaim`](crate::reclaim::reclaim) gave back.
        given_back: u64,
    },
    /// Live heap is settled, and resident memory rises with each request: C code, mapped files, stacks.
    #[non_exhaustive]
    Elsewhere {
        /// Bytes of resident memory a request in the last stage.
        per_request: f64,
    },
    /// The process grows as fast without requests.
    #[non_exhaustive]
    NotByRequests {
        /// Bytes a second without requests.
        per_second: f64,
    },
    /// More requests are needed.
    #[non_exhaustive]
    Inconclusive {
        /// How many requests more.
        more: u64,
        /// Why it can't be told yet.
        reason: String,
    },
    /// The run doesn't count.
    #[non_exhaustive]
    Invalid {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// A stable name in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Settled { .. } => "settled",
            Self::Grows { .. } => "grows",
            Self::GrowsByDoubling { .. } => "grows_by_doubling",
            Self::Stepped { .. } => "stepped",
            Self::HeldByAllocator { .. } => "held_by_allocator",
            Self::Pinned { .. } => "pinned",
            Self::Elsewhere { .. } => "elsewhere",
            Self::NotByRequests { .. } => "not_by_requests",
            Self::Inconclusive { .. } => "inconclusive",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Whether memory no longer rises with requests: settled, stepped, held by the allocator or pinned.
    pub fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Settled { .. }
                | Self::Stepped { .. }
                | Self::HeldByAllocator { .. }
                | Self::Pinned { .. }
        )
    }

    /// Whether memory rises: with requests, or without.
    pub fn is_growth(&self) -> bool {
        matches!(
            self,
            Self::Grows { .. }
                | Self::GrowsByDoubling { .. }
                | Self::Elsewhere { .. }
                | Self::NotByRequests { .. }
        )
    }

    /// What to do about it, in one sentence.
    pub fn next_step(&self) -> String {
        match self {
            Self::Settled { .. } => "Nothing to do".to_owned(),
            Self::Grows {
                route: Some(route), ..
            } => format!("Look for what {route} stores: a cache, a session, a queue, a task that never ends"),
            Self::Grows { .. } => "Soak one route at a time to find the one that stores, or put a MemoryLayer and a TrackingAllocator around the service: then routes are told apart".to_owned(),
            Self::GrowsByDoubling { .. } => "Look for a map or vector that entries are added to and never removed from".to_owned(),
            Self::Stepped { .. } => "Nothing to do, if it is a cache: its size is its bound".to_owned(),
            Self::HeldByAllocator { .. } => "Nothing is kept: give pages back with tower_memory::reclaim, or set MALLOC_ARENA_MAX=2, or use another allocator".to_owned(),
            Self::Pinned { .. } => "Allocate what lives long before or apart from what requests use, or try jemalloc or mimalloc; a fresh process gets rid of it".to_owned(),
            Self::Elsewhere { .. } => "Look at C libraries, mapped files and thread stacks: it is not Rust's heap".to_owned(),
            Self::NotByRequests { .. } => "Look at background tasks and threads: it grows while nobody asks".to_owned(),
            Self::Inconclusive { more, .. } => format!("Soak for {more} requests more"),
            Self::Invalid { .. } => "Mend that and soak again".to_owned(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled { per_request } => {
                write!(
                    f,
                    "settled: {per_request:.1} B a request in the last stage, and no more than noise"
                )
            }
            Self::Grows {
                per_request,
                explained,
                route,
            } => {
                write!(f, "grows: each request leaves {per_request:.1} B behind")?;
                match (explained, route) {
                    (Some(share), Some(route)) => {
                        write!(f, "; {route} explains {:.0} %", share * 100.0)
                    }
                    (Some(_), None) => f.write_str(
                        "; no route owns it: it was handed to work that doesn't carry its request",
                    ),
                    (None, _) => Ok(()),
                }
            }
            Self::GrowsByDoubling { step, at, next } => write!(
                f,
                "grows by doubling: {} at request {at}, twice the step before; the next comes near request {next}",
                ByteSize(*step).display().iec()
            ),
            Self::Stepped { step, at } => write!(
                f,
                "stepped: {} at request {at}, and nothing since",
                ByteSize(*step).display().iec()
            ),
            Self::HeldByAllocator { held, given_back } => {
                let held = ByteSize(*held).display().iec();
                write!(
                    f,
                    "held by the allocator: requests leave nothing behind, but {held} of freed memory stay resident"
                )?;
                match given_back {
                    Some(bytes) => write!(
                        f,
                        "; told to, the allocator gave {} back",
                        ByteSize(*bytes).display().iec()
                    ),
                    None => Ok(()),
                }
            }
            Self::Pinned { held, given_back } => write!(
                f,
                "pinned: requests leave nothing behind, but {} of freed memory stay resident, and the allocator could give back only {}",
                ByteSize(*held).display().iec(),
                ByteSize(*given_back).display().iec()
            ),
            Self::Elsewhere { per_request } => write!(
                f,
                "elsewhere: live heap is settled, but resident memory rises by {per_request:.0} B a request"
            ),
            Self::NotByRequests { per_second } => write!(
                f,
                "not by requests: the process grows by {per_second:.0} B a second without any"
            ),
            Self::Inconclusive { reason, .. } => write!(f, "inconclusive: {reason}"),
            Self::Invalid { reason } => write!(f, "invalid: {reason}"),
        }
    }
}
