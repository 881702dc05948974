use super::advice::advise;
use crate::{
    reclaim::Allocator,
    route::Route,
    routes::{LimitKind, RouteFigures, Sample, Snapshot, Warning},
};
use serde_json::{Map, Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The figures in the form the page reads them, with samples from `since` on.
pub(super) fn figures(snapshot: &Snapshot, since: Duration) -> Value {
    let now = SystemTime::now();
    let allocator = Allocator::in_use();
    let advice = advise(snapshot, allocator);
    let process = snapshot.process;
    json!({
        "at": seconds(now),
        "began_at": seconds(snapshot.began_at),
        "resident": process.resident.map(|resident| resident.total),
        "shared": process.resident.map(|resident| resident.shared),
        "live": process.live,
        "nobody": snapshot.nobody,
        "held": process.held(),
        "limit": snapshot.limit,
        "limit_kind": snapshot.limit_kind.map(|kind| match kind {
            LimitKind::Cgroup => "cgroup",
            LimitKind::Machine => "machine",
        }),
        "allocator": allocator.as_str(),
        "level": advice.level.as_str(),
        "headline": advice.headline,
        "sentence": advice.sentence,
        "next_step": advice.next_step,
        "seconds": columns(snapshot, now, &snapshot.seconds, since),
        // The minute that contains `since` may still grow.
        "minutes": columns(snapshot, now, &snapshot.minutes, since.saturating_sub(Duration::from_secs(60))),
        "routes": snapshot.routes.iter().map(route).collect::<Value>(),
        "warnings": snapshot.warnings.iter().map(|(route, warned)| warning(route, warned)).collect::<Value>(),
    })
}

fn seconds(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64 / 1000.0
}

/// By column, as charts need them.
fn columns(snapshot: &Snapshot, now: SystemTime, samples: &[Sample], since: Duration) -> Value {
    let samples = &samples[samples.partition_point(|sample| sample.at < since)..];
    let column = |of: fn(&Sample) -> Option<u64>| samples.iter().map(of).collect::<Value>();
    // Counted back from now: the clock may have been set, or stood still, since the beginning.
    let at = samples
        .iter()
        .map(|sample| seconds(now - snapshot.at.saturating_sub(sample.at)));
    json!({
        "at": at.collect::<Value>(),
        "resident": column(|sample| sample.resident),
        "live": column(|sample| sample.live),
        "held": column(|sample| sample.held),
        "in_flight": column(|sample| Some(sample.in_flight.into())),
    })
}

fn route(figures: &RouteFigures) -> Value {
    let growth = figures.growth;
    let outcomes = figures
        .outcomes
        .iter()
        .map(|(outcome, count)| (outcome.as_str(), *count));
    json!({
        "route": figures.route.as_str(),
        "requests": figures.requests,
        "overlapping": figures.overlapping,
        "outcomes": counts(outcomes),
        "verdicts": counts(figures.verdicts.iter().copied()),
        "growth": {
            "readings": growth.readings,
            "sum": growth.sum,
            "mean": growth.mean(),
            "p50": growth.p50,
            "p95": growth.p95,
            "p99": growth.p99,
            "max": growth.max,
        },
        "shrink": figures.shrink,
        "allocated": figures.heap.map(|heap| heap.allocated),
        "retained": figures.heap.map(|heap| heap.retained),
        "peak": figures.heap.map(|heap| heap.peak),
        "live": figures.heap.and_then(|heap| heap.live),
        "unsent": figures.heap.map(|heap| heap.unsent),
        "running": figures.heap.map(|heap| heap.running),
        "oldest_running": figures.heap.and_then(|heap| heap.oldest_running).map(|age| age.as_secs_f64()),
        "late": figures.late,
        "last_warning": figures.last_warning.as_ref().map(|last| warning(&figures.route, last)),
    })
}

fn counts<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Value {
    counts
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect::<Map<_, _>>()
        .into()
}

fn warning(route: &Route, warning: &Warning) -> Value {
    json!({
        "at": seconds(warning.at),
        "method": warning.method.as_str(),
        "route": route.as_str(),
        "status": warning.status.map(|status| status.as_u16()),
        "outcome": warning.outcome.map(|outcome| outcome.as_str()),
        "before": warning.before.map(|resident| resident.total),
        "after": warning.after.map(|resident| resident.total),
        "verdict": warning.verdict.as_str(),
        "sentence": warning.verdict.to_string(),
        "next_step": warning.verdict.next_step(),
    })
}
