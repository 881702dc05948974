//! Sources and versions of files.

use crate::edit::{accepted, defect, defect_of, edited, refused};
use efootprint::DefectKind;
use serde_json::json;

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
