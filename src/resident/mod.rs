//! The resident set of this process, as the operating system reports it.
//!
//! A [`Resident`] is one reading; a [`ReadResident`] takes it. The default is [`Statm`] on Linux and `Sysinfo`
//! elsewhere; pass your own to [`MemoryLayer::reader`](crate::MemoryLayer::reader).
//!
//! # When a reading fails
//!
//! The report has `None`, never 0 and never an earlier figure, and the first reason is logged. Besides errors
//! and panics, these count as failures:
//!
//! - an impossible figure: 0 bytes, more than 256 TiB, or more shared bytes than bytes in total;
//! - a reading that takes longer than 100 ms. Readings that may block are taken on a thread of their own, so a
//!   request waits that long once. Until a reading is quick again, requests have `None` without waiting.

mod aside;
mod guarded;
#[cfg(any(feature = "metrics", feature = "routes"))]
mod limit;
#[cfg(target_os = "linux")]
mod statm;
#[cfg(any(not(target_os = "linux"), feature = "sysinfo"))]
mod sysinfo;

pub(crate) use self::guarded::GuardedReader;
use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

#[cfg(feature = "routes")]
pub use self::limit::LimitKind;
#[cfg(any(feature = "metrics", feature = "routes"))]
pub(crate) use self::limit::limit;
#[cfg(target_os = "linux")]
pub use self::statm::Statm;
#[cfg(any(not(target_os = "linux"), feature = "sysinfo"))]
pub use self::sysinfo::Sysinfo;

/// Bytes in a mebibyte.
///
/// ```
/// use tower_memory::{MIB, MemoryLayer};
///
/// let layer = MemoryLayer::new().warn_above(50 * MIB);
/// ```
pub const MIB: u64 = 1 << 20;

/// One reading of the resident set: the pages of this process in RAM, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resident {
    /// All resident bytes (`RssAnon + RssFile + RssShmem` in `/proc/self/status`).
    pub total: u64,
    /// The part of `total` backed by files or shared memory; 0 from a reader that can't tell.
    pub shared: u64,
}

impl Resident {
    /// A reading of `total` resident bytes, `shared` of them backed by files or shared memory.
    pub const fn new(total: u64, shared: u64) -> Self {
        Self { total, shared }
    }

    /// Bytes of heap, stacks and other anonymous memory: `total - shared`, never below zero.
    pub const fn anonymous(&self) -> u64 {
        self.total.saturating_sub(self.shared)
    }
}

/// Reads the resident set of this process.
///
/// Called up to twice per request. A panic is a failed reading, and so is an [impossible
/// figure](self#when-a-reading-fails).
///
/// ```
/// use std::io;
/// use tower_memory::{MemoryLayer, resident::{ReadResident, Resident}};
///
/// struct Cgroup;
///
/// impl ReadResident for Cgroup {
///     fn read(&self) -> io::Result<Resident> {
///         let bytes = std::fs::read_to_string("/sys/fs/cgroup/memory.current")?;
///         let total = bytes.trim_end().parse().map_err(io::Error::other)?;
///         Ok(Resident::new(total, 0))
///     }
/// }
///
/// let layer = MemoryLayer::new().reader(Cgroup);
/// ```
pub trait ReadResident: Send + Sync + 'static {
    /// Takes one reading.
    ///
    /// # Errors
    ///
    /// Any reason why there is no reading. The report then has `None`, and the first such error is logged.
    fn read(&self) -> io::Result<Resident>;

    /// Whether a reading may have to wait: for a disk, a network, another process or a lock. Checked before
    /// each reading.
    ///
    /// The default is `true`: readings are taken on a thread of their own, one at a time, and requests wait for
    /// them for at most 100 ms. The round trip costs some ten microseconds.
    ///
    /// With `false`, readings are taken on the request path, from any thread and from destructors. They should
    /// take a few microseconds and not allocate. If one blocks after all, it holds up its request and the
    /// runtime's thread, and the other requests go on without a reading.
    ///
    /// ```
    /// use std::{io, sync::atomic::{AtomicU64, Ordering}};
    /// use tower_memory::resident::{ReadResident, Resident};
    ///
    /// /// Bytes that somebody else keeps up to date.
    /// struct Watched(&'static AtomicU64);
    ///
    /// impl ReadResident for Watched {
    ///     fn read(&self) -> io::Result<Resident> {
    ///         Ok(Resident::new(self.0.load(Ordering::Relaxed), 0))
    ///     }
    ///
    ///     fn may_block(&self) -> bool {
    ///         false
    ///     }
    /// }
    /// ```
    fn may_block(&self) -> bool {
        true
    }
}

/// More than any process can have: processes address 128 TiB on x86-64 and 256 TiB on 64-bit Arm.
const MOST: u64 = 1 << 48;

/// One reading, unless it is impossible.
///
/// No kernel reports more shared than total bytes: the total is the sum of the shared and the anonymous pages,
/// even where the kernel's counters are inexact (`task_statm` in `fs/proc/task_mmu.c`). It reports zero for a
/// process that is going away, and on kernels 6.2 to 6.15 for one so small that all of it is in the per-CPU
/// batches.
fn checked(reader: &dyn ReadResident) -> io::Result<Resident> {
    let resident = reader.read()?;
    let Resident { total, shared } = resident;
    let wrong = match total {
        0 => "no process has 0 bytes resident",
        _ if total > MOST => "no process has that many bytes resident",
        _ if shared > total => "a part is larger than the whole",
        _ => return Ok(resident),
    };
    let reason = format!("read {total} bytes resident, {shared} of them shared: {wrong}");
    Err(io::Error::new(io::ErrorKind::InvalidData, reason))
}

/// A reading by this platform's reader, outside of any request.
pub(crate) fn now() -> Option<Resident> {
    static READER: OnceLock<GuardedReader> = OnceLock::new();
    static FAILED_BEFORE: AtomicBool = AtomicBool::new(false);
    let reader = READER.get_or_init(|| GuardedReader::new(Arc::new(default_reader())));
    reader.read(|reason| {
        if !FAILED_BEFORE.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: crate::target::TARGET,
                error = %reason,
                event = "unreadable",
                "the resident set of the process can't be read and is left out until it can: {reason}",
            );
        }
    })
}

/// This platform's reader.
pub(crate) fn default_reader() -> impl ReadResident {
    #[cfg(target_os = "linux")]
    return Statm::new();
    #[cfg(not(target_os = "linux"))]
    return Sysinfo::new();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Says(Resident);

    impl ReadResident for Says {
        fn read(&self) -> io::Result<Resident> {
            Ok(self.0)
        }
    }

    fn checked_reading(total: u64, shared: u64) -> io::Result<Resident> {
        checked(&Says(Resident::new(total, shared)))
    }

    #[test]
    fn what_can_not_be_true_is_a_failed_reading_that_says_why() {
        for (total, shared, reason) in [
            (0, 0, "0 bytes"),
            (0, 4096, "0 bytes"),
            (MOST + 1, 0, "that many bytes"),
            (u64::MAX, u64::MAX, "that many bytes"),
            (4096, 4097, "a part is larger"),
        ] {
            let error = checked_reading(total, shared).expect_err("absurd");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            let figures = format!("read {total} bytes resident, {shared} of them shared");
            let text = error.to_string();
            assert!(
                text.starts_with(&figures) && text.contains(reason),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_can_be_true_is_left_as_it_is(total in 1..=MOST, share in 0..=100_u64) {
            let shared = total / 100 * share;
            prop_assert_eq!(checked_reading(total, shared).ok(), Some(Resident::new(total, shared)));
        }
    }
}
