//! What is said of files that are wrong: every rule with its sentence.

#![allow(clippy::unwrap_used)]

use efootprint::{Defect, DefectKind, ReadError, read};
use serde_json::{Value, json};

/// An edit of a sound file: the value to put at a place, or `None` to take it out.
type Edit = (&'static str, Option<Value>);

fn edited(edits: impl IntoIterator<Item = Edit>) -> Value {
    let mut file: Value = serde_json::from_str(include_str!("systems/mixed_example.json")).unwrap();
    for (place, value) in edits {
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = file
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("no {parent}"));
        match (parent, value) {
            (Value::Object(map), Some(value)) => _ = map.insert(key.into(), value),
            (Value::Object(map), None) => assert!(map.remove(key).is_some(), "no {place}"),
            (parent, _) => panic!("{parent} is no object"),
        }
    }
    file
}

fn defect_of(file: &Value) -> Defect {
    match read(file.to_string().as_bytes()) {
        Err(ReadError::Invalid(defect)) => *defect,
        other => panic!("not refused as invalid: {other:?}"),
    }
}

fn defect(place: &'static str, value: Value) -> Defect {
    defect_of(&edited([(place, Some(value))]))
}

/// Asserts the sentence that follows when `value` stands at `place`, and that the defect names that
/// place.
#[track_caller]
fn refused(place: &'static str, value: Value, kind: DefectKind, message: &str) {
    let defect = defect(place, value);
    assert_eq!((defect.message.as_str(), defect.kind), (message, kind));
    let mut parts = place.split('/').skip(1);
    for (named, part) in [&defect.class, &defect.object, &defect.attribute]
        .into_iter()
        .zip(&mut parts)
    {
        assert_eq!(named.as_deref(), Some(part), "{defect:?}");
    }
}

#[track_caller]
fn accepted(edits: impl IntoIterator<Item = Edit>) {
    let file = edited(edits);
    if let Err(error) = read(file.to_string().as_bytes()) {
        panic!("{error}");
    }
}

fn scalar(value: Value, unit: &str) -> Value {
    json!({"value": value, "unit": unit, "label": "x"})
}

