use super::{Reading, UNKNOWN, seqlock::Seqlock};
use crate::{
    clock, heap,
    resident::{GuardedReader, ReadResident, Resident},
    target::TARGET,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// One reading of the process (resident set and live heap), shared by requests that are close in time.
///
/// Nobody waits for it: a reader that meets a writer takes its own reading.
pub(crate) struct SharedReading {
    reader: GuardedReader,
    resolution: u64,
    /// When the last reading was taken, its total and shared bytes, and its live heap.
    last: Seqlock<4>,
    failed_before: AtomicBool,
}

impl SharedReading {
    pub(crate) fn new(reader: Arc<dyn ReadResident>, resolution: Duration) -> Self {
        Self {
            reader: GuardedReader::new(reader),
            resolution: nanos(resolution),
            last: Seqlock::new(),
            failed_before: AtomicBool::new(false),
        }
    }

    pub(crate) fn with_reader(&self, reader: Arc<dyn ReadResident>) -> Self {
        Self::new(reader, Duration::from_nanos(self.resolution))
    }

    pub(crate) fn with_resolution(&self, resolution: Duration) -> Self {
        Self::new(Arc::clone(self.reader.reader()), resolution)
    }

    /// The published reading if it is younger than the resolution, else a new one. Its resident set is
    /// missing if it can't be read; the first failure is logged with the reason.
    #[inline]
    pub(crate) fn read(&self) -> Reading {
        self.read_at(clock::nanos())
    }

    /// A new reading, regardless of the published one.
    pub(crate) fn read_anew(&self) -> Reading {
        self.take(clock::nanos())
    }

    #[inline]
    fn read_at(&self, now: u64) -> Reading {
        self.published(now).unwrap_or_else(|| self.take(now))
    }

    #[cold]
    fn take(&self, now: u64) -> Reading {
        let reading = Reading {
            at: now,
            // Whatever a reading sets up, such as the means to wait for a thread, belongs to no request.
            resident: heap::as_nobody(|| self.reader.read(|reason| self.failed(reason))),
            live: heap::live_bytes_at_once().unwrap_or(UNKNOWN),
        };
        if self.resolution > 0 {
            self.publish(&reading);
        }
        reading
    }

    #[inline]
    fn published(&self, now: u64) -> Option<Reading> {
        let [taken, total, shared, live] = self.last.read()?;
        (now.saturating_sub(taken) < self.resolution).then_some(Reading {
            at: now,
            resident: Some(Resident { total, shared }),
            live,
        })
    }

    /// Stores the time before the reading began, so its age is never understated.
    fn publish(&self, reading: &Reading) {
        if let Some(Resident { total, shared }) = reading.resident {
            self.last.publish([reading.at, total, shared, reading.live]);
        }
    }

    #[cold]
    fn failed(&self, error: &dyn fmt::Display) {
        if !self.failed_before.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: TARGET,
                error = %error,
                event = "unreadable",
                "resident memory can't be read; reports carry no memory figures until it can: {error}",
            );
        }
    }
}

/// Whole nanoseconds, saturating at 584 years.
fn nanos(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::atomic::{AtomicU32, AtomicU64},
    };

    struct Counting(AtomicU64);

    impl ReadResident for Counting {
        fn read(&self) -> io::Result<Resident> {
            let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            Ok(Resident::new(n * 3, n))
        }
    }

    fn counting(resolution: Duration) -> SharedReading {
        SharedReading::new(Arc::new(Counting(AtomicU64::new(0))), resolution)
    }

    #[test]
    fn a_reading_is_shared_until_it_is_as_old_as_the_resolution() {
        let reading = counting(Duration::from_micros(100));
        let at = |micros: u64| reading.read_at(micros * 1_000).resident.map(|r| r.shared);
        assert_eq!(at(0), Some(1));
        assert_eq!(at(99), Some(1));
        assert_eq!(at(100), Some(2));
        assert_eq!(at(150), Some(2));
        assert_eq!(at(1_000), Some(3));
    }

    #[test]
    fn with_no_resolution_every_request_reads() {
        let reading = counting(Duration::ZERO);
        let readings: Vec<_> = (0..3)
            .map(|_| reading.read_at(7).resident.map(|r| r.shared))
            .collect();
        assert_eq!(readings, [Some(1), Some(2), Some(3)]);
    }

    #[test]
    fn a_failure_is_none_and_the_next_success_counts_again() {
        struct Flaky(AtomicU32);
        impl ReadResident for Flaky {
            fn read(&self) -> io::Result<Resident> {
                match self.0.fetch_add(1, Ordering::Relaxed) {
                    0 => Ok(Resident::new(7, 0)),
                    1 => Err(io::Error::other("gone")),
                    // Without the panic hook, which takes time to print a backtrace.
                    2 => std::panic::resume_unwind(Box::new("as planned")),
                    _ => Ok(Resident::new(9, 0)),
                }
            }
        }
        let reading =
            SharedReading::new(Arc::new(Flaky(AtomicU32::new(0))), Duration::from_nanos(1));
        let totals: Vec<_> = (1..5)
            .map(|now| reading.read_at(now).resident.map(|r| r.total))
            .collect();
        assert_eq!(totals, [Some(7), None, None, Some(9)]);
    }

    #[test]
    fn an_error_that_panics_when_it_is_shown_is_a_failed_reading_like_any_other() {
        #[derive(Debug)]
        struct Unspeakable;
        impl fmt::Display for Unspeakable {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("the error panicked, as planned")
            }
        }
        impl std::error::Error for Unspeakable {}
        struct Failing;
        impl ReadResident for Failing {
            fn read(&self) -> io::Result<Resident> {
                Err(io::Error::other(Unspeakable))
            }
        }
        let reading = SharedReading::new(Arc::new(Failing), Duration::ZERO);
        let subscriber = tracing_subscriber::fmt().with_writer(io::sink).finish();
        tracing::subscriber::with_default(subscriber, || {
            assert_eq!(reading.read().resident, None);
            assert_eq!(reading.read().resident, None);
        });
    }
}
