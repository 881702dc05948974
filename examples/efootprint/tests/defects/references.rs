//! References and ids.

use crate::edit::{accepted, defect_of, edited, refused, replaced, scalar};
use efootprint::DefectKind;
use serde_json::json;

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
