//! What a model says it takes, against what the allocator gave out for it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use efootprint::read;
use serde_json::{Value, json};

/// Asserts that the model of a file takes about the memory it says, and no more.
///
/// The allocator's count lacks the rounding of blocks, which the model's includes.
#[track_caller]
fn assert_size(name: &str, file: &str) {
    // The first reading fills what all models share, such as the time zones.
    drop(read(file.as_bytes()).unwrap());
    let mut model = None;
    let counted = allocation_counter::measure(|| model = Some(read(file.as_bytes()).unwrap()));
    let counted = u64::try_from(counted.bytes_current).unwrap();
    let told = model.unwrap().size() as u64;
    println!("{name}: told {told}, counted {counted}");
    // Texts of a few bytes take a block of 32.
    let room = counted / 2 + 512;
    assert!(
        (counted..counted + room).contains(&told),
        "{name}: told {told}, counted {counted}"
    );
}

/// A system with `count` objects of a class, each with these attributes.
fn system_with(class: &str, count: usize, attributes: impl Fn(usize) -> Value) -> String {
    let mut system = json!({
        "efootprint_version": "27.0.0",
        "System": {"s": {
            "id": "s", "name": "s", "usage_patterns": [], "edge_usage_patterns": [],
        }},
    });
    for number in 0..count {
        let id = format!("{class} {number}");
        let mut object = attributes(number);
        object["id"] = json!(id);
        object["name"] = json!(format!("The {id}"));
        system[class][id] = object;
    }
    system.to_string()
}

#[test]
fn real_systems_take_what_they_say() {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systems");
    for entry in fs::read_dir(systems).unwrap() {
        let path = entry.unwrap().path();
        assert_size(
            &path.display().to_string(),
            &fs::read_to_string(&path).unwrap(),
        );
    }
}

#[test]
fn a_system_of_nothing_takes_what_it_says() {
    assert_size("nothing", &system_with("Device", 0, |_| json!({})));
}

#[test]
fn many_small_objects_take_what_they_say() {
    for count in [1, 1000, 30_000] {
        let servers = system_with("EcoLogitsGenAIExternalAPIServer", count, |_| json!({}));
        assert_size("servers", &servers);
    }
}

#[test]
fn texts_and_units_take_what_they_say_be_they_shared_or_not() {
    for different in [false, true] {
        let networks = system_with("Network", 1000, |number| {
            let number = if different { number } else { 0 };
            json!({"bandwidth_energy_intensity": {
                "value": 1.5,
                "unit": format!("{}kWh/GB", " ".repeat(number % 200)),
                "label": format!("label {number}"),
                "comment": format!("a comment, {}", "long ".repeat(number)),
                "source": {"id": null, "name": format!("source {number}"), "link": "elsewhere"},
            }})
        });
        assert_size("networks", &networks);
    }
}

#[test]
fn weeks_take_what_they_say() {
    let week = |form: Value| json!({"form_inputs": form, "label": "a week"});
    let constant = |unit| week(json!({"constant_value": 1, "constant_unit": unit}));
    let range = |start| json!({"start": start, "end": start + 1, "value": 2});
    let profiles = json!({"unit": "cpu_core", "profiles": [{
        "name": "every day", "days": [0, 1, 2, 3, 4, 5, 6], "baseline": 1,
        "ranges": (0..24).map(range).collect::<Vec<_>>(),
    }]});
    let quantity = |unit| json!({"value": 1, "unit": unit, "label": "x"});
    let processes = system_with("RecurrentEdgeProcess", 1000, |_| {
        json!({
            "edge_device": "computer",
            "recurrent_edge_component_needs": [],
            "recurrent_compute_needed": week(profiles.clone()),
            "recurrent_ram_needed": constant("GB_ram"),
            "recurrent_storage_needed": constant("GB_stored"),
        })
    });
    let mut file: Value = serde_json::from_str(&processes).unwrap();
    file["EdgeStorage"]["storage"] = json!({
        "id": "storage", "name": "storage", "lifespan": quantity("year"),
        "nb_of_units": quantity(""), "storage_capacity_per_unit": quantity("GB_stored"),
        "carbon_footprint_manufacturing_per_storage_capacity": quantity("kg/GB_stored"),
        "base_storage_need": quantity("GB_stored"),
    });
    file["EdgeComputer"]["computer"] = json!({
        "id": "computer", "name": "computer", "components": [], "storage": "storage",
        "lifespan": quantity("year"), "carbon_footprint_manufacturing": quantity("kg"),
        "power": quantity("W"), "idle_power": quantity("W"),
        "ram": quantity("GB_ram"), "base_ram_consumption": quantity("GB_ram"),
        "compute": quantity("cpu_core"), "base_compute_consumption": quantity("cpu_core"),
    });
    assert_size("weeks", &file.to_string());
}
