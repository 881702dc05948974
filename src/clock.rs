//! The time as a plain number. An `Instant` is twice as large, and subtracting one takes as long as
//! reading one.

/// Nanoseconds since some moment before the first request. Never goes back.
#[cfg(target_os = "linux")]
#[inline]
pub(crate) fn nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, rest) = (time.tv_sec as u64, time.tv_nsec as u64);
    seconds.wrapping_mul(1_000_000_000).wrapping_add(rest)
}

/// Nanoseconds since the first call. Never goes back.
#[cfg(not(target_os = "linux"))]
pub(crate) fn nanos() -> u64 {
    use std::{sync::OnceLock, time::Instant};
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let elapsed = EPOCH.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
}
