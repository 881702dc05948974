//! Weekly series.

use crate::edit::{defect, edit, week, weekly, with};
use efootprint::classes::Object;
use efootprint::values::WeekForm;
use efootprint::{DefectKind, Model};
use serde_json::{Value, json};

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
fn a_profile_may_have_no_days() {
    let mut form = week();
    form["profiles"][0]["baseline"] = json!(1.5);
    let rest = json!({"name": "never", "days": [], "baseline": 0, "ranges": []});
    form["profiles"].as_array_mut().unwrap().push(rest);
    let model = weekly(json!({"form_inputs": form, "label": "x"})).unwrap();
    assert_eq!(process_week(&model).0[0], 1.5);
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
