//! What reading costs in memory, whatever the input.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use system_builder::model::{DefectKind, Model, ReadError, read};

const MB: usize = 1_000_000;

/// How much of an endless thing to read.
const LARGE: usize = if cfg!(debug_assertions) {
    10 * MB
} else {
    200 * MB
};

/// The peak is the process's: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// What `VmHWM` grows by while `f` runs, in bytes; `None` where the system does not tell.
fn peak_growth<T>(f: impl FnOnce() -> T) -> (T, Option<usize>) {
    fn line(name: &str) -> Option<usize> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with(name))?;
        Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
    }

    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Sets the peak back to what is resident now.
    let before = fs::write("/proc/self/clear_refs", "5")
        .ok()
        .and_then(|()| line("VmRSS"));
    let result = f();
    let growth = before
        .zip(line("VmHWM"))
        .map(|(before, peak)| peak.saturating_sub(before));
    if growth.is_none() {
        println!("skipped: /proc/self does not tell the peak of the resident set");
    }
    (result, growth)
}

/// `start`, then `unit` over and over until there are `length` bytes of it, then `end`.
struct Repeat {
    start: io::Cursor<Vec<u8>>,
    unit: &'static [u8],
    left: usize,
    end: io::Cursor<Vec<u8>>,
}

impl Repeat {
    fn new(start: &str, unit: &'static str, length: usize, end: &str) -> Self {
        let cursor = |text: &str| io::Cursor::new(text.as_bytes().to_vec());
        let left = length / unit.len() * unit.len();
        Self {
            start: cursor(start),
            unit: unit.as_bytes(),
            left,
            end: cursor(end),
        }
    }
}

impl Read for Repeat {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.start.read(buffer)? {
            0 if self.left > 0 => {
                let from = (self.unit.len() - self.left % self.unit.len()) % self.unit.len();
                let length = self.left.min(buffer.len());
                for (byte, unit) in buffer[..length]
                    .iter_mut()
                    .zip(self.unit.iter().cycle().skip(from))
                {
                    *byte = *unit;
                }
                self.left -= length;
                Ok(length)
            }
            0 => self.end.read(buffer),
            length => Ok(length),
        }
    }
}

/// A sound system up to its last brace.
fn open_system() -> String {
    let mut file = include_str!("systems/web-101.json").trim_end().to_owned();
    assert_eq!(file.pop(), Some('}'));
    file
}

fn kind(result: Result<Model, ReadError>) -> DefectKind {
    match result {
        Err(ReadError::Invalid(defect)) => defect.kind,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_below(growth: Option<usize>, bytes: usize) {
    if let Some(growth) = growth {
        assert!(growth < bytes, "grew by {growth} bytes");
    }
}

#[test]
fn stored_results_are_skipped_without_being_kept() {
    let start = open_system() + ", \"calculation_graph\": {\"nodes\": [[]";
    let input = Repeat::new(
        &start,
        ",[\"a83979cd-f7e\",\"total_footprint\",null]",
        LARGE,
        "]}}",
    );
    let (model, growth) = peak_growth(|| read(input).unwrap());
    assert_eq!(model.name(), "random system 101");
    assert_below(growth, 4 * MB);
}

#[test]
fn explanations_of_results_are_skipped_without_being_kept() {
    let file = open_system() + "}";
    let (start, end) = file.split_once("\"edge_usage_patterns\"").unwrap();
    let start =
        format!("{start}\"total_footprint\": {{\"label\": \"x\", \"explain_nested_tuples\": [0");
    let end = format!("]}}, \"edge_usage_patterns\"{end}");
    let input = Repeat::new(&start, ",[null,\"+\",[\"x\",1.5e3]]", LARGE, &end);
    let (model, growth) = peak_growth(|| read(input).unwrap());
    assert_eq!(model.name(), "random system 101");
    assert_below(growth, 4 * MB);
}

#[test]
fn an_endless_text_is_refused_at_ten_megabytes() {
    for start in [
        "{\"efootprint_version\": \"",
        "{\"",
        "{\"notes\": \"",
        "{\"notes\": 1",
    ] {
        let (result, growth) = peak_growth(|| read(Repeat::new(start, "0", 100 * MB, "")));
        assert_eq!(kind(result), DefectKind::TooLong);
        assert_below(growth, 50 * MB);
    }
}

#[test]
fn endless_nesting_is_refused_at_once() {
    for (start, unit) in [("", "{\"a\":"), ("{\"a\":", "[")] {
        let (result, growth) = peak_growth(|| read(Repeat::new(start, unit, 100 * MB, "")));
        assert_eq!(kind(result), DefectKind::TooDeep);
        assert_below(growth, 4 * MB);
    }
}

#[test]
fn endless_lists_are_refused() {
    let pattern = "{\"UsagePattern\": {\"p\": {\"hourly_occurrences\": ";
    for (start, unit) in [
        (format!("{pattern}{{\"values\": [0"), ",1"),
        (
            format!("{pattern}{{\"form_inputs\": {{\"profiles\": [0"),
            ",[]",
        ),
    ] {
        let (result, growth) = peak_growth(|| read(Repeat::new(&start, unit, 100 * MB, "")));
        assert_eq!(kind(result), DefectKind::TooLong);
        assert_below(growth, 40 * MB);
    }
}

/// A file of `count` patterns, each with `series` as its occurrences.
fn patterns(series: &str, count: usize) -> String {
    let patterns = (0..count).map(|i| {
        format!(
            "\"p{i}\": {{\"name\": \"p\", \"id\": \"p{i}\", \"hourly_occurrences\": {series}, \
        \"usage_journeys\": {{}}, \"devices\": [], \"network\": \"n\", \"country\": \"c\"}}"
        )
    });
    format!(
        "{{\"UsagePattern\": {{{}}}}}",
        patterns.collect::<Vec<_>>().join(",")
    )
}

#[test]
fn short_texts_that_stand_for_long_series_are_bounded_all_together() {
    // Two hundred years of zeros take a few hundred bytes.
    let zeros = vec![0; 200 * 8766 * 4];
    let compressed = {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(zstd::bulk::compress(&zeros, 0).unwrap())
    };
    drop(zeros);
    let series = format!(
        "{{\"compressed_values\": \"{compressed}\", \"unit\": \"occurrence\", \"start_date\": \"2025-01-01\", \"label\": \"x\"}}"
    );
    let form = "{\"form_inputs\": {\"start_date\": \"2025-01-01\", \"modeling_duration_value\": 199, \
        \"modeling_duration_unit\": \"year\", \"initial_volume\": 1, \"initial_volume_timespan\": \"year\", \
        \"net_growth_rate_in_percentage\": 1, \"net_growth_rate_timespan\": \"year\"}, \"label\": \"x\"}";
    for series in [&*series, form] {
        let file = patterns(series, 60);
        let (result, growth) = peak_growth(|| read(file.as_bytes()));
        assert_eq!(kind(result), DefectKind::TooLong);
        assert_below(growth, 200 * MB);
    }
}
