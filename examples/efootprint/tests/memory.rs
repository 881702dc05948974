//! What reading costs in memory, whatever the input.

#![allow(clippy::unwrap_used)]

use std::io::{self, Read};

use efootprint::{DefectKind, Model, ReadError, read};

const MB: usize = 1_000_000;

/// How much of an endless thing to read.
const LARGE: usize = if cfg!(debug_assertions) {
    10 * MB
} else {
    200 * MB
};

/// The most that the allocator had given out at once while `f` ran, in bytes.
///
/// What zstd allocates in C is not among it: `model_bomb.rs` looks at the process for that.
fn peak<T>(f: impl FnOnce() -> T) -> (T, u64) {
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(f()));
    (result.unwrap(), counted.bytes_max)
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
fn assert_below(peak: u64, bytes: usize) {
    println!("{peak} bytes at most");
    assert!(peak < bytes as u64, "{peak} bytes at once");
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
    let (model, most) = peak(|| read(input).unwrap());
    assert_eq!(model.name(), "random system 101");
    assert_below(most, MB);
}

#[test]
fn explanations_of_results_are_skipped_without_being_kept() {
    let file = open_system() + "}";
    let (start, end) = file.split_once("\"edge_usage_patterns\"").unwrap();
    let start =
        format!("{start}\"total_footprint\": {{\"label\": \"x\", \"explain_nested_tuples\": [0");
    let end = format!("]}}, \"edge_usage_patterns\"{end}");
    let input = Repeat::new(&start, ",[null,\"+\",[\"x\",1.5e3]]", LARGE, &end);
    let (model, most) = peak(|| read(input).unwrap());
    assert_eq!(model.name(), "random system 101");
    assert_below(most, MB);
}

#[test]
fn an_endless_text_is_refused_at_ten_megabytes() {
    for start in [
        "{\"efootprint_version\": \"",
        "{\"",
        "{\"notes\": \"",
        "{\"notes\": 1",
    ] {
        let (result, most) = peak(|| read(Repeat::new(start, "0", 100 * MB, "")));
        assert_eq!(kind(result), DefectKind::TooLong);
        assert_below(most, 50 * MB);
    }
}

#[test]
fn endless_nesting_is_refused_at_once() {
    for (start, unit) in [("", "{\"a\":"), ("{\"a\":", "[")] {
        let (result, most) = peak(|| read(Repeat::new(start, unit, 100 * MB, "")));
        assert_eq!(kind(result), DefectKind::TooDeep);
        assert_below(most, MB);
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
        let (result, most) = peak(|| read(Repeat::new(&start, unit, 100 * MB, "")));
        assert_eq!(kind(result), DefectKind::TooLong);
        assert_below(most, 40 * MB);
    }
}

#[test]
fn short_forms_that_stand_for_long_series_are_bounded_all_together() {
    // Two hundred years by the hour, sixty times.
    let form = "{\"form_inputs\": {\"start_date\": \"2025-01-01\", \
        \"modeling_duration_value\": 199, \"modeling_duration_unit\": \"year\", \
        \"initial_volume\": 1, \"initial_volume_timespan\": \"year\", \
        \"net_growth_rate_in_percentage\": 1, \"net_growth_rate_timespan\": \"year\"}, \
        \"label\": \"x\"}";
    let patterns = (0..60).map(|i| {
        format!(
            "\"p{i}\": {{\"name\": \"p\", \"id\": \"p{i}\", \"hourly_occurrences\": {form}, \
            \"usage_journeys\": {{}}, \"devices\": [], \"network\": \"n\", \"country\": \"c\"}}"
        )
    });
    let patterns = patterns.collect::<Vec<_>>().join(",");
    let file = format!("{{\"UsagePattern\": {{{patterns}}}}}");
    let (result, most) = peak(|| read(file.as_bytes()));
    assert_eq!(kind(result), DefectKind::TooLong);
    assert_below(most, 200 * MB);
}
