//! Hourly and weekly series: how files give them, and what is wrong with them.

#![allow(clippy::unwrap_used)]

use efootprint::classes::Object;
use efootprint::values::{Clock, WeekForm};
use efootprint::{Defect, DefectKind, Model, ReadError, read};
use serde_json::{Value, json};

const SIX: &str = "KLUv/SAYwQAAAACAPwAAAEAAAEBAAACAQAAAoEAAAMBA";

fn with(class: &str, id: &str, attribute: &str, value: Value) -> Result<Model, ReadError> {
    let mut file: Value = serde_json::from_str(include_str!("systems/mixed_example.json")).unwrap();
    assert!(!file[class][id][attribute].is_null());
    file[class][id][attribute] = value;
    read(file.to_string().as_bytes())
}

fn hourly(value: Value) -> Result<Model, ReadError> {
    with("UsagePattern", "UP", "hourly_occurrences", value)
}

fn weekly(value: Value) -> Result<Model, ReadError> {
    with(
        "RecurrentEdgeProcess",
        "Proc",
        "recurrent_compute_needed",
        value,
    )
}

fn defect(result: Result<Model, ReadError>) -> Defect {
    match result {
        Err(ReadError::Invalid(defect)) => *defect,
        other => panic!("{other:?}"),
    }
}

fn compressed() -> Value {
    json!({"compressed_values": SIX, "unit": "occurrence", "start_date": "2025-01-01 00:00:00",
        "timezone": null, "label": "x"})
}

fn growth() -> Value {
    json!({"start_date": "2025-01-01", "modeling_duration_value": 2, "modeling_duration_unit": "year",
        "initial_volume": 10000, "initial_volume_timespan": "month",
        "net_growth_rate_in_percentage": 25, "net_growth_rate_timespan": "year"})
}

fn week() -> Value {
    json!({"unit": "cpu_core", "profiles": [
        {"name": "weekdays", "days": [0, 1, 2, 3, 4], "baseline": 0.5,
            "ranges": [{"start": 9, "end": 12, "value": 2}, {"start": 14, "end": 24, "value": 3}]},
        {"name": "weekend", "days": [5, 6], "baseline": 0.25, "ranges": []}]})
}

/// Start, clock and values of the pattern's occurrences.
fn occurrences(model: &Model) -> (String, Clock, &[f32]) {
    let Object::UsagePattern(pattern) = model.object("UP").unwrap().object() else {
        panic!()
    };
    let hourly = &pattern.hourly_occurrences;
    (hourly.start.to_string(), hourly.clock, &hourly.values)
}

fn edit(mut value: Value, key: &str, new: Value) -> Value {
    value[key] = new;
    value
}

#[test]
fn compressed_and_plain_values_are_the_same_series() {
    let plain = json!({"values": [1, 2, 3, 4, 5, 6], "unit": "occurrence", "start_date": "2025-01-01", "label": "x"});
    let model = hourly(compressed()).unwrap();
    let (start, clock, values) = occurrences(&model);
    assert_eq!((&*start, clock), ("2025-01-01T00:00:00", Clock::Local));
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert!(hourly(plain).unwrap() == model);
}

#[test]
fn the_plain_values_of_a_series_that_has_both_count() {
    let model = hourly(edit(compressed(), "values", json!([7.0, 8.0]))).unwrap();
    assert_eq!(occurrences(&model).2, [7.0, 8.0]);
}

#[test]
fn the_key_timezone_may_be_absent_null_or_utc() {
    let mut absent = compressed();
    absent.as_object_mut().unwrap().remove("timezone");
    assert!(hourly(absent).unwrap() == hourly(compressed()).unwrap());

    let utc = hourly(edit(compressed(), "timezone", json!("UTC"))).unwrap();
    assert_eq!(occurrences(&utc).1, Clock::Utc);

    let defect = defect(hourly(edit(
        compressed(),
        "timezone",
        json!("Europe/Paris"),
    )));
    assert_eq!(
        defect.message,
        "UsagePattern `UP`: attribute `hourly_occurrences` has `timezone` `Europe/Paris`, \
         expected null for the clocks of the country, or `UTC`."
    );
}