#[test]
fn a_file_that_is_not_json_is_refused_with_line_and_column() {
    for (text, place, message) in [
        ("", (1, 0), "EOF while parsing a value"),
        ("{\n  \"System\": {,}\n}", (2, 14), "key must be a string"),
        ("{\"a\": 1,\n\n \"b\" 2}", (3, 6), "expected `:`"),
        ("{\"System\": {}} trailing", (1, 16), "trailing characters"),
        ("{\"a\": NaN}", (1, 7), "expected value"),
    ] {
        match read(text.as_bytes()) {
            Err(ReadError::Json {
                line,
                column,
                message: said,
            }) => {
                assert_eq!(((line, column), said.as_str()), (place, message), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn json_that_is_no_object_is_no_system() {
    for text in ["[]", "3", "null", "\"System\""] {
        let defect = defect_of(&serde_json::from_str(text).unwrap());
        assert_eq!(defect.kind, DefectKind::InvalidValue);
        assert!(
            defect.message.contains("expected an e-footprint system"),
            "{}",
            defect.message
        );
    }
}

#[test]
fn a_failing_input_is_told_from_a_bad_file() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::ConnectionReset.into())
        }
    }

    match read(Broken) {
        Err(ReadError::Io(error)) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_without_a_system_is_refused() {
    let defect = defect_of(&json!({"efootprint_version": "27.0.0"}));
    assert_eq!(defect.kind, DefectKind::MissingAttribute);
    assert_eq!(
        defect.message,
        "The file has no `System`, expected one or more."
    );
}

#[test]
fn an_unknown_unit_is_named_with_its_object() {
    refused(
        "/Server/Srv/power/unit",
        json!("wat"),
        DefectKind::UnknownUnit,
        "Server `Srv`: attribute `power` has unknown unit `wat`, expected a unit such as `watt`.",
    );
    refused(
        "/Country/France/average_carbon_intensity/unit",
        json!("gCO2/kWh"),
        DefectKind::UnknownUnit,
        "Country `France`: attribute `average_carbon_intensity` has unknown unit `gCO2` (in `gCO2/kWh`), \
         expected a unit such as `gram / kilowatt_hour`.",
    );
}

#[test]
fn a_unit_that_measures_something_else_is_named_with_its_object() {
    refused(
        "/Server/Srv/ram/unit",
        json!("kg"),
        DefectKind::WrongDimension,
        "Server `Srv`: attribute `ram` has unit `kg`, expected a RAM size such as `GB_ram`.",
    );
    refused(
        "/Job/Job1/data_stored/unit",
        json!("MB"),
        DefectKind::WrongDimension,
        "Job `Job1`: attribute `data_stored` has unit `MB`, expected a stored volume such as `GB_stored`.",
    );
    refused(
        "/Job/Job1/compute_needed/unit",
        json!("gpu"),
        DefectKind::WrongDimension,
        "Job `Job1`: attribute `compute_needed` has unit `gpu`, \
         expected a number of processor cores such as `cpu_core`.",
    );
}

#[test]
fn a_missing_attribute_is_named_with_its_object() {
    let file = edited([("/Server/Srv/power", None)]);
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::MissingAttribute);
    assert_eq!(defect.class.as_deref(), Some("Server"));
    assert_eq!(defect.object.as_deref(), Some("Srv"));
    assert_eq!(defect.attribute.as_deref(), Some("power"));
    assert_eq!(
        defect.message,
        "Server `Srv`: attribute `power` is missing; every `Server` has it."
    );
}

#[test]
fn every_attribute_is_missed_unless_it_may_be_absent() {
    let absent = [
        "short_name",
        "fraction_of_usage_time",
        "impact_url",
        "fixed_nb_of_instances",
        "base_compute_consumption",
        "power",
        "power_per_unit",
        "idle_power_per_unit",
        "carbon_footprint_manufacturing_per_unit",
    ];
    let whole = edited([]);
    for (class, objects) in whole.as_object().unwrap() {
        if matches!(&**class, "efootprint_version" | "Sources") {
            continue;
        }
        let (id, object) = objects.as_object().unwrap().iter().next().unwrap();
        for attribute in object.as_object().unwrap().keys() {
            let mut file = whole.clone();
            file[class][id].as_object_mut().unwrap().remove(attribute);
            match read(file.to_string().as_bytes()) {
                Ok(_) => assert!(absent.contains(&&**attribute), "{class} {attribute}"),
                Err(ReadError::Invalid(defect)) => {
                    assert_eq!(defect.kind, DefectKind::MissingAttribute, "{defect:?}");
                    assert_eq!(defect.class.as_deref(), Some(&**class));
                    assert_eq!(defect.object.as_deref(), Some(&**id));
                    assert_eq!(defect.attribute.as_deref(), Some(&**attribute));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn an_object_filed_under_the_wrong_class_lacks_the_attributes_of_that_class() {
    let mut file = edited([]);
    file["Server"]["S-SSD"] = file["Storage"]["S-SSD"].take();
    file["Storage"].as_object_mut().unwrap().remove("S-SSD");
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::MissingAttribute);
    assert_eq!(
        defect.message,
        "Server `S-SSD`: attribute `carbon_footprint_manufacturing` is missing; every `Server` has it."
    );
}

#[test]
fn a_reference_to_nothing_is_named_with_its_object() {
    refused(
        "/Job/Job1/server",
        json!("nowhere"),
        DefectKind::MissingReference,
        "Job `Job1`: attribute `server` names `nowhere`, but no object of the file has that id; \
         add it or correct the id.",
    );
    refused(
        "/UsagePattern/UP/devices",
        json!(["Lap", "Phone"]),
        DefectKind::MissingReference,
        "UsagePattern `UP`: attribute `devices` names `Phone`, but no object of the file has that id; \
         add it or correct the id.",
    );
    refused(
        "/UsageJourney/UJ/uj_steps",
        json!({"Step9": scalar(json!(1), "dimensionless")}),
        DefectKind::MissingReference,
        "UsageJourney `UJ`: attribute `uj_steps` names `Step9`, but no object of the file has that id; \
         add it or correct the id.",
    );
}

#[test]
fn a_misspelt_class_is_suggested_where_its_objects_are_missed() {
    let mut file = edited([]);
    file["Servers"] = file["Server"].take();
    file.as_object_mut().unwrap().remove("Server");
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::MissingReference);
    assert!(
        defect.message.ends_with(
            "names `Srv`, but no object of the file has that id; add it or correct the id; \
             the file has an unknown class `Servers`, did you mean `Server`?"
        ),
        "{}",
        defect.message
    );
}

#[test]
fn a_misspelt_class_is_suggested_among_many_unknown_keys() {
    let mut file = edited([]);
    file["Servers"] = file["Server"].take();
    file.as_object_mut().unwrap().remove("Server");
    for note in ["A", "B", "C", "Notes", "X", "Y", "Z"] {
        file[note] = json!({"a": 1});
    }
    for (i, value) in [json!("x"), json!(1), json!(null), json!([{}]), json!(true)]
        .into_iter()
        .enumerate()
    {
        file[format!("Server{i}")] = value;
    }
    let message = defect_of(&file).message;
    let hint = "; the file has an unknown class `Servers`, did you mean `Server`?";
    assert!(message.contains(hint), "{message}");
    assert_eq!(message.matches("unknown class").count(), 3, "{message}");
    assert!(!message.contains("`Server1`"), "{message}");
}

#[test]
fn a_misspelt_system_is_suggested() {
    let mut file = edited([]);
    file["Systems"] = file["System"].take();
    file.as_object_mut().unwrap().remove("System");
    assert_eq!(
        defect_of(&file).message,
        "The file has no `System`, expected one or more; \
         the file has an unknown class `Systems`, did you mean `System`?"
    );
}

#[test]
fn a_reference_to_an_object_of_another_class_is_refused() {
    refused(
        "/Job/Job1/server",
        json!("Lap"),
        DefectKind::WrongClass,
        "Job `Job1`: attribute `server` names `Lap` of class `Device`, \
         expected one of class `Server` or `BoaviztaCloudServer`.",
    );
    refused(
        "/UsagePattern/UP/network",
        json!("France"),
        DefectKind::WrongClass,
        "UsagePattern `UP`: attribute `network` names `France` of class `Country`, expected one of class `Network`.",
    );
    refused(
        "/VideoStreamingJob/VSJob/service",
        json!("Srv"),
        DefectKind::WrongClass,
        "VideoStreamingJob `VSJob`: attribute `service` names `Srv` of class `Server`, \
         expected one of class `VideoStreaming`.",
    );
}

#[test]
fn ids_are_unique_over_all_classes() {
    let mut file = edited([]);
    file["Network"]["Lap"] = json!({"name": "Lap", "id": "Lap"});
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::DuplicateReference);
    assert_eq!(
        defect.message,
        "Network `Lap` shares its id with an object of class `Device`; ids are unique over all classes."
    );
}

/// A file in which the text `from` reads `to`, for what a parsed document cannot hold.
fn replaced(from: &str, to: &str) -> Defect {
    let file = edited([]).to_string();
    assert!(file.contains(from), "no {from}");
    match read(file.replacen(from, to, 1).as_bytes()) {
        Err(ReadError::Invalid(defect)) => *defect,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_that_appears_twice_is_refused() {
    let weight = scalar(json!(1), "dimensionless");
    let defect = replaced(
        "\"uj_steps\":{",
        &format!("\"uj_steps\":{{\"Step1\":{weight},"),
    );
    assert_eq!(defect.kind, DefectKind::DuplicateReference);
    assert_eq!(
        defect.message,
        "UsageJourney `UJ`: attribute `uj_steps` has `Step1` twice; add the weights up in one entry."
    );

    let defect = replaced("\"devices\":[\"Lap\"]", "\"devices\":[],\"devices\":[]");
    assert_eq!(
        defect.message,
        "UsagePattern `UP`: attribute `devices` appears twice; keep one."
    );

    let defect = replaced("\"Server\":{", "\"Server\":{},\"Server\":{");
    assert_eq!(
        defect.message,
        "Class `Server` appears twice; put all of it under one key."
    );
    assert_eq!(defect.class.as_deref(), Some("Server"));
}

#[test]
fn edge_journeys_functions_and_needs_may_repeat() {
    accepted([
        (
            "/EdgeUsagePattern/EUP/edge_usage_journeys",
            Some(json!(["EUJ", "EUJ"])),
        ),
        (
            "/EdgeUsageJourney/EUJ/edge_functions",
            Some(json!(["EF", "EF"])),
        ),
        ("/UsagePattern/UP/devices", Some(json!([]))),
    ]);
}

#[test]
fn an_id_is_the_key_it_is_filed_under() {
    refused(
        "/Device/Lap/id",
        json!("Laptop"),
        DefectKind::IdMismatch,
        "Device `Lap`: attribute `id` is `Laptop`, but the object is filed under `Lap`; make them the same.",
    );
}

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
fn numbers_may_be_texts_or_true_and_negative() {
    for value in [
        json!("50"),
        json!(" 5e1 "),
        json!(true),
        json!(-3),
        json!(0),
    ] {
        accepted([("/Device/Lap/power/value", Some(value))]);
    }
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

#[test]
fn sources_are_in_the_file() {
    refused(
        "/Device/Lap/power/source",
        json!("the-internet"),
        DefectKind::MissingReference,
        "Device `Lap`: attribute `power` names source `the-internet`, which is no entry of `Sources`; add it there.",
    );
    refused(
        "/Device/Lap/power/source",
        json!({"link": "https://example.org"}),
        DefectKind::InvalidValue,
        "Device `Lap`: attribute `power` has a source without `name`, \
         give it one or name an entry of `Sources`.",
    );
    for source in [
        json!("automatic_replacement"),
        json!(null),
        json!({"name": "Our meters"}),
    ] {
        accepted([("/Device/Lap/power/source", Some(source))]);
    }
    let defect = defect(
        "/Sources/here",
        json!({"id": "there", "name": "x", "link": null}),
    );
    assert_eq!(defect.kind, DefectKind::IdMismatch);
    assert_eq!(
        defect.message,
        "The file has a source `there` filed under `here`; make them the same."
    );
}

#[test]
fn an_entry_of_the_sources_is_an_object_with_a_name() {
    let refused = |entry| {
        let defect = defect("/Sources/a", entry);
        assert_eq!(defect.kind, DefectKind::InvalidValue, "{defect}");
        defect.message
    };
    for entry in [json!(["a", "n", null]), json!("a"), json!(null)] {
        let message = refused(entry);
        assert!(
            message.contains("expected a source, an object with `name`"),
            "{message}"
        );
    }
    assert_eq!(
        refused(json!({"id": "a"})),
        "The file has the source `a` without `name`, give it one."
    );
    accepted([(
        "/Sources/a",
        Some(json!({"name": "n", "id": "a", "year": 2025})),
    )]);
}

#[test]
fn other_major_versions_are_refused_by_name() {
    for (version, message) in [
        (
            json!("28.1.0"),
            "The file is of version `28.1.0`, newer than the 27 expected; save it with the e-footprint library 27.",
        ),
        (
            json!("23.0.0"),
            "The file is of version `23.0.0`, older than the 27 expected; \
             open it with the e-footprint library 27 and save it again.",
        ),
        (
            json!("+27.0.0"),
            "The file has `efootprint_version` `+27.0.0`, expected one such as `27.0.0`.",
        ),
        (
            json!("latest"),
            "The file has `efootprint_version` `latest`, expected one such as `27.0.0`.",
        ),
    ] {
        let defect = defect("/efootprint_version", version);
        assert_eq!(defect.kind, DefectKind::UnsupportedVersion);
        assert_eq!(defect.message, message);
    }
    assert_eq!(
        defect("/efootprint_version", json!(27)).kind,
        DefectKind::InvalidValue
    );
}

#[test]
fn versions_whose_inputs_are_the_same_are_read() {
    accepted([("/efootprint_version", None)]);
    accepted([("/efootprint_version", Some(json!("27.3.1")))]);
    accepted([("/efootprint_version", Some(json!("26.0.0")))]);
    let old = ("/efootprint_version", Some(json!("25.1.0")));
    assert_eq!(
        defect_of(&edited([old.clone()])).message,
        "The file is of version 25 and generates videos, which 26 changed; \
         open it with the e-footprint library 27 and save it again."
    );
    accepted([
        old,
        ("/EcoLogitsVideoGenExternalAPIJob", None),
        ("/UsageJourneyStep/Step2/jobs", Some(json!({}))),
        ("/UsageJourneyStep/Step1/jobs", Some(json!({}))),
        ("/RecurrentServerNeed/RSN/jobs", Some(json!({}))),
    ]);
}

#[test]
fn a_component_need_is_in_the_unit_of_its_component() {
    refused(
        "/RecurrentEdgeComponentNeed/needram/recurrent_need/unit",
        json!("cpu_core"),
        DefectKind::WrongDimension,
        "RecurrentEdgeComponentNeed `needram`: attribute `recurrent_need` has unit `cpu_core`, \
         expected a RAM size such as `GB_ram`.",
    );
    refused(
        "/RecurrentEdgeComponentNeed/needw/recurrent_need/unit",
        json!("occurrence"),
        DefectKind::WrongDimension,
        "RecurrentEdgeComponentNeed `needw`: attribute `recurrent_need` has unit `occurrence`, \
         expected what the component provides such as `GB_ram`.",
    );
}

#[test]
fn groups_do_not_contain_themselves() {
    let defect = defect(
        "/EdgeDeviceGroup/G/sub_group_counts",
        json!({"Root": scalar(json!(1), "dimensionless")}),
    );
    assert_eq!(defect.kind, DefectKind::CircularReference);
    assert!(
        defect.message.ends_with(
            "attribute `sub_group_counts` leads back to a group it started from; take one of the sub-groups out."
        ),
        "{defect}"
    );
}

#[test]
fn a_group_above_a_circle_is_not_the_one_to_mend() {
    let group = |id: &str, below: &str| {
        json!({
            "name": id, "id": id, "edge_device_counts": {},
            "sub_group_counts": {below: scalar(json!(1), "dimensionless")},
        })
    };
    let mut file = edited([]);
    let groups = file["EdgeDeviceGroup"].as_object_mut().unwrap();
    groups.insert("A".into(), group("A", "B"));
    groups.insert("B".into(), group("B", "C"));
    groups.insert("C".into(), group("C", "B"));
    let defect = defect_of(&file);
    assert_eq!(defect.kind, DefectKind::CircularReference);
    let named = defect.object.as_deref();
    assert!(matches!(named, Some("B" | "C")), "{defect:?}");
}

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
