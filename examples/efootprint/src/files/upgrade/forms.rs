//! Usage patterns that were forms, up to version 10.

use super::super::tree::{Json, Map};
use super::rename_block;
use super::told::{Change, Told};

/// What a form of today holds, and where an old pattern had it.
const INPUTS: [(&str, &str); 7] = [
    ("start_date", "start_date"),
    ("modeling_duration_value", "modeling_duration_value"),
    ("modeling_duration_unit", "modeling_duration_unit"),
    ("initial_volume", "initial_usage_journey_volume"),
    (
        "initial_volume_timespan",
        "initial_usage_journey_volume_timespan",
    ),
    (
        "net_growth_rate_in_percentage",
        "net_growth_rate_in_percentage",
    ),
    ("net_growth_rate_timespan", "net_growth_rate_timespan"),
];

/// Makes patterns of them, whose series is the form.
pub(super) fn convert(file: &mut Map, told: &mut Told) {
    for (_, pattern) in file.objects_mut(&["UsagePatternFromForm"]) {
        let mut form = Map::default();
        for (input, attribute) in INPUTS {
            let value = match pattern.remove(attribute) {
                Some(Json::Map(mut value)) => value.remove("value"),
                other => other,
            };
            if let Some(value) = value {
                form.set(input, value);
            }
        }
        let series = Json::from([
            ("form_inputs", Json::Map(form)),
            ("label", "Hourly usage journey starts".into()),
            ("source", "hypothesis".into()),
        ]);
        pattern.set("hourly_usage_journey_starts", series);
        told.tell(Change::Form);
    }
    rename_block(file, "UsagePatternFromForm", "UsagePattern");
}
