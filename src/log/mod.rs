//! The log: one warning per request that grew the process, rate-limited, and a DEBUG event for
//! every report. [`Log`] has the contract.

mod fields;
mod headline;
mod rate_limit;

use self::rate_limit::RateLimit;
use crate::report::{LateWork, OnReport, Report};
use std::time::Instant;

/// The built-in listener: writes reports as `tracing` events with target `tower_memory`.
///
/// - WARN when there is something to explain ([`Verdict::is_warning`](crate::Verdict::is_warning)),
///   at most ten for one route in the minute that
///   begins with the first of them. Where warnings were held back, the next one of that route says
///   how many.
/// - DEBUG for every report.
/// - Background work of a request that goes on after it gives one event when it ends: DEBUG, and WARN when
///   the threshold or more is alive of it and its request. It has method, route, `heap.*`, `verdict` and `explanation`. After a warning
///   about a request that is `running`, this event is INFO at least.
/// - The request's span gets the same fields recorded, those of them that it declares.
///
/// An event that no subscriber wants costs a few nanoseconds: nothing is formatted or allocated. In a span, the names
/// of the fields are looked up, and the subscriber records a value for each field that the span declares, which may
/// cost more.
///
/// # Fields
///
/// Names and order are a contract. Bytes are unsigned; a field without a value is left out.
///
/// | field | unit | left out when |
/// |---|---|---|
/// | `message` | a sentence for people | |
/// | `http.request.method` | | |
/// | `http.route` | route template, `unmatched` or your label | |
/// | `http.response.status_code` | | there was no response |
/// | `http.request.body.size` | bytes, as `content-length` declares | it declares none |
/// | `http.response.body.size` | bytes that passed | |
/// | `rpc.grpc.status_code` | `grpc-status` of the response | it has none |
/// | `outcome` | [`Outcome::as_str`](crate::Outcome::as_str) | |
/// | `duration_ms` | milliseconds, with decimals | |
/// | `memory.before` | bytes resident at the start | it could not be read |
/// | `memory.after` | bytes resident at the end | it could not be read |
/// | `memory.growth` | bytes; 0 when it shrank | either could not be read |
/// | `memory.shrink` | bytes; 0 when it grew | either could not be read |
/// | `memory.shared_growth` | bytes of files and shared memory; 0 when they shrank | either could not be read |
/// | `heap.allocated` | bytes the request allocated | no heap meter counts |
/// | `heap.freed` | bytes of them that are no longer alive | no heap meter counts |
/// | `heap.allocations` | how many | no heap meter counts |
/// | `heap.peak` | bytes, the most that was alive at once | no heap meter counts |
/// | `heap.received` | bytes that background work took over from its request; with jemalloc's own counters, bytes of the request body that were allocated outside | no heap meter counts |
/// | `heap.handed_off` | with jemalloc's own counters, bytes of the response that are freed outside; else 0 | no heap meter counts |
/// | `heap.retained` | bytes that are still alive once its response is gone | no heap meter counts |
/// | `heap.released` | with jemalloc's own counters, bytes freed beyond its own; else 0 | no heap meter counts |
/// | `heap.unsent` | bytes of the response that its client has not read yet | no heap meter counts |
/// | `heap.running` | bytes in use by work of the request that still runs | no heap meter counts |
/// | `heap.live` | live heap of the process at the end, in bytes | no heap meter counts |
/// | `heap.route_live` | live heap that requests of this route own, in bytes, when the event is written | blocks have no owner |
/// | `requests.overlapping` | requests that shared the window | |
/// | `verdict` | [`Verdict::as_str`](crate::Verdict::as_str) | |
/// | `verdict.held` | bytes of growth that are freed memory the allocator holds | the verdict is not `allocator_held` |
/// | `verdict.elsewhere` | bytes of growth beyond what the request held | the verdict is not `other_requests` |
/// | `explanation` | why the process grew, and what to do: the second half of the message | there is nothing to warn about |
/// | `event` | `request` | |
/// | `warnings.suppressed` | warnings of this route held back since its last (WARN events only) | |
///
/// `event` tells what an event is about, so that no program needs to read messages, whose wording may change:
///
/// - `request`: all of the table.
/// - `late_work`: background work of a request, when it ends.
/// - `reclaim`: pages were given back, by [`Reclaim`](crate::reclaim::Reclaim); `reclaim.bytes`, `reclaim.duration_ms`,
///   `memory.before` and `memory.after`.
/// - `unreadable` and `limit_unreadable`: the resident set, or the limit, could not be read, said once; `error` has the
///   reason.
/// - `reclaim_failed`, `settling_failed` and `dashboard_failed`: no thread for it could be started, or it ended; `error`
///   has the reason.
///
/// `http.*` are [OpenTelemetry's
/// names](https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
///
/// # Use
///
/// Every [`MemoryLayer`](crate::MemoryLayer) has one. Replace it for another rate:
///
/// ```
/// use tower_memory::{Log, MemoryLayer};
///
/// let layer = MemoryLayer::new().without_log().on_report(Log::new().warnings_per_minute(60));
/// ```
///
/// # Without blocking
///
/// An event is written by the thread that ends the request. A subscriber that writes to standard output blocks when
/// that is a pipe which nobody reads: at `tower_memory=debug` after a hundred requests, which then all hang. Let
/// a thread of its own write, and drop what nobody reads in time, as
/// [`tracing-appender`](https://docs.rs/tracing-appender) does:
///
/// ```
/// use tracing_appender::non_blocking::NonBlockingBuilder;
///
/// // Lines that may wait; the default of 128,000 can be the largest thing in a small process.
/// let builder = NonBlockingBuilder::default().buffered_lines_limit(1024);
/// let (writer, guard) = builder.finish(std::io::stdout());
/// let dropped = writer.error_counter();
/// tracing_subscriber::fmt().with_writer(writer).init();
///
/// // Where a person looks, for example as a metric:
/// let lines = dropped.dropped_lines();
/// # assert_eq!(lines, 0);
///
/// // Last of all, and held until then: writes the lines that wait.
/// drop(guard);
/// ```
///
/// While nobody reads and the queue is full, dropping the guard prints to standard output and so blocks:
/// `examples/zoo/logging.rs` has it dropped by a thread and waits no longer than two seconds, and warns of dropped lines
/// once somebody reads again.
#[derive(Debug)]
pub struct Log {
    limit: RateLimit,
}