#[test]
fn a_start_with_an_offset_is_refused() {
    let defect = defect(hourly(edit(
        compressed(),
        "start_date",
        json!("2025-01-01T00:00:00Z"),
    )));
    assert_eq!(defect.kind, DefectKind::InvalidValue);
    assert_eq!(
        defect.message,
        "UsagePattern `UP`: attribute `hourly_occurrences` has `start_date` `2025-01-01T00:00:00Z`, \
         expected one such as `2025-01-31 00:00:00`; a time zone belongs in `timezone`."
    );
}

#[test]
fn a_series_counts_something() {
    for unit in ["dimensionless", "koccurrence", "hour / day", "watt"] {
        let defect = defect(hourly(edit(compressed(), "unit", json!(unit))));
        assert_eq!(defect.kind, DefectKind::WrongDimension);
        assert_eq!(
            defect.message,
            format!(
                "UsagePattern `UP`: attribute `hourly_occurrences` has unit `{unit}`, \
                 expected a number of events such as `occurrence`."
            )
        );
    }
}

#[test]
fn a_corrupt_series_is_named_with_its_object() {
    for (text, what) in [
        ("KLUv/SAYwQ%", "not base64 (Invalid symbol 37, offset 10.)"),
        ("AAAA", "not a zstd frame"),
        ("KLUv/SAYwQAA", "not exactly one complete zstd frame"),
    ] {
        let defect = defect(hourly(edit(compressed(), "compressed_values", json!(text))));
        assert_eq!(defect.kind, DefectKind::CorruptSeries, "{defect}");
        assert_eq!(
            defect.message,
            format!(
                "UsagePattern `UP`: attribute `hourly_occurrences` has corrupt `compressed_values`: {what}."
            )
        );
    }
}

#[test]
fn a_series_has_hours_and_numbers() {
    let plain = |values: Value| {
        hourly(
            json!({"values": values, "unit": "occurrence", "start_date": "2025-01-01", "label": "x"}),
        )
    };
    assert_eq!(
        defect(plain(json!([]))).message,
        "UsagePattern `UP`: attribute `hourly_occurrences` has no hours, expected one or more."
    );
    assert_eq!(
        defect(plain(json!([1, 1e300]))).message,
        "UsagePattern `UP`: attribute `hourly_occurrences` is inf in hour 1, expected a finite number."
    );
    assert_eq!(
        defect(plain(json!([1, "2"]))).kind,
        DefectKind::InvalidValue
    );
    assert!(plain(json!([-1.5])).is_ok());
}

#[test]
fn a_series_of_more_than_two_hundred_years_is_refused() {
    let defect = defect(hourly(
        json!({"form_inputs": edit(growth(), "modeling_duration_value", json!(201)), "label": "x"}),
    ));
    assert_eq!(defect.kind, DefectKind::TooLong);
    assert_eq!(
        defect.message,
        "UsagePattern `UP`: attribute `hourly_occurrences` has a modeling duration of more than \
         1753200 hours (200 years), shorten it."
    );
}

#[test]
fn a_series_ends_within_the_calendar() {
    let defect = defect(hourly(edit(
        compressed(),
        "start_date",
        json!("9999-12-31 22:00:00"),
    )));
    assert_eq!(
        defect.message,
        "UsagePattern `UP`: attribute `hourly_occurrences` ends after the year 9999."
    );
}

#[test]
fn a_growth_form_gives_values_and_stays_a_form() {
    let model = hourly(json!({"form_inputs": growth(), "label": "x"})).unwrap();
    let (start, clock, values) = occurrences(&model);
    assert_eq!(
        (&*start, clock, values.len()),
        ("2025-01-01T00:00:00", Clock::Local, 17_520)
    );
    assert_eq!(values[24], 13.774_539);
    let json = serde_json::to_value(model.object("UP").unwrap()).unwrap();
    let written = &json["hourly_occurrences"]["form_inputs"];
    assert_eq!(written["start_date"], "2025-01-01");
    assert_eq!(written["initial_volume"], 10000.0);
    assert_eq!(written["net_growth_rate_timespan"], "year");
}

