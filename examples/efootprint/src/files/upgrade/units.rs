//! What changed of units: data in memory and in storage became kinds of their own.

use std::collections::HashSet;

use super::super::tree::{Json, Map};
use super::told::Told;

/// 12 → 13: loads are counted in a unit of their own.
pub(super) fn count_workloads(file: &mut Map, _: &mut Told) {
    change(
        file,
        &["RecurrentEdgeWorkload"],
        "recurrent_workload",
        |unit| matches!(unit, "dimensionless" | "").then(|| "concurrent".to_owned()),
    );
}

/// 17 → 18: storages hold stored data.
pub(super) fn store(file: &mut Map, _: &mut Told) {
    for attribute in [
        "base_storage_need",
        "storage_capacity",
        "carbon_footprint_fabrication_per_storage_capacity",
    ] {
        change(file, &["Storage", "EdgeStorage"], attribute, stored);
    }
}

/// 12 → 13 for memory, and 19 → 20: data in memory, in storage and on the network are told apart.
pub(super) fn tell_apart(file: &mut Map, _: &mut Told) {
    for (classes, attribute) in RAM {
        change(file, classes, attribute, in_memory);
    }
    for (classes, attribute) in STORED {
        change(file, classes, attribute, stored);
    }
    change(file, &["VideoStreaming"], "bits_per_pixel", |unit| {
        (unit == "dimensionless").then(|| "bit".to_owned())
    });
    let network = ["Network"];
    let intensity = "bandwidth_energy_intensity";
    change(file, &network, intensity, |unit| {
        Some(unit.replace("_stored", "").replace("_ram", ""))
    });
    add_denominator(file, &network, intensity, "gigabyte");
    let manufacturing = "carbon_footprint_fabrication_per_storage_capacity";
    add_denominator(file, &["Storage"], manufacturing, "gigabyte_stored");
    let components = of_class(file, &["EdgeRAMComponent", "EdgeComputerRAMComponent"]);
    change_needs(file, &components, in_memory);
    let storages = of_class(file, &["EdgeStorage"]);
    change_needs(file, &storages, stored);
}

const SERVERS: &[&str] = &["Server", "GPUServer", "BoaviztaCloudServer", "EdgeComputer"];

const JOBS: &[&str] = &[
    "Job",
    "GPUJob",
    "VideoStreamingJob",
    "EcoLogitsGenAIExternalAPIJob",
    "EcoLogitsVideoGenExternalAPIJob",
];

const RAM: [(&[&str], &str); 7] = [
    (SERVERS, "ram"),
    (SERVERS, "base_ram_consumption"),
    (SERVERS, "ram_per_gpu"),
    (JOBS, "ram_needed"),
    (&["VideoStreaming"], "base_ram_consumption"),
    (&["VideoStreaming"], "ram_buffer_per_user"),
    (&["RecurrentEdgeProcess"], "recurrent_ram_needed"),
];

const STORED: [(&[&str], &str); 5] = [
    (JOBS, "data_stored"),
    (&["Storage"], "storage_capacity"),
    (&["Storage"], "base_storage_need"),
    (
        &["Storage"],
        "carbon_footprint_fabrication_per_storage_capacity",
    ),
    (&["RecurrentEdgeProcess"], "recurrent_storage_needed"),
];

fn in_memory(unit: &str) -> Option<String> {
    Some(with_suffix(unit, "_ram"))
}

fn stored(unit: &str) -> Option<String> {
    Some(with_suffix(unit, "_stored"))
}

/// A unit whose parts that are data say which.
fn with_suffix(unit: &str, suffix: &str) -> String {
    let parts = unit.split('/').map(|part| {
        let word = part.trim_end();
        let is_data = ["byte", "B", "bit"].iter().any(|end| word.ends_with(end));
        match is_data {
            true => format!("{word}{suffix}{}", &part[word.len()..]),
            false => part.to_owned(),
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Changes the unit of an attribute, wherever a value says it.
fn change(
    file: &mut Map,
    classes: &[&str],
    attribute: &str,
    unit: impl Fn(&str) -> Option<String>,
) {
    for (_, object) in file.objects_mut(classes) {
        if let Some(value) = object.get_mut(attribute) {
            change_value(value, &unit);
        }
    }
}

fn change_value(value: &mut Json, unit: &impl Fn(&str) -> Option<String>) {
    let Some(value) = value.as_map_mut() else {
        return;
    };
    for key in ["unit", "constant_unit"] {
        if let Some(changed) = value.text(key).and_then(unit) {
            value.set(key, changed.as_str());
        }
    }
    if let Some(form) = value.get_mut("form_inputs") {
        change_value(form, unit);
    }
}

/// What is nothing was written without what it is per.
fn add_denominator(file: &mut Map, classes: &[&str], attribute: &str, per: &str) {
    for (_, object) in file.objects_mut(classes) {
        let Some(value) = object.get_mut(attribute).and_then(Json::as_map_mut) else {
            continue;
        };
        let is_zero = value.get("value").and_then(Json::as_number) == Some(0.0);
        if let Some(unit) = value
            .text("unit")
            .filter(|unit| is_zero && !unit.contains('/'))
        {
            let unit = format!("{unit} / {per}");
            value.set("unit", unit.as_str());
        }
    }
}

/// The ids of the objects of some classes.
fn of_class(file: &Map, classes: &[&str]) -> HashSet<String> {
    let objects = file.objects(classes);
    objects.map(|(id, _)| id.to_owned()).collect()
}

/// Changes the unit of what is asked of those components.
fn change_needs(
    file: &mut Map,
    components: &HashSet<String>,
    unit: impl Fn(&str) -> Option<String>,
) {
    let classes = ["RecurrentEdgeComponentNeed", "RecurrentEdgeStorageNeed"];
    for (_, need) in file.objects_mut(&classes) {
        let of = need.text("edge_component").unwrap_or_default();
        if components.contains(of)
            && let Some(value) = need.get_mut("recurrent_need")
        {
            change_value(value, &unit);
        }
    }
}
