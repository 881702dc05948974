//! Sources and versions of files.

use crate::edit::{accepted, defect, defect_of, edited, refused};
use efootprint::DefectKind;
use serde_json::{Value, json};

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
            json!("8.2.1"),
            "The file is of version `8.2.1`, older than the 9 that can be converted; \
             nothing reads it any more, model the system anew.",
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
fn a_file_says_its_version() {
    for version in [None, Some(json!(null))] {
        let defect = defect_of(&edited([("/efootprint_version", version)]));
        assert_eq!(defect.kind, DefectKind::UnsupportedVersion);
        assert_eq!(
            defect.message,
            "The file has no `efootprint_version`, expected one such as `27.0.0`; \
             add that of the e-footprint library that saved it."
        );
    }
    for version in ["27", "27.3.1", "27.0.0rc1", "26.0.0", "25.1.0"] {
        accepted([("/efootprint_version", Some(json!(version)))]);
    }
}

#[test]
fn an_older_file_may_say_its_version_late() {
    let old: Value = serde_json::from_str(include_str!("../versions/v17.json")).unwrap();
    let first = efootprint::read(&include_bytes!("../versions/v17.json")[..]).unwrap();
    // Keys are in alphabetical order now: those of classes come before that of the version.
    let late = old.to_string();
    assert!(!late.starts_with("{\"efootprint_version"));
    let late = efootprint::read(late.as_bytes()).unwrap();
    assert_eq!((late.len(), late.remarks()), (first.len(), first.remarks()));
}

#[test]
fn what_is_wrong_with_an_older_file_is_told_with_its_version() {
    let mut old: Value = serde_json::from_str(include_str!("../versions/v20.json")).unwrap();
    let jobs = old["Job"].as_object_mut().unwrap();
    let id = jobs.keys().next().unwrap().clone();
    jobs[&id]["server"] = json!("nowhere");
    assert_eq!(
        defect_of(&old).message,
        format!(
            "Job `{id}`: attribute `server` names `nowhere`, but no object of the file has that id; \
             add it or correct the id. The file is of version 20 and was converted to 27."
        )
    );
}