#[test]
fn numbers_of_a_growth_form_may_be_texts() {
    let numbers = hourly(json!({"form_inputs": growth(), "label": "x"})).unwrap();
    let texts = edit(growth(), "initial_volume", json!("10000"));
    let texts = edit(texts, "modeling_duration_value", json!(" 2.0"));
    assert!(hourly(json!({"form_inputs": texts, "label": "x"})).unwrap() == numbers);
}

#[test]
fn what_is_wrong_in_a_growth_form_is_named() {
    for (key, value, what) in [
        (
            "start_date",
            json!("2025-01-01 00:00"),
            "is `2025-01-01 00:00`, expected a date such as `2025-01-31`",
        ),
        (
            "modeling_duration_unit",
            json!("week"),
            "is not one of `day`, `month` and `year`",
        ),
        (
            "modeling_duration_value",
            json!(0.001),
            "is less than a day, expected a day or more",
        ),
        (
            "modeling_duration_value",
            json!("long"),
            "is no finite number",
        ),
        ("initial_volume", json!(null), "is no finite number"),
        (
            "net_growth_rate_in_percentage",
            json!(-101),
            "is less than -100, nothing shrinks by more than all",
        ),
        (
            "net_growth_rate_in_percentage",
            json!(1e300),
            "grows beyond what a number holds, lower it",
        ),
    ] {
        let defect = defect(hourly(
            json!({"form_inputs": edit(growth(), key, value), "label": "x"}),
        ));
        assert_eq!(
            defect.message,
            format!(
                "UsagePattern `UP`: attribute `hourly_occurrences` has a form whose `{key}` {what}."
            )
        );
    }
}

/// The hours of the process's week, and its form.
fn process_week(model: &Model) -> (&[f32; 168], &WeekForm) {
    let Object::RecurrentEdgeProcess(process) = model.object("Proc").unwrap().object() else {
        panic!()
    };
    (
        &process.recurrent_compute_needed.values,
        &process.recurrent_compute_needed.form,
    )
}

#[test]
fn a_week_may_be_a_list_in_a_text_a_constant_or_profiles() {
    let list = format!("[{}2.5]", "2.5, ".repeat(167));
    let list = weekly(json!({"recurring_values": list, "unit": "cpu_core", "label": "x"})).unwrap();
    let constant = weekly(
        json!({"form_inputs": {"constant_value": 2.5, "constant_unit": "cpu_core"}, "label": "x"}),
    )
    .unwrap();
    assert_eq!(process_week(&list), (&[2.5; 168], &WeekForm::List));
    assert_eq!(
        process_week(&constant),
        (&[2.5; 168], &WeekForm::Constant(2.5))
    );

    let profiles = weekly(json!({"form_inputs": week(), "label": "x"})).unwrap();
    let (hours, _) = process_week(&profiles);
    assert_eq!(
        (
            hours[8], hours[9], hours[11], hours[12], hours[14], hours[23]
        ),
        (0.5, 2.0, 2.0, 0.5, 3.0, 3.0)
    );
    assert_eq!(
        (hours[4 * 24 + 10], hours[5 * 24 + 10], hours[167]),
        (2.0, 0.25, 0.25)
    );
}

#[test]
fn weeks_of_a_form_stay_forms() {
    for form in [
        week(),
        json!({"constant_value": 2.5, "constant_unit": "cpu_core"}),
    ] {
        let model = weekly(json!({"form_inputs": form, "label": "x"})).unwrap();
        let json = serde_json::to_value(model.object("Proc").unwrap()).unwrap();
        let written = json["recurrent_compute_needed"]["form_inputs"].to_string();
        let again = weekly(
            json!({"form_inputs": serde_json::from_str::<Value>(&written).unwrap(), "label": "x"}),
        );
        assert!(again.unwrap() == model);
        assert!(written.contains("unit"), "{written}");
    }
}

