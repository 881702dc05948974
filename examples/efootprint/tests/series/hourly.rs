//! Hourly series.

use crate::edit::{compressed, defect, edit, growth, hourly, occurrences};
use efootprint::DefectKind;
use efootprint::values::Clock;
use serde_json::{Value, json};

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
