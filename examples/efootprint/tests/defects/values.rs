//! Values of attributes.

use crate::edit::{accepted, defect, refused, replaced, scalar};
use efootprint::DefectKind;
use serde_json::json;

#[test]
fn a_value_of_the_wrong_type_is_named_with_its_object_and_line() {
    let defect = replaced("\"network\":\"Default-mobile-network\"", "\"network\":\n50");
    assert_eq!(defect.kind, DefectKind::InvalidValue);
    assert_eq!(
        defect.message,
        "UsagePattern `UP`: attribute `network` does not fit: invalid type: integer `50`, \
         expected the id of an object of class `Network` (line 2, column 3)."
    );
}

#[test]
fn attributes_of_the_wrong_type_are_refused() {
    for (place, value) in [
        ("/Device/Lap/power", json!(null)),
        ("/Device/Lap/power", json!([1])),
        ("/Device/Lap/power", json!({})),
        ("/Device/Lap/power/value", json!("many")),
        ("/Device/Lap/power/value", json!(null)),
        ("/Device/Lap/power/value", json!([1.0])),
        ("/Device/Lap/power/value", json!("nan")),
        ("/Device/Lap/power/value", json!("1e999")),
        ("/Device/Lap/power/unit", json!(7)),
        ("/Device/Lap/name", json!(7)),
        ("/Device/Lap/id", json!(null)),
        ("/UsagePattern/UP/devices", json!("Lap")),
        ("/UsagePattern/UP/devices", json!([["Lap"]])),
        ("/UsagePattern/UP/network", json!(["Default-wifi-network"])),
        ("/UsagePattern/UP/usage_journeys", json!(["UJ"])),
        ("/UsagePattern/UP/usage_journeys", json!({"UJ": 1})),
        ("/Server/Srv/server_type", scalar(json!(1), "watt")),
        ("/BoaviztaCloudServer/Bv/provider", json!("scaleway")),
        (
            "/EcoLogitsVideoGenExternalAPIJob/VGenJob/with_audio/value",
            json!("yes"),
        ),
        ("/Country/France/timezone", json!("Europe/Paris")),
        (
            "/Country/France/timezone",
            json!({"value": "Europe/Paris", "label": "x"}),
        ),
    ] {
        let defect = defect(place, value.clone());
        assert_eq!(
            defect.kind,
            DefectKind::InvalidValue,
            "{place} {value}: {defect}"
        );
        let attribute = place.split('/').nth(3);
        assert_eq!(
            defect.attribute.as_deref(),
            attribute,
            "{place} {value}: {defect}"
        );
    }
    for (place, value) in [
        ("/Device/Lap", json!(null)),
        ("/Device/Lap", json!("x")),
        ("/Device", json!([])),
    ] {
        let defect = defect(place, value.clone());
        assert_eq!(
            defect.class.as_deref(),
            Some("Device"),
            "{place} {value}: {defect}"
        );
    }
}

#[test]
fn a_value_needs_label_value_and_unit() {
    refused(
        "/Device/Lap/power/label",
        json!(""),
        DefectKind::InvalidValue,
        "Device `Lap`: attribute `power` has no `label`, give it a text that says what it is.",
    );
    refused(
        "/Device/Lap/power",
        json!({"value": 1, "label": "x"}),
        DefectKind::InvalidValue,
        "Device `Lap`: attribute `power` has no `unit`, expected a power such as 1 `watt`.",
    );
    refused(
        "/Device/Lap/power",
        json!({"unit": "watt", "label": "x"}),
        DefectKind::InvalidValue,
        "Device `Lap`: attribute `power` has no `value`, expected a power such as 1 `watt`.",
    );
    refused(
        "/Device/Lap/power",
        json!({"value": null, "label": "x"}),
        DefectKind::InvalidValue,
        "Device `Lap`: attribute `power` is empty, expected a power such as 1 `watt`.",
    );
}

#[test]
fn numbers_may_be_texts_or_true() {
    for value in [json!("50"), json!(" 5e1 "), json!(true), json!(0)] {
        accepted([("/Device/Lap/power/value", Some(value))]);
    }
}

#[test]
fn what_is_less_than_nothing_is_refused_in_the_unit_of_the_file() {
    refused(
        "/Device/Lap/power/value",
        json!(-3),
        DefectKind::InvalidValue,
        "Device `Lap`: attribute `power` is -3 `watt`, expected zero or more.",
    );
    refused(
        "/Job/Job1/data_stored/value",
        json!("-1"),
        DefectKind::InvalidValue,
        "Job `Job1`: attribute `data_stored` is -1 `kilobyte_stored`, expected zero or more.",
    );
    let week = |value: &str| {
        let list = format!("[{value}{}]", ", 1".repeat(167));
        json!({"recurring_values": list, "unit": "GB_stored", "label": "x"})
    };
    accepted([(
        "/RecurrentEdgeProcess/Proc/recurrent_storage_needed",
        Some(week("-1")),
    )]);
    let ram = json!({"recurring_values": format!("[1, -2{}]", ", 1".repeat(166)),
        "unit": "GB_ram", "label": "x"});
    refused(
        "/RecurrentEdgeProcess/Proc/recurrent_ram_needed",
        ram,
        DefectKind::InvalidValue,
        "RecurrentEdgeProcess `Proc`: attribute `recurrent_ram_needed` is -2 `GB_ram`, \
         expected zero or more (hour 1 of the week).",
    );
}

#[test]
fn weights_are_plain_counts() {
    refused(
        "/UsageJourneyStep/Step1/jobs",
        json!({"Job1": scalar(json!(-1), "dimensionless")}),
        DefectKind::InvalidValue,
        "UsageJourneyStep `Step1`: attribute `jobs` has an entry `Job1` that is -1, expected zero or more.",
    );
    refused(
        "/UsagePattern/UP/usage_journeys",
        json!({"UJ": scalar(json!(0), "dimensionless")}),
        DefectKind::InvalidValue,
        "UsagePattern `UP`: attribute `usage_journeys` has an entry `UJ` that is 0, expected more than zero.",
    );
    refused(
        "/UsageJourneyStep/Step1/jobs",
        json!({"Job1": scalar(json!(1), "watt")}),
        DefectKind::WrongDimension,
        "UsageJourneyStep `Step1`: attribute `jobs` has an entry `Job1` that has unit `watt`, \
         expected a plain count such as `dimensionless`.",
    );
    for unit in [
        "dimensionless",
        "occurrence",
        "concurrent",
        "",
        "hour / day",
        "koccurrence",
    ] {
        accepted([(
            "/UsageJourneyStep/Step1/jobs",
            Some(json!({"Job1": scalar(json!(0), unit)})),
        )]);
    }
}

#[test]
fn permitted_texts_are_listed() {
    refused(
        "/Server/Srv/server_type/value",
        json!("cloud"),
        DefectKind::InvalidValue,
        "Server `Srv`: attribute `server_type` is `cloud`, expected `autoscaling`, `on-premise` or `serverless`.",
    );
    refused(
        "/Country/France/timezone/zone",
        json!("Europe/Pariss"),
        DefectKind::InvalidValue,
        "Country `France`: attribute `timezone` has unknown time zone `Europe/Pariss`, \
         expected an IANA name such as `Europe/Paris`.",
    );
    refused(
        "/VideoStreamingJob/VSJob/resolution/value",
        json!("huge"),
        DefectKind::InvalidValue,
        "VideoStreamingJob `VSJob`: attribute `resolution` is `huge`, expected one like `1080p (1920 x 1080)`.",
    );
}
