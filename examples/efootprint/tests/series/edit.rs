//! A file with a series exchanged.

use efootprint::classes::Object;
use efootprint::values::Clock;
use efootprint::{Defect, Model, ReadError, read};
use serde_json::{Value, json};

pub(crate) const SIX: &str = "KLUv/SAYwQAAAACAPwAAAEAAAEBAAACAQAAAoEAAAMBA";

pub(crate) fn with(
    class: &str,
    id: &str,
    attribute: &str,
    value: Value,
) -> Result<Model, ReadError> {
    let mut file: Value =
        serde_json::from_str(include_str!("../systems/mixed_example.json")).unwrap();
    assert!(!file[class][id][attribute].is_null());
    file[class][id][attribute] = value;
    read(file.to_string().as_bytes())
}

pub(crate) fn hourly(value: Value) -> Result<Model, ReadError> {
    with("UsagePattern", "UP", "hourly_occurrences", value)
}

pub(crate) fn weekly(value: Value) -> Result<Model, ReadError> {
    with(
        "RecurrentEdgeProcess",
        "Proc",
        "recurrent_compute_needed",
        value,
    )
}

pub(crate) fn defect(result: Result<Model, ReadError>) -> Defect {
    match result {
        Err(ReadError::Invalid(defect)) => *defect,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn compressed() -> Value {
    json!({"compressed_values": SIX, "unit": "occurrence", "start_date": "2025-01-01 00:00:00",
        "timezone": null, "label": "x"})
}

pub(crate) fn growth() -> Value {
    json!({"start_date": "2025-01-01", "modeling_duration_value": 2, "modeling_duration_unit": "year",
        "initial_volume": 10000, "initial_volume_timespan": "month",
        "net_growth_rate_in_percentage": 25, "net_growth_rate_timespan": "year"})
}

pub(crate) fn week() -> Value {
    json!({"unit": "cpu_core", "profiles": [
        {"name": "weekdays", "days": [0, 1, 2, 3, 4], "baseline": 0.5,
            "ranges": [{"start": 9, "end": 12, "value": 2}, {"start": 14, "end": 24, "value": 3}]},
        {"name": "weekend", "days": [5, 6], "baseline": 0.25, "ranges": []}]})
}

/// Start, clock and values of the pattern's occurrences.
pub(crate) fn occurrences(model: &Model) -> (String, Clock, &[f32]) {
    let Object::UsagePattern(pattern) = model.object("UP").unwrap().object() else {
        panic!()
    };
    let hourly = &pattern.hourly_occurrences;
    (hourly.start.to_string(), hourly.clock, &hourly.values)
}

pub(crate) fn edit(mut value: Value, key: &str, new: Value) -> Value {
    value[key] = new;
    value
}
