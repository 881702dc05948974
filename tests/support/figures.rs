//! Figures in the format of `figures.json`, of a made-up process.
#![allow(dead_code)] // Each file of tests is a crate of its own.

use serde_json::{Value, json};
use tower_memory::MIB;

/// One o'clock in the afternoon of 2027-01-15, UTC.
pub(crate) const BEGAN: f64 = 1_800_018_000.0;

/// As long as labels get, and differing only at their ends.
pub(crate) const LONG_NAMES: [&str; 2] = [
    "/api/v1/organisations/{organisation_id}/projects/{project_id}/environments/{environment_id}/deployments/{id}/logs",
    "/api/v1/organisations/{organisation_id}/projects/{project_id}/environments/{environment_id}/deployments/{id}/status",
];

/// A route that owns `live` bytes, `kept` of them of settled requests.
pub(crate) fn route(name: &str, live: u64, kept: u64) -> Value {
    let growth = json!({
        "readings": 123_456, "sum": 384 * MIB, "mean": 128 * MIB, "p50": 128 * MIB, "p95": 128 * MIB,
        "p99": 128 * MIB, "max": 128 * MIB,
    });
    json!({
        "route": name, "requests": 123_456, "overlapping": 456, "outcomes": {"completed": 123_456},
        "verdicts": {"retained": 456, "within_threshold": 123_000}, "growth": growth, "shrink": 128 * MIB,
        "allocated": 384 * MIB, "retained": kept, "peak": 128 * MIB, "live": live, "unsent": 0, "running": 0,
        "oldest_running": null, "late": 0, "last_warning": {"at": BEGAN},
    })
}

/// A process with 512 MiB of live heap and 600 MiB resident, forty minutes old. A route may be given as
/// `base` plus its differences.
pub(crate) fn figures(routes: Value) -> Value {
    let flatten = |mut route: Value| match route["base"].take() {
        Value::Object(mut base) => {
            let more = route.as_object().into_iter().flatten();
            base.extend(more.map(|(name, value)| (name.clone(), value.clone())));
            Value::Object(base)
        }
        _ => route,
    };
    let routes: Vec<_> = routes
        .as_array()
        .into_iter()
        .flatten()
        .cloned()
        .map(flatten)
        .collect();
    let owned: u64 = routes
        .iter()
        .filter_map(|route| route["live"].as_u64())
        .sum();
    let at = BEGAN + 40.0 * 60.0;
    let series = json!({
        "at": [at - 120.0, at - 60.0], "resident": [500 * MIB, 550 * MIB], "live": [400 * MIB, 450 * MIB],
        "held": [100 * MIB, 100 * MIB], "in_flight": [0, 1],
    });
    json!({
        "at": at, "began_at": BEGAN, "resident": 600 * MIB, "shared": 40 * MIB, "live": 512 * MIB,
        "nobody": (512 * MIB).saturating_sub(owned), "held": 48 * MIB, "limit": 1000 * MIB,
        "limit_kind": "cgroup", "allocator": "glibc", "level": "watch", "headline": "What the test says",
        "sentence": "600.0 MiB resident", "next_step": null, "seconds": series, "minutes": series,
        "routes": routes, "warnings": [],
    })
}
