//! Whole files: read, looked at, written and read again.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use efootprint::classes::{AnyJob, CpuServer, Object, Server};
use efootprint::{Model, read};
use serde_json::{Value, json};

/// Names and texts of the systems.
fn systems() -> impl Iterator<Item = (String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systems");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files.map(|path| {
        (
            path.display().to_string(),
            std::fs::read_to_string(&path).unwrap(),
        )
    })
}

fn mixed() -> Value {
    serde_json::from_str(include_str!("systems/mixed_example.json")).unwrap()
}

fn model(file: impl ToString) -> Model {
    read(file.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn written(model: &Model) -> Vec<u8> {
    let mut file = Vec::new();
    model.write(&mut file).unwrap();
    file
}

#[test]
fn every_system_survives_writing() {
    for (name, text) in systems() {
        let first = model(text);
        let file = written(&first);
        let second = read(&file[..]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(first == second, "{name} differs after writing");
        assert!(
            file == written(&second),
            "{name} differs when written again"
        );
    }
}

#[test]
fn an_object_as_json_is_what_stands_in_the_file() {
    /// Series may be compressed by another version of the library, and numbers are written `1` or
    /// `1.0`, `1e-5` or `1e-05`, in texts with lists too.
    fn alike(value: &Value) -> Value {
        match value {
            Value::Number(number) => json!(number.as_f64()),
            Value::Array(list) => list.iter().map(alike).collect(),
            Value::Object(map) => map
                .iter()
                .filter(|(key, _)| *key != "compressed_values")
                .map(|(key, value)| (key.clone(), alike(value)))
                .collect(),
            Value::String(text) if text.starts_with('[') => {
                alike(&serde_json::from_str(text).unwrap())
            }
            other => other.clone(),
        }
    }

    for (name, text) in systems() {
        let file: Value = serde_json::from_str(&text).unwrap();
        for object in model(text).objects() {
            let written = serde_json::to_value(object).unwrap();
            assert_eq!(
                alike(&written),
                alike(&file[object.class()][object.id()]),
                "{name}"
            );
        }
    }
}

#[test]
fn objects_come_in_the_order_of_the_file() {
    let model = model(include_str!("systems/web-101.json"));
    let objects: Vec<_> = model
        .objects()
        .map(|object| (object.class(), object.name()))
        .collect();
    assert_eq!(
        objects,
        [
            ("System", "random system 101"),
            ("UsagePattern", "usage pattern 10"),
            ("Device", "device 9"),
            ("Network", "network 3"),
            ("Country", "Japan"),
            ("UsageJourney", "journey 8"),
            ("UsageJourneyStep", "step 7"),
        ]
    );
    assert_eq!(model.len(), 7);
    assert!(!model.is_empty());
    assert_eq!(model.name(), "random system 101");
}

#[test]
fn an_object_is_found_by_its_id() {
    let model = model(mixed());
    let server = model.object("Srv").unwrap();
    assert_eq!((server.id(), server.class()), ("Srv", "Server"));
    assert!(model.object("nobody").is_none());
}

#[test]
fn references_lead_to_typed_objects() {
    let model = model(mixed());
    let Object::UsageJourneyStep(step) = model.object("Step1").unwrap().object() else {
        panic!()
    };
    let jobs: Vec<_> = step
        .jobs
        .iter()
        .filter_map(|(job, weight)| match model.get(*job) {
            AnyJob::Job(job) => Some((model.get(job), weight.value)),
            _ => None,
        })
        .collect();
    let (job, weight) = jobs[0];
    assert_eq!((&*job.id, weight), ("Job1", 1.0));
    let CpuServer::Server(server) = model.get(job.server) else {
        panic!()
    };
    let server: &Server = model.get(server);
    assert_eq!(
        (server.ram.value, server.ram.unit.canonical()),
        (128.0, "gigabyte_ram")
    );
    assert_eq!(&*model.get(server.storage).id, "S-SSD");
}

#[test]
fn several_systems_are_one_model_with_all_their_names() {
    let mut file = mixed();
    file["System"]["second"] =
        json!({"name": "Other", "id": "second", "usage_patterns": [], "edge_usage_patterns": []});
    assert_eq!(model(file).name(), "MySystem, Other");
}

#[test]
fn the_order_of_steps_is_kept() {
    let file = include_str!("systems/mixed_example.json");
    let compact: Value = serde_json::from_str(file).unwrap();
    let weight = r#"{"value":1.0,"unit":"dimensionless","label":"x"}"#;
    let text = compact.to_string();
    let (start, rest) = text.split_once("\"uj_steps\":{").unwrap();
    let (_, end) = rest.split_once("}}").unwrap();
    let backwards = format!("{start}\"uj_steps\":{{\"Step2\":{weight},\"Step1\":{weight}}}{end}");
    let model = model(&backwards);
    let Object::UsageJourney(journey) = model.object("UJ").unwrap().object() else {
        panic!()
    };
    let steps: Vec<_> = journey
        .uj_steps
        .iter()
        .map(|(step, _)| &*model.get(*step).id)
        .collect();
    assert_eq!(steps, ["Step2", "Step1"]);
    let file = String::from_utf8(written(&model)).unwrap();
    assert!(file.contains("\"uj_steps\":{\"Step2\""));
}

#[test]
fn a_missing_number_of_instances_is_left_open() {
    let mut file = mixed();
    file["Server"]["Srv"]
        .as_object_mut()
        .unwrap()
        .remove("fixed_nb_of_instances");
    let model = model(file);
    let Object::Server(server) = model.object("Srv").unwrap().object() else {
        panic!()
    };
    assert!(server.fixed_nb_of_instances.as_option().is_none());
    let json = serde_json::to_value(model.object("Srv").unwrap()).unwrap();
    assert_eq!(
        json["fixed_nb_of_instances"],
        json!({"value": null, "label": "no value"})
    );
}

#[test]
fn optional_attributes_that_are_absent_stay_absent() {
    let mut file = mixed();
    file["Storage"]["S-SSD"]
        .as_object_mut()
        .unwrap()
        .remove("power");
    let model = model(file);
    let json = serde_json::to_value(model.object("S-SSD").unwrap()).unwrap();
    assert_eq!(json.get("power"), None);
}

#[test]
fn what_a_value_says_about_itself_is_kept() {
    let value = json!({
        "value": 50.0, "unit": "2 W", "label": "Puissance \"é\"", "source": {"name": "Our meters", "link": null},
        "confidence": "low", "comment": "read at night",
    });
    let mut file = mixed();
    file["Device"]["Lap"]["power"] = value.clone();
    let json = serde_json::to_value(model(file).object("Lap").unwrap()).unwrap();
    assert_eq!(json["power"], value);
}

#[test]
fn sources_are_written_back() {
    let file: Value = serde_json::from_slice(&written(&model(mixed()))).unwrap();
    assert_eq!(file["Sources"], mixed()["Sources"]);
    assert_eq!(file["efootprint_version"], "27.0.0");
}

#[test]
fn results_stored_in_a_file_are_left_out() {
    let inputs = model(mixed());
    let mut file = mixed();
    let series = json!({
        "compressed_values": "not even base64", "unit": "kilogram", "start_date": "2025-01-01 00:00:00",
        "timezone": "UTC", "label": "x", "explain_nested_tuples": [["('Srv', 'power', None)", "*", null], "+", null],
    });
    for (class, id) in [
        ("Server", "Srv"),
        ("Storage", "S-SSD"),
        ("Device", "Lap"),
        ("System", "MySystem"),
    ] {
        for result in [
            "use_footprint",
            "instances_manufacturing_footprint",
            "total_footprint",
        ] {
            file[class][id][result] = series.clone();
        }
    }
    file["System"]["MySystem"]["impact_repartition_matrix"] =
        json!([{"source": "Srv", "value": 1.5}]);
    file["calculation_graph"] =
        json!({"nodes": [["Srv", "power", null]], "edges": [], "labels": {"0": "Power"}});
    assert!(model(file) == inputs);
}

#[test]
fn a_file_of_version_24_is_the_same_system_in_older_words() {
    for text in [
        include_str!("systems/web-102.json"),
        include_str!("systems/edge-111.json"),
    ] {
        let version = r#""efootprint_version": "27.0.0""#;
        assert!(text.contains(version) && text.contains("carbon_footprint_manufacturing"));
        let old = text
            .replace("manufacturing", "fabrication")
            .replace(version, r#""efootprint_version": "24.1.0""#);
        // Words are exchanged in labels and names too.
        let old = String::from_utf8(written(&model(old))).unwrap();
        let new = String::from_utf8(written(&model(text))).unwrap();
        assert_eq!(old, new);
    }
}
