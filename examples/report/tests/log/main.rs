//! What the report it tells from a log alone, and how it takes logs that are not as one would like.

mod files;
#[path = "../support/log_lines.rs"]
mod log_lines;
mod page;
mod reading;
#[path = "../support/report.rs"]
mod report;
mod routes;
mod steps;

use self::{
    log_lines::{Entry, foreign},
    report::{Folder, row, unbroken},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    fs,
    process::{Command, Stdio},
    thread,
};

const MIB: u64 = 1 << 20;
const HOUR: u64 = 3_600_000_000;

/// A request that changed nothing.
fn quiet(route: &str, at: u64) -> Entry {
    Entry {
        at,
        level: "DEBUG",
        route: route.to_owned(),
        status: 200,
        duration_us: at % 1_000_000,
        before: 300 * MIB,
        growth: 0,
        retained: 0,
        live: 100 * MIB,
        route_live: None,
        verdict: "within_threshold",
        suppressed: None,
    }
}

fn grown(route: &str, at: u64, mib: u64, verdict: &'static str) -> Entry {
    Entry {
        growth: mib * MIB,
        retained: if verdict == "retained" { mib * MIB } else { 0 },
        verdict,
        ..quiet(route, at)
    }
}

fn warning(said: Entry, suppressed: u64) -> Entry {
    Entry {
        level: "WARN",
        at: said.at + 40,
        suppressed: Some(suppressed),
        ..said
    }
}

fn log<'a>(said: impl IntoIterator<Item = &'a Entry>) -> String {
    said.into_iter().map(Entry::flat).collect()
}