#[test]
fn a_week_has_168_hours_in_a_text() {
    let list = |values: Value| {
        weekly(json!({"recurring_values": values, "unit": "cpu_core", "label": "x"}))
    };
    assert_eq!(
        defect(list(json!("[1, 2]"))).message,
        "RecurrentEdgeProcess `Proc`: attribute `recurrent_compute_needed` has `recurring_values` for 2 hours, \
         expected a text with a JSON list of 168 numbers."
    );
    assert_eq!(defect(list(json!("1, 2"))).kind, DefectKind::CorruptSeries);
    assert_eq!(defect(list(json!([1, 2]))).kind, DefectKind::InvalidValue);
    assert_eq!(
        defect(list(json!("1".repeat(100_000)))).kind,
        DefectKind::TooLong
    );
}

#[test]
fn a_number_in_the_unit_of_a_listed_week_is_ignored() {
    let list = json!(vec![1.0; 168]).to_string();
    let week = json!({"recurring_values": list, "unit": "2 cpu_core", "label": "x"});
    assert!(weekly(week).is_ok());
}

#[test]
fn a_listed_week_says_what_it_counts() {
    let volume = |unit| {
        with(
            "RecurrentServerNeed",
            "RSN",
            "recurrent_volume_per_edge_device",
            json!({"recurring_values": json!(vec![1; 168]).to_string(), "unit": unit, "label": "x"}),
        )
    };
    for unit in ["dimensionless", "", "2"] {
        let kind = defect(volume(unit)).kind;
        assert_eq!(kind, DefectKind::WrongDimension, "{unit}");
    }
    for unit in ["occurrence", "2 occurrence", "hour / day"] {
        assert!(volume(unit).is_ok(), "{unit}");
    }
}

#[test]
fn the_form_of_a_week_says_what_it_counts_without_numbers() {
    for (unit, kind) in [
        ("2 cpu_core", DefectKind::InvalidValue),
        ("dimensionless", DefectKind::WrongDimension),
        ("GB_ram", DefectKind::WrongDimension),
        ("cores", DefectKind::UnknownUnit),
    ] {
        let form = json!({"constant_value": 1, "constant_unit": unit});
        assert_eq!(
            defect(weekly(json!({"form_inputs": form, "label": "x"}))).kind,
            kind,
            "{unit}"
        );
    }
    let form = json!({"constant_value": 1, "constant_unit": "2 cpu_core"});
    assert_eq!(
        defect(weekly(json!({"form_inputs": form, "label": "x"}))).message,
        "RecurrentEdgeProcess `Proc`: attribute `recurrent_compute_needed` has a form whose \
         `constant_unit` is `2 cpu_core` with a number in it, write the unit alone."
    );
    let volume = |unit| {
        with(
            "RecurrentServerNeed",
            "RSN",
            "recurrent_volume_per_edge_device",
            json!({"form_inputs": {"constant_value": 1, "constant_unit": unit}, "label": "x"}),
        )
    };
    assert_eq!(
        defect(volume("watt")).message,
        "RecurrentServerNeed `RSN`: attribute `recurrent_volume_per_edge_device` has unit `watt`, \
         expected a number of events such as `occurrence`."
    );
    assert!(volume("concurrent").is_ok());
}

#[test]
fn all_that_is_wrong_in_a_weekly_pattern_is_told_at_once() {
    let form = json!({"unit": "2 cpu_core", "profiles": [
        {"name": " ", "days": [0, 1, 7], "baseline": "1", "ranges": [{"start": 12, "end": 9, "value": 2}]},
        {"name": "b", "days": [1, 2], "baseline": 1, "ranges": []}]});
    let defect = defect(weekly(json!({"form_inputs": form, "label": "x"})));
    assert_eq!(defect.kind, DefectKind::UnknownUnit);
    assert_eq!(
        defect.message,
        "RecurrentEdgeProcess `Proc`: attribute `recurrent_compute_needed` has a weekly pattern with \
         `unit`: `2 cpu_core` with a number in it, write the unit alone (invalid_unit); \
         `profiles[0].name`: expected a text (empty_profile_name); \
         `profiles[0].days[2]`: expected a whole number from 0 to 6 (invalid_day); \
         `profiles[0].baseline`: expected a finite number (invalid_number); \
         `profiles[0].ranges[0]`: start 12 is not before end 9 (invalid_range); \
         `profiles[1].days[0]`: day 1 is given twice (duplicate_day_assignment); \
         `profiles`: no profile has day 3 (missing_day_assignment); \
         `profiles`: no profile has day 4 (missing_day_assignment); \
         `profiles`: no profile has day 5 (missing_day_assignment); \
         `profiles`: no profile has day 6 (missing_day_assignment)."
    );
}

