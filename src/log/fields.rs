//! The fields of the contract, once, for events and spans alike.

use super::{TARGET, headline::Headline};
use crate::report::Report;
use std::time::Duration;
use tracing::Level;

/// Hands names and values, in the order of the contract, to the macro `$then`.
macro_rules! with_fields {
    ($then:ident, $report:ident, $memory:ident) => {
        $then! {
            $report,
            "http.request.method" = $report.method.as_str(),
            "http.route" = $report.route.as_str(),
            "http.response.status_code" = $report.status.map(|status| status.as_u16()),
            "http.request.body.size" = $report.request_size,
            "http.response.body.size" = $report.response_size,
            "outcome" = $report.outcome.as_str(),
            "duration_ms" = milliseconds($report.duration),
            "memory.before" = $report.before.map(|resident| resident.total),
            "memory.after" = $report.after.map(|resident| resident.total),
            "memory.growth" = $memory.as_ref().map(|memory| memory.growth),
            "memory.shrink" = $memory.as_ref().map(|memory| memory.shrink),
            "memory.shared_growth" = $memory.as_ref().map(|memory| memory.shared_growth),
            "requests.overlapping" = $report.overlap,
            "verdict" = $report.verdict.as_str(),
        }
    };
}

pub(super) fn warn(report: &Report, suppressed: u64) {
    let memory = Change::of(report);
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
    with_fields!(event, report, memory);
}

pub(super) fn debug(report: &Report) {
    let memory = Change::of(report);
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
    with_fields!(event, report, memory);
}

/// Records in the request's span those of the fields that it declares.
pub(super) fn record(report: &Report) {
    let span = report.span();
    if span.is_disabled() {
        return;
    }
    let memory = Change::of(report);
    macro_rules! record {
        ($report:ident, $($name:literal = $value:expr,)*) => {
            $(span.record($name, $value);)*
        };
    }
    with_fields!(record, report, memory);
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
