//! 23 → 24: a pattern has several journeys.

use std::collections::HashMap;

use super::super::tree::{Json, Map};
use super::made;
use super::told::Told;

/// Makes lists of the one journey of each pattern.
pub(super) fn list_journeys(file: &mut Map, _: &mut Told) {
    for (_, pattern) in file.objects_mut(&["UsagePattern"]) {
        if let Some(Json::Text(journey)) = pattern.remove("usage_journey") {
            let once = made(
                1.0,
                Some("dimensionless"),
                "Journeys per pattern occurrence",
            );
            pattern.set("usage_journeys", Json::Map(Map(vec![(journey, once)])));
        }
        let (from, to) = ("hourly_usage_journey_starts", "hourly_occurrences");
        let label = "Hourly nb of pattern occurrences";
        rename_series(pattern, from, to, label);
    }
    let spans: HashMap<String, Json> = file
        .objects_mut(&["EdgeUsageJourney"])
        .filter_map(|(id, journey)| Some((id.to_owned(), journey.remove("usage_span")?)))
        .collect();
    for (_, pattern) in file.objects_mut(&["EdgeUsagePattern"]) {
        if let Some(Json::Text(journey)) = pattern.remove("edge_usage_journey") {
            if let Some(span) = spans.get(&*journey) {
                pattern.set("usage_span", span.clone());
            }
            pattern.set("edge_usage_journeys", Json::List(vec![Json::Text(journey)]));
        }
        let (from, to) = (
            "hourly_edge_usage_journey_starts",
            "hourly_deployment_starts",
        );
        rename_series(pattern, from, to, "Hourly nb of deployment starts");
    }
}

/// A series of starts, whatever it was counted in.
fn rename_series(pattern: &mut Map, from: &str, to: &str, label: &str) {
    pattern.rename(from, to);
    if let Some(series) = pattern.get_mut(to).and_then(Json::as_map_mut) {
        series.set("label", label);
        series.set("unit", "occurrence");
    }
}