#[test]
fn every_rule_of_weekly_patterns_has_its_code() {
    let profile = |place: &str, value: Value| {
        let mut form = week();
        *form.pointer_mut(place).unwrap() = value;
        form
    };
    let ranges = |ranges: Value| profile("/profiles/0/ranges", ranges);
    let range = |start: Value, end: Value| json!({"start": start, "end": end, "value": 1});
    for (code, form) in [
        ("invalid_unit", edit(week(), "unit", json!(""))),
        ("invalid_unit", edit(week(), "unit", json!(3))),
        ("invalid_unit", edit(week(), "unit", json!("cores"))),
        ("invalid_unit", edit(week(), "unit", json!("dimensionless"))),
        ("invalid_type", edit(week(), "profiles", json!({}))),
        ("invalid_type", profile("/profiles/1", json!("weekend"))),
        ("invalid_type", profile("/profiles/1/days", json!(5))),
        ("invalid_type", profile("/profiles/1/ranges", json!(null))),
        ("invalid_type", ranges(json!([3]))),
        ("profile_count", edit(week(), "profiles", json!([]))),
        (
            "profile_count",
            edit(week(), "profiles", json!([1, 2, 3, 4, 5, 6, 7, 8])),
        ),
        ("empty_profile_name", profile("/profiles/0/name", json!(4))),
        (
            "duplicate_profile_name",
            profile("/profiles/0/name", json!("weekend")),
        ),
        (
            "invalid_number",
            profile("/profiles/0/baseline", json!(true)),
        ),
        (
            "invalid_number",
            profile("/profiles/0/baseline", json!(1e39)),
        ),
        ("invalid_day", profile("/profiles/1/days", json!([5, 6.0]))),
        ("invalid_day", profile("/profiles/1/days", json!([-1]))),
        (
            "duplicate_day_assignment",
            profile("/profiles/1/days", json!([5, 6, 4])),
        ),
        (
            "missing_day_assignment",
            profile("/profiles/1/days", json!([5])),
        ),
        (
            "invalid_start_hour",
            ranges(json!([range(json!(24), json!(24))])),
        ),
        (
            "invalid_end_hour",
            ranges(json!([range(json!(0), json!(25))])),
        ),
        (
            "invalid_end_hour",
            ranges(json!([range(json!(0), json!(0))])),
        ),
        ("invalid_range", ranges(json!([range(json!(8), json!(8))]))),
        (
            "ranges_not_ordered",
            ranges(json!([
                range(json!(8), json!(9)),
                range(json!(1), json!(2))
            ])),
        ),
        (
            "ranges_overlap",
            ranges(json!([
                range(json!(8), json!(12)),
                range(json!(11), json!(13))
            ])),
        ),
    ] {
        let defect = defect(weekly(json!({"form_inputs": form, "label": "x"})));
        assert!(
            defect.message.contains(&format!("({code})")),
            "{code}: {defect}"
        );
    }
}

#[test]
fn a_profile_may_have_no_days_and_negative_values() {
    let mut form = week();
    form["profiles"][0]["baseline"] = json!(-1.5);
    let rest = json!({"name": "never", "days": [], "baseline": 0, "ranges": []});
    form["profiles"].as_array_mut().unwrap().push(rest);
    let model = weekly(json!({"form_inputs": form, "label": "x"})).unwrap();
    assert_eq!(process_week(&model).0[0], -1.5);
}

#[test]
fn a_form_is_small() {
    let profiles = edit(week(), "profiles", json!(vec![json!({}); 3000]));
    assert_eq!(
        defect(weekly(json!({"form_inputs": profiles, "label": "x"}))).message,
        "RecurrentEdgeProcess `Proc`: attribute `recurrent_compute_needed` has `form_inputs` of more than 2000 entries, \
         list the values instead."
    );
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let defect = defect(weekly(
        json!({"form_inputs": edit(week(), "profiles", deep), "label": "x"}),
    ));
    assert_eq!(defect.kind, DefectKind::TooDeep);
}
