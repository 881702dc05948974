//! What a decompression bomb costs in memory, C allocations of zstd included.
//!
//! One test, and so one process: the peak is the process's.

#![allow(clippy::unwrap_used)]

use base64::{Engine, engine::general_purpose::STANDARD};
use efootprint::{DefectKind, ReadError, read};
use serde_json::{Map, json};
use std::{env, fs};

/// What the resident set peaks above what it is now while `f` runs, in bytes; `None` where the
/// system does not tell.
fn peak_growth<T>(f: impl FnOnce() -> T) -> (T, Option<usize>) {
    fn line(name: &str) -> Option<usize> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
    }

    // Sets the peak back to what is resident now.
    let before = fs::write("/proc/self/clear_refs", "5")
        .ok()
        .and_then(|()| line("VmRSS"));
    let result = f();
    let growth = before
        .zip(line("VmHWM"))
        .map(|(before, peak)| peak.saturating_sub(before));
    (result, growth)
}

#[test]
fn short_texts_that_decompress_to_long_series_are_bounded_all_together() {
    // Two hundred years of zeros take a few hundred bytes.
    let zeros = vec![0; 200 * 8766 * 4];
    let compressed = STANDARD.encode(zstd::bulk::compress(&zeros, 0).unwrap());
    drop(zeros);
    let series = json!({
        "compressed_values": compressed, "unit": "occurrence", "start_date": "2025-01-01",
        "label": "x",
    });
    let patterns: Map<_, _> = (0..60)
        .map(|number| {
            let id = format!("p{number}");
            let pattern = json!({
                "name": "p", "id": id, "hourly_occurrences": series, "usage_journeys": {},
                "devices": [], "network": "n", "country": "c",
            });
            (id, pattern)
        })
        .collect();
    let file = json!({"UsagePattern": patterns}).to_string();
    let (result, growth) = peak_growth(|| read(file.as_bytes()));
    match result {
        Err(ReadError::Invalid(defect)) => assert_eq!(defect.kind, DefectKind::TooLong),
        other => panic!("{other:?}"),
    }
    match growth {
        Some(growth) => assert!(growth < 200_000_000, "grew by {growth} bytes"),
        None => {
            let ci = env::var("CI").as_deref() == Ok("true");
            assert!(!ci, "/proc/self does not tell the peak of the resident set");
            eprintln!("skipped: /proc/self does not tell the peak of the resident set");
        }
    }
}
