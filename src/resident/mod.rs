//! What the operating system says: the resident set of this process.
//!
//! A [`Resident`] is one reading; a [`ReadResident`] takes it. The default is [`Statm`] on Linux
//! and `Sysinfo` elsewhere; hand your own to [`MemoryLayer::reader`](crate::MemoryLayer::reader).

#[cfg(any(feature = "metrics", feature = "routes"))]
mod limit;
mod shared;
#[cfg(target_os = "linux")]
mod statm;
#[cfg(any(not(target_os = "linux"), feature = "sysinfo"))]
mod sysinfo;

use std::io;

#[cfg(feature = "routes")]
pub use self::limit::LimitKind;
#[cfg(any(feature = "metrics", feature = "routes"))]
pub(crate) use self::limit::limit;
pub(crate) use self::shared::{Reading, SharedReading};
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
    /// All resident bytes (`RssAnon + RssFile + RssShmem` in the words of `/proc/self/status`).
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
/// Called on the request path, up to twice a request, from any thread and from destructors: an
/// implementation should take a few microseconds and not allocate. A panic is taken as a failed
/// reading.
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
    /// Whatever kept it from being taken. The report then carries `None`, and the first such error
    /// is logged.
    fn read(&self) -> io::Result<Resident>;
}

/// A reading by the reader for this platform, outside of any request.
#[cfg(any(feature = "metrics", feature = "routes"))]
pub(crate) fn now() -> Option<Resident> {
    static READER: std::sync::OnceLock<Box<dyn ReadResident>> = std::sync::OnceLock::new();
    let reader = READER.get_or_init(|| Box::new(default_reader()));
    reader.read().ok()
}

/// The reader for this platform.
pub(crate) fn default_reader() -> impl ReadResident {
    #[cfg(target_os = "linux")]
    return Statm::new();
    #[cfg(not(target_os = "linux"))]
    return Sysinfo::new();
}
