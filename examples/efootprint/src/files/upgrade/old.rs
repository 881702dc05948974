//! What changed up to version 11.

use super::super::tree::{Json, Map};
use super::told::Told;
use super::{rename_attribute, rename_block};

/// 9 → 10: devices have their present name. What countries and jobs said of themselves besides is
/// no input, and was not even read.
pub(super) fn rename_hardware(file: &mut Map, _: &mut Told) {
    rename_block(file, "Hardware", "Device");
}

/// 10 → 11: systems may have deployments in the field.
pub(super) fn begin_edge(file: &mut Map, _: &mut Told) {
    for (_, system) in file.objects_mut(&["System"]) {
        system.set("edge_usage_patterns", Json::List(Vec::new()));
    }
}

/// 10 → 11, and some files that are later: the rate of servers has a shorter name.
pub(super) fn rename_utilization_rate(file: &mut Map, _: &mut Told) {
    let servers = ["Server", "GPUServer", "BoaviztaCloudServer"];
    rename_attribute(
        file,
        &servers,
        "server_utilization_rate",
        "utilization_rate",
    );
}