impl Log {
    /// Ten warnings a minute and route.
    pub fn new() -> Self {
        Self {
            limit: RateLimit::per_minute(10),
        }
    }

    /// At most `warnings` a minute and route; the first 512 routes that warn count separately, the rest together.
    pub fn warnings_per_minute(self, warnings: u32) -> Self {
        Self {
            limit: RateLimit::per_minute(warnings),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

impl OnReport for Log {
    fn on_report(&self, report: &Report) {
        fields::record(report);
        fields::debug(report);
        if report.verdict.is_warning() {
            self.warn(report, Instant::now());
        }
    }

    fn on_late_work(&self, work: &LateWork) {
        fields::debug_late(work);
        if work.is_awaited && !work.verdict.is_warning() {
            fields::inform_late(work);
        }
        if work.verdict.is_warning() {
            if let Some(suppressed) = self.limit.admit(&work.route, Instant::now()) {
                fields::warn_late(work, suppressed);
            }
        }
    }
}

impl Log {
    fn warn(&self, report: &Report, now: Instant) {
        if let Some(suppressed) = self.limit.admit(&report.route, now) {
            fields::warn(report, suppressed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, Resident, Route, Verdict};
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
        time::Duration,
    };

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn report() -> Report {
        let (before, after) = (Some(Resident::new(0, 0)), Some(Resident::new(1, 0)));
        Report {
            method: http::Method::GET,
            route: Route::UNMATCHED,
            status: None,
            grpc_status: None,
            outcome: Outcome::Cancelled,
            duration: Duration::ZERO,
            before,
            after,
            overlap: 0,
            in_flight: 1,
            request_size: None,
            response_size: 0,
            heap: None,
            live_before: None,
            live_after: None,
            verdict: Verdict::Unmetered,
            span: tracing::Span::none(),
        }
    }

    #[test]
    fn the_warning_after_suppressed_ones_says_how_many_in_words_and_as_a_field() {
        let log = Log::new().warnings_per_minute(1);
        let start = Instant::now();
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            // One is written each minute: after none, one and two that were not.
            for seconds in [0, 1, 60, 61, 62, 120] {
                log.warn(&report(), start + Duration::from_secs(seconds));
            }
        });
        let written = written.0.lock().expect("not poisoned");
        let lines: Vec<_> = str::from_utf8(&written).expect("text").lines().collect();
        let [none, one, two] = lines[..] else {
            panic!("{lines:?}")
        };
        assert!(!none.contains("more warning"), "{none}");
        assert!(one.contains(" (1 more warning suppressed)"), "{one}");
        assert!(two.contains(" (2 more warnings suppressed)"), "{two}");
        for (line, suppressed) in [(none, 0), (one, 1), (two, 2)] {
            let field = format!("warnings.suppressed={suppressed}");
            assert!(line.ends_with(&field), "{line}");
        }
    }
}
