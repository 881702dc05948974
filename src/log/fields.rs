//! The fields of the contract, once, for events and spans alike.

use super::headline::{Explanation, Headline, LateHeadline};
use crate::{
    heap::{self, HeapFlow},
    report::{LateWork, Report},
    target::TARGET,
    verdict::Verdict,
};
use std::time::Duration;
use tracing::{
    Level,
    field::{DisplayValue, display},
    level_filters::LevelFilter,
};

/// Hands names and values, in the order of the contract, to the macro `$then`.
macro_rules! with_fields {
    ($then:ident, $report:ident, $memory:ident, $heap:ident) => {
        $then! {
            $report,
            "http.request.method" = $report.method.as_str(),
            "http.route" = $report.route.as_str(),
            "http.response.status_code" = $report.status.map(|status| status.as_u16()),
            "http.request.body.size" = $report.request_size,
            "http.response.body.size" = $report.response_size,
            "rpc.grpc.status_code" = $report.grpc_status,
            "outcome" = $report.outcome.as_str(),
            "duration_ms" = milliseconds($report.duration),
            "memory.before" = $report.before.map(|resident| resident.total),
            "memory.after" = $report.after.map(|resident| resident.total),
            "memory.growth" = $memory.as_ref().map(|memory| memory.growth),
            "memory.shrink" = $memory.as_ref().map(|memory| memory.shrink),
            "memory.shared_growth" = $memory.as_ref().map(|memory| memory.shared_growth),
            "heap.allocated" = $heap.map(|heap| heap.allocated),
            "heap.freed" = $heap.map(|heap| heap.freed),
            "heap.allocations" = $heap.map(|heap| heap.allocations),
            "heap.peak" = $heap.map(|heap| heap.peak),
            "heap.received" = $heap.map(|heap| heap.received),
            "heap.handed_off" = $heap.map(|heap| heap.handed_off),
            "heap.retained" = $heap.map(retained),
            "heap.released" = $heap.map(released),
            "heap.unsent" = $heap.map(|heap| heap.unsent),
            "heap.running" = $heap.map(|heap| heap.running),
            "heap.live" = $report.live_after,
            "heap.route_live" = heap::live_of_route(&$report.route),
            "requests.overlapping" = $report.overlap,
            "verdict" = $report.verdict.as_str(),
            "verdict.held" = held($report.verdict),
            "verdict.elsewhere" = elsewhere($report.verdict),
            "explanation" = explanation(&$report.verdict),
            "event" = "request",
        }
    };
}

pub(super) fn warn(report: &Report, suppressed: u64) {
    let (memory, heap) = (Change::of(report), report.heap);
    macro_rules! event {
        ($report:ident, $($name:literal = $value:expr,)*) => {
            tracing::event!(
                target: TARGET,
                parent: $report.span(),
                Level::WARN,
                $($name = $value,)*
                "warnings.suppressed" = suppressed,
                "{}",
                Headline { report: $report, suppressed }
            )
        };
    }
    with_fields!(event, report, memory, heap);
}

#[inline]
pub(super) fn debug(report: &Report) {
    if Level::DEBUG <= LevelFilter::current() {
        write_debug(report);
    }
}

fn write_debug(report: &Report) {
    let (memory, heap) = (Change::of(report), report.heap);
    macro_rules! event {
        ($report:ident, $($name:literal = $value:expr,)*) => {
            tracing::event!(
                target: TARGET,
                parent: $report.span(),
                Level::DEBUG,
                $($name = $value,)*
                "{}",
                Headline { report: $report, suppressed: 0 }
            )
        };
    }
    with_fields!(event, report, memory, heap);
}

/// Records in the request's span those of the fields that it declares.
pub(super) fn record(report: &Report) {
    let span = report.span();
    if span.is_disabled() {
        return;
    }
    let (memory, heap) = (Change::of(report), report.heap);
    macro_rules! record {
        ($report:ident, $($name:literal = $value:expr,)*) => {
            // Some values cost a sum over all threads.
            $(if span.has_field($name) {
                span.record($name, $value);
            })*
        };
    }
    with_fields!(record, report, memory, heap);
}

/// Work that a request left behind, at `$level`.
macro_rules! late_event {
    ($level:expr, $work:ident, $suppressed:ident) => {
        tracing::event!(
            target: TARGET,
            parent: $work.span(),
            $level,
            "http.request.method" = $work.method.as_str(),
            "http.route" = $work.route.as_str(),
            "heap.allocated" = $work.heap.allocated,
            "heap.freed" = $work.heap.freed,
            "heap.allocations" = $work.heap.allocations,
            "heap.peak" = $work.heap.peak,
            "heap.retained" = retained($work.heap),
            "heap.released" = released($work.heap),
            "heap.route_live" = heap::live_of_route(&$work.route),
            "verdict" = $work.verdict.as_str(),
            "explanation" = explanation(&$work.verdict),
            "event" = "late_work",
            "warnings.suppressed" = $suppressed,
            "{}",
            LateHeadline { work: $work, suppressed: $suppressed.unwrap_or(0) }
        )
    };
}

pub(super) fn warn_late(work: &LateWork, suppressed: u64) {
    let suppressed = Some(suppressed);
    late_event!(Level::WARN, work, suppressed);
}

pub(super) fn inform_late(work: &LateWork) {
    let suppressed = None::<u64>;
    late_event!(Level::INFO, work, suppressed);
}

pub(super) fn debug_late(work: &LateWork) {
    let suppressed = None::<u64>;
    late_event!(Level::DEBUG, work, suppressed);
}

fn retained(heap: HeapFlow) -> u64 {
    heap.retained().max(0) as u64
}

fn released(heap: HeapFlow) -> u64 {
    heap.retained().min(0).unsigned_abs()
}

fn held(verdict: Verdict) -> Option<u64> {
    match verdict {
        Verdict::AllocatorHeld { held, .. } => Some(held),
        _ => None,
    }
}

fn elsewhere(verdict: Verdict) -> Option<u64> {
    match verdict {
        Verdict::OtherRequests { elsewhere, .. } => Some(elsewhere),
        _ => None,
    }
}

/// Formatted only by a subscriber that writes it.
fn explanation(verdict: &Verdict) -> Option<DisplayValue<Explanation<'_>>> {
    verdict.is_warning().then(|| display(Explanation(verdict)))
}

/// What changed, in unsigned bytes: log-to-metric programs can't count signed values.
struct Change {
    growth: u64,
    shrink: u64,
    shared_growth: u64,
}

impl Change {
    fn of(report: &Report) -> Option<Self> {
        let (before, after) = (report.before?, report.after?);
        Some(Self {
            growth: after.total.saturating_sub(before.total),
            shrink: before.total.saturating_sub(after.total),
            shared_growth: after.shared.saturating_sub(before.shared),
        })
    }
}

/// With three decimals, which is as much as a request's duration is good for.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}
