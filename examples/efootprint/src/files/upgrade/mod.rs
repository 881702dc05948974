//! Files of older versions, converted step by step to the present one.
//!
//! Each step takes what the step before made, and changes nothing else than what its version
//! changed; none jumps, for names of one are other things to the next. A step never refuses a file:
//! where it finds something else than it looks for, it leaves it to the reader of the classes.

mod devices;
mod edge;
mod forms;
mod lists;
mod old;
mod patterns;
mod providers;
mod sources;
mod told;
mod units;
mod words;

use self::told::Told;
use super::tree::{Json, Map};

/// A step from one version to the next.
type Step = fn(&mut Map, &mut Told);

/// The steps, each with the first version that needs it no more.
const STEPS: [(u64, Step); 23] = [
    (11, old::rename_hardware),
    (11, forms::convert),
    (11, old::begin_edge),
    (27, old::rename_utilization_rate),
    (12, edge::rename_computers),
    (13, edge::make_functions),
    (13, units::count_workloads),
    (15, edge::rename_needs),
    (15, edge::connect),
    (16, providers::end_web_applications),
    (16, providers::move_to_providers),
    (17, devices::end_negative_data),
    (17, devices::end_storage_power),
    (17, devices::tell_storage_needs),
    (18, units::store),
    (19, devices::count_units),
    (20, units::tell_apart),
    (21, sources::gather),
    (22, lists::weigh),
    (24, patterns::list_journeys),
    (25, words::rename),
    (26, providers::replace_resolutions),
    (27, edge::make_parts),
];

/// Converts a file of that major version, and tells what changed.
pub(super) fn upgrade(file: &mut Map, major: u64) -> Vec<String> {
    let mut told = Told::default();
    for (version, step) in STEPS {
        if major < version {
            step(file, &mut told);
        }
    }
    providers::make_servers(file, &mut told);
    told.remarks(major)
}

/// Blocks that are no classes any more.
pub(super) const BLOCKS: [&str; 7] = [
    "Hardware",
    "EdgeProcess",
    "WebApplication",
    "WebApplicationJob",
    "GenAIModel",
    "GenAIJob",
    "UsagePatternFromForm",
];

/// Attributes that are inputs of no class any more.
pub(super) const ATTRIBUTES: [&str; 29] = [
    "id",
    "name",
    "server_utilization_rate",
    "edge_processes",
    "edge_computer",
    "recurrent_edge_resource_needs",
    "usage_journey",
    "hourly_usage_journey_starts",
    "edge_usage_journey",
    "hourly_edge_usage_journey_starts",
    "power",
    "idle_power",
    "compute",
    "ram",
    "storage_capacity",
    "carbon_footprint_manufacturing",
    "carbon_footprint_manufacturing_per_storage_capacity_per_unit",
    "power_per_storage_capacity",
    "country_mix",
    "device_mix",
    "network_mix",
    "start_date",
    "modeling_duration_value",
    "modeling_duration_unit",
    "initial_usage_journey_volume",
    "initial_usage_journey_volume_timespan",
    "net_growth_rate_in_percentage",
    "net_growth_rate_timespan",
    "edge_device",
];

/// A value that a step makes.
fn made(value: impl Into<Json>, unit: Option<&str>, label: &str) -> Json {
    let mut map = Map::default();
    map.set("value", value);
    if let Some(unit) = unit {
        map.set("unit", unit);
    }
    map.set("label", label);
    map.set("source", "hypothesis");
    Json::Map(map)
}

/// An amount that a step makes, with the label that the reference gives it.
fn amount(value: f64, unit: &str) -> Json {
    made(value, Some(unit), "unnamed source")
}

/// Gives an attribute of all objects of some classes a new name.
fn rename_attribute(file: &mut Map, classes: &[&str], from: &str, to: &str) {
    for (_, object) in file.objects_mut(classes) {
        object.rename(from, to);
    }
}

/// Puts the objects of a block into that of another name.
fn rename_block(file: &mut Map, from: &str, to: &str) {
    let Some(block) = file.remove(from) else {
        return;
    };
    match (file.get_mut(to), block) {
        (Some(Json::Map(own)), Json::Map(more)) => own.0.extend(more.0),
        (_, block) => file.0.push((to.into(), block)),
    }
}

/// Adds an object that a step makes.
fn add_object(file: &mut Map, class: &str, id: &str, name: &str, attributes: Map) {
    let mut object = Map::default();
    object.set("name", name);
    object.set("id", id);
    object.0.extend(attributes.0);
    if let Some(block) = file.map_at(class) {
        block.0.push((id.into(), Json::Map(object)));
    }
}
