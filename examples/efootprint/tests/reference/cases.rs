//! Files as people have them, and what is right of each.

use std::path::Path;
use std::{fs, sync::Arc};

use crate::expected::{Expected, read_expected};
use crate::versions::differences;
use efootprint::diagram::{Options, sankey};
use efootprint::footprint::Footprint;
use efootprint::{Attribution, Cancel, Engine, ReadError};

fn case(name: &str) -> Vec<u8> {
    let path = format!("tests/cases/{name}.json");
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What is computed of a case, once it is seen that all results agree on whether it is whole.
#[track_caller]
fn footprint(name: &str) -> Footprint {
    let model = efootprint::read(&case(name)[..]).unwrap();
    let engine = Engine::new(Arc::new(model), Cancel::default()).unwrap();
    let footprint = Footprint::of(&engine).unwrap();
    let diagram = sankey(
        engine.model(),
        &Attribution::of(&engine).unwrap(),
        &Options::default(),
    );
    let whole = footprint.is_complete();
    let missing = engine.missing().unwrap();
    assert_eq!((diagram.complete, missing.is_empty()), (whole, whole));
    footprint
}

#[track_caller]
fn assert_whole(name: &str, total: f64) -> Footprint {
    let footprint = footprint(name);
    assert!(footprint.is_complete(), "{:?}", footprint.problems);
    let got = footprint.total();
    assert!((got - total).abs() <= 5e-4 * total, "{got} kg of {total}");
    footprint
}

#[track_caller]
fn assert_equal(name: &str, except: &[&str]) {
    let expected: Expected = read_expected(&format!("{name}.expected.json"));
    let (mut differences, compared) = differences(&case(name), &expected);
    differences.retain(|difference| !except.iter().any(|except| difference.contains(except)));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared > 30, "{compared}");
}

#[track_caller]
fn refusal(name: &str) -> String {
    match efootprint::read(&case(name)[..]) {
        Err(ReadError::Invalid(defect)) => defect.message,
        other => panic!("{other:?}"),
    }
}

fn remarks(footprint: &Footprint) -> Vec<&str> {
    let remarks = footprint.remarks.iter();
    remarks.map(|remark| &*remark.detail).collect()
}

#[test]
fn a_file_of_version_23_is_whole() {
    let footprint = assert_whole("old-version-23", 17.70);
    assert_eq!(
        remarks(&footprint),
        ["The file is of version 23 and was converted to 27."]
    );
    assert_equal("old-version-23", &[]);
}

#[test]
fn a_workspace_is_several_systems() {
    let models = efootprint::read_all(&case("workspace-two-models")[..]).unwrap();
    assert_eq!(models.len(), 2);
    for model in models {
        let engine = Engine::new(Arc::new(model), Cancel::default()).unwrap();
        let footprint = Footprint::of(&engine).unwrap();
        assert!(footprint.is_complete() && footprint.total() > 0.0);
    }
    assert_eq!(
        refusal("workspace-two-models"),
        "The file holds 2 models, expected one."
    );
}

#[test]
fn a_server_that_no_system_reaches_is_a_remark() {
    let footprint = assert_whole("unlinked-server-too-small", 17.70);
    let [remark] = &footprint.remarks[..] else {
        panic!("{:?}", footprint.remarks)
    };
    assert!(remark.object.is_some() && remark.detail.contains("needs 999"));
    assert_equal("unlinked-server-too-small", &["needs 999"]);
}

#[test]
fn a_model_that_is_gone_fails_alone() {
    let footprint = assert_whole("unlinked-api-retired-model", 17.70);
    let [remark] = &footprint.remarks[..] else {
        panic!("{:?}", footprint.remarks)
    };
    let said = "has the `model_name` `open-mistral-7b`, which the catalogue doesn't have of \
                `mistralai`, or has no more";
    assert!(remark.detail.contains(said), "{}", remark.detail);
    assert_equal("unlinked-api-retired-model", &["open-mistral-7b"]);
}

#[test]
fn a_guard_that_fired_is_no_missing_value() {
    let footprint = assert_whole("lifespan-shorter-than-span", 155_930.0);
    let remarks = remarks(&footprint);
    assert!(
        remarks
            .iter()
            .all(|remark| remark.contains("has 6 `year` of lifespan, needs 7;")),
        "{remarks:?}"
    );
    assert_equal("lifespan-shorter-than-span", &["needs 7;"]);
}

#[test]
fn an_older_video_keeps_a_resolution_that_its_model_makes() {
    assert_whole("v25-video-valid-resolution", 232.15);
    assert_equal("v25-video-valid-resolution", &[]);
}

#[test]
fn inputs_below_zero_are_refused_by_name() {
    assert_eq!(
        refusal("negative-power"),
        "Device `phone`: attribute `power` is -500 `watt`, expected zero or more."
    );
    assert_eq!(
        refusal("negative-step-time"),
        "UsageJourneyStep `browse`: attribute `user_time_spent` is -10 `minute`, expected zero or more."
    );
}

#[test]
fn what_is_beyond_all_numbers_is_missing_everywhere() {
    use efootprint::footprint::{Category, Phase};
    let footprint = footprint("infinite-power");
    assert!(!footprint.is_complete());
    assert_eq!(footprint.known(Category::Servers, Phase::Use), None);
    assert!(
        footprint
            .known(Category::Servers, Phase::Manufacturing)
            .is_some()
    );
    assert!(footprint.problems[0].detail.contains("beyond all numbers"));
}

#[test]
fn hours_without_requests_have_no_instance() {
    let footprint = assert_whole("long-job-autoscaling-quiet", 1.570);
    assert!(remarks(&footprint)[0].contains("Fourier transform"));
}

#[test]
fn what_the_reference_reads_leniently_is_read() {
    for name in [
        "form-date-2025-1-1",
        "unit-superscript",
        "version-27",
        "escape-in-name",
    ] {
        assert!(footprint(name).is_complete(), "{name}");
        assert_equal(name, &[]);
    }
    assert_whole("byte-order-mark", 17.70);
}

#[test]
fn sentences_name_the_input_that_is_wrong() {
    for (name, said) in [
        (
            "nan-in-file",
            "UsageJourneyStep `browse`: attribute `user_time_spent` holds `NaN`",
        ),
        (
            "form-volume-too-large",
            "has a form whose `initial_volume` is beyond",
        ),
        (
            "form-without-timespan",
            "has a form without `net_growth_rate_timespan`",
        ),
    ] {
        let refusal = refusal(name);
        assert!(refusal.contains(said), "{refusal}");
    }
    let footprint = footprint("two-systems-one-pattern");
    assert!(!footprint.is_complete());
    assert!(
        footprint.problems[0]
            .detail
            .contains("has the pattern “users” in common with")
    );
}
