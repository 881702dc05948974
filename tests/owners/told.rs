//! The layer's reports for each route.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tower_memory::{MemoryLayer, Report};

/// The layer's report for a route.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    pub(crate) reports: u64,
    pub(crate) retained: Vec<i64>,
    pub(crate) verdicts: BTreeMap<&'static str, u64>,
    pub(crate) outcomes: BTreeMap<String, u64>,
    pub(crate) last: Option<Report>,
}

pub(crate) type Reports = Arc<Mutex<BTreeMap<String, Told>>>;

/// A layer whose reports are kept.
pub(crate) fn layer(reports: &Reports) -> MemoryLayer {
    let reports = Arc::clone(reports);
    MemoryLayer::new()
        .without_log()
        .on_report(move |report: &Report| {
            let mut all = reports.lock().expect("no panic");
            let told = all.entry(report.route.to_string()).or_default();
            told.reports += 1;
            told.retained
                .push(report.heap.map_or(0, |heap| heap.retained()));
            *told.verdicts.entry(report.verdict.as_str()).or_default() += 1;
            told.last = Some(report.clone());
            *told.outcomes.entry(report.outcome.to_string()).or_default() += 1;
        })
}
