//! What changed of storages, and of the parts of devices.

use std::collections::HashSet;

use super::super::tree::{Json, Map};
use super::told::{Change, Told};
use super::{amount, rename_attribute};

/// 16 → 17: nothing is stored, where less than nothing was.
pub(super) fn end_negative_data(file: &mut Map, told: &mut Told) {
    for (_, job) in file.objects_mut(&["Job", "GPUJob", "VideoStreamingJob"]) {
        let stored = job.get_mut("data_stored").and_then(Json::as_map_mut);
        let Some(stored) = stored else { continue };
        if stored.get("value").and_then(Json::as_number) < Some(0.0) && stored.has("value") {
            stored.set("value", 0.0);
            told.tell(Change::NegativeData);
        }
    }
}

/// 16 → 17: storages draw no power.
pub(super) fn end_storage_power(file: &mut Map, told: &mut Told) {
    for (_, storage) in file.objects_mut(&["Storage", "EdgeStorage"]) {
        let power = storage.remove("power_per_storage_capacity");
        let idle_power = storage.remove("idle_power");
        let draws = |power: &Option<Json>| {
            let value = power.as_ref().and_then(Json::as_map);
            let value = value.and_then(|power| power.get("value"));
            value
                .and_then(Json::as_number)
                .is_some_and(|value| value != 0.0)
        };
        if draws(&power) || draws(&idle_power) {
            told.tell(Change::StoragePower);
        }
    }
}

/// 16 → 17: what is asked of a storage is a class of its own.
pub(super) fn tell_storage_needs(file: &mut Map, _: &mut Told) {
    let storages: HashSet<String> = file
        .objects(&["EdgeStorage"])
        .map(|(id, _)| id.to_owned())
        .collect();
    let Some(Json::Map(needs)) = file.get_mut("RecurrentEdgeComponentNeed") else {
        return;
    };
    let is_of_storage = |need: &Json| {
        let component = need.as_map().and_then(|need| need.text("edge_component"));
        component.is_some_and(|component| storages.contains(component))
    };
    let all = std::mem::take(&mut needs.0);
    let (of_storages, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, need)| is_of_storage(need));
    needs.0 = others;
    if !of_storages.is_empty()
        && let Some(block) = file.map_at("RecurrentEdgeStorageNeed")
    {
        block.0.extend(of_storages);
    }
}

const PARTS: [&str; 7] = [
    "EdgeCPUComponent",
    "EdgeComputerCPUComponent",
    "EdgeRAMComponent",
    "EdgeComputerRAMComponent",
    "EdgeWorkloadComponent",
    "EdgeApplianceComponent",
    "EdgeStorage",
];

/// 18 → 19: parts are counted, and say what one of them is.
pub(super) fn count_units(file: &mut Map, _: &mut Told) {
    for (classes, attribute) in [
        (&PARTS[..], "carbon_footprint_fabrication"),
        (&PARTS[..], "power"),
        (&PARTS[..], "idle_power"),
        (&PARTS[..2], "compute"),
        (&PARTS[2..4], "ram"),
        (&PARTS[6..], "storage_capacity"),
    ] {
        rename_attribute(file, classes, attribute, &format!("{attribute}_per_unit"));
    }
    for (_, part) in file.objects_mut(&PARTS) {
        if !part.has("nb_of_units") {
            part.set("nb_of_units", amount(1.0, "dimensionless"));
        }
    }
    let capacity = "carbon_footprint_fabrication_per_storage_capacity";
    let from = format!("{capacity}_per_unit");
    rename_attribute(file, &["EdgeStorage"], &from, capacity);
}
