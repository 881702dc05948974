//! What is too much.

use crate::edit::{accepted, defect, defect_of, edited};
use efootprint::{DefectKind, ReadError, read};
use serde_json::{Value, json};

#[test]
fn numbers_and_texts_that_nothing_holds_are_named_with_their_attribute() {
    for (place, attribute, json, beyond) in [
        ("/Device/Lap/power/value", "power", "7", "1e999"),
        ("/Device/Lap/power/label", "power", "\"x\"", r#""\ud800""#),
        ("/Device/Lap/power/label", "power", "\"x\"", r#""\udc00!""#),
        ("/Device/Lap/power/label", "power", "\"x\"", r#""\ud800\n""#),
        ("/Device/Lap/name", "name", "\"x\"", r#""\ud800""#),
        (
            "/UsagePattern/UP/hourly_occurrences",
            "hourly_occurrences",
            r#"{"values":[1],"unit":"occurrence","start_date":"2025-01-01","label":"x"}"#,
            r#"{"values":[1,-1e999],"unit":"occurrence","start_date":"2025-01-01","label":"x"}"#,
        ),
        (
            "/UsagePattern/UP/hourly_occurrences",
            "hourly_occurrences",
            "{}",
            r#"{"form_inputs":{"initial_volume":1e999},"label":"x"}"#,
        ),
    ] {
        const MARK: &str = "to be replaced";
        let file = edited([(place, Some(json!(MARK)))]).to_string();
        let quoted = format!("\"{MARK}\"");
        let with = |text| file.replace(&quoted, text);
        assert!(serde_json::from_str::<Value>(&with(json)).is_ok(), "{json}");
        let defect = match read(with(beyond).as_bytes()) {
            Err(ReadError::Invalid(defect)) => defect,
            other => panic!("{beyond}: {other:?}"),
        };
        assert_eq!(defect.kind, DefectKind::InvalidValue, "{defect}");
        let mut parts = place.split('/').skip(1);
        assert_eq!(defect.class.as_deref(), parts.next(), "{defect}");
        assert_eq!(defect.object.as_deref(), parts.next(), "{defect}");
        assert_eq!(defect.attribute.as_deref(), Some(attribute), "{defect}");
        assert!(defect.message.contains("(line 1, column "), "{defect}");
    }
}

#[test]
fn ids_of_a_kilobyte_are_long_enough() {
    let long: &str = &"x".repeat(5000);
    let defect = defect("/UsagePattern/UP/network", json!(long));
    assert_eq!(defect.kind, DefectKind::TooLong);
    assert!(defect.message.len() < 250, "{}", defect.message);
}

#[test]
fn messages_stay_short_whatever_the_file_holds() {
    let long: &str = &"\u{1b}[31m".repeat(20_000);
    for place in [
        "/Device/Lap/power",
        "/Device/Lap/power/unit",
        "/Country/France/timezone/zone",
        "/efootprint_version",
        "/Server/Srv/server_type/value",
        "/Device/Lap/id",
    ] {
        let message = defect(place, json!(long)).message;
        assert!(message.len() < 1000, "{place}: {}", message.len());
        assert!(!message.contains('\u{1b}'), "{place}: {message}");
    }
}

#[test]
fn unknown_keys_are_ignored() {
    accepted([
        ("/notes", Some(json!({"a": [1, {"b": null}]}))),
        ("/Device/Lap/colour", Some(json!("grey"))),
        (
            "/Device/Lap/power/explain_nested_tuples",
            Some(json!([[null, "+", null], "*", "x"])),
        ),
        (
            "/System/MySystem/total_footprint",
            Some(json!({"value": null, "label": "x"})),
        ),
        (
            "/calculation_graph",
            Some(json!({"nodes": [], "edges": []})),
        ),
    ]);
}

#[test]
fn deep_nesting_is_refused_wherever_it_is() {
    for depth in [600, 100_000] {
        let deep = "[".repeat(depth) + &"]".repeat(depth);
        for text in [
            format!("{{\"notes\": {deep}}}"),
            format!("{{\"Device\": {{\"d\": {{\"colour\": {deep}}}}}}}"),
            format!("{{\"Device\": {{\"d\": {{\"power\": {{\"value\": {deep}}}}}}}}}"),
            format!("{{\"calculation_graph\": {deep}}}"),
        ] {
            match read(text.as_bytes()) {
                Err(ReadError::Invalid(defect)) => {
                    assert_eq!(defect.kind, DefectKind::TooDeep, "{defect}");
                    assert!(
                        defect.message.contains("nests deeper than 512 levels"),
                        "{defect}"
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn codes_are_kebab_case() {
    assert_eq!(DefectKind::UnknownUnit.code(), "unknown-unit");
    assert_eq!(DefectKind::UnsupportedVersion.code(), "unsupported-version");
}

#[test]
fn a_key_too_long_to_be_an_id_is_not_repeated() {
    let mut file = edited([]);
    file["Device"]["x".repeat(5000)] = json!({});
    let defect = defect_of(&file);
    assert_eq!((defect.kind, &defect.object), (DefectKind::TooLong, &None));
    assert!(
        defect
            .message
            .starts_with("Class `Device` holds the id `xxx"),
        "{defect}"
    );
}
