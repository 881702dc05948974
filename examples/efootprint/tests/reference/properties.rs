//! What holds for every system.

use std::collections::BTreeMap;
use std::sync::Arc;

use efootprint::{
    Attribution, Cancel, Engine, Failure, Value as Computed,
    classes::Class,
    footprint::{Category, Footprint, Phase, Step},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::expected::{system, systems};

fn engine(system: &str) -> Engine {
    let model = efootprint::read(system.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    Engine::new(Arc::new(model), Cancel::default()).unwrap()
}

fn footprint(system: &str) -> Footprint {
    let footprint = Footprint::of(&engine(system)).unwrap();
    assert_eq!(footprint.problems, []);
    footprint
}

/// A system of the tests, with other patterns of use.
fn mixed(starts: &[u16], date: &str, zone: &str) -> Value {
    let mut system: Value = serde_json::from_slice(&system("mixed_example")).unwrap();
    for (class, id, attribute) in [
        ("UsagePattern", "UP", "hourly_occurrences"),
        ("EdgeUsagePattern", "EUP", "hourly_deployment_starts"),
    ] {
        system[class][id][attribute] = json!({
            "values": starts, "unit": "occurrence", "start_date": date, "label": "starts",
        });
    }
    for country in system["Country"].as_object_mut().unwrap().values_mut() {
        country["timezone"] = json!({"zone": zone, "label": "zone"});
    }
    system
}

/// Makes servers take just what is asked of them, so that nothing is rounded up.
fn serverless(system: &mut Value) {
    for class in ["Server", "BoaviztaCloudServer"] {
        for server in system[class].as_object_mut().unwrap().values_mut() {
            server["server_type"] = json!({"value": "serverless", "label": "type"});
        }
    }
    for storage in system["Storage"].as_object_mut().unwrap().values_mut() {
        storage["base_storage_need"]["value"] = json!(0.0);
    }
}

/// The parts of a footprint.
fn parts(footprint: &Footprint) -> Vec<f64> {
    let parts = Category::ALL
        .into_iter()
        .flat_map(|category| Phase::ALL.map(|phase| footprint.part(category, phase)));
    parts.collect()
}

fn assert_close(a: &[f64], b: &[f64]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-5 * b.abs() + 1e-9, "{a} is not {b}");
    }
}

/// The same file with its classes, and the objects of each, in another order.
fn reordered(system: &Value, seed: usize) -> String {
    fn rotated(object: &Map<String, Value>, by: usize) -> Vec<(&String, &Value)> {
        let mut entries: Vec<_> = object.iter().collect();
        let by = by % entries.len().max(1);
        entries.rotate_left(by);
        if seed_is_odd(by) {
            entries.reverse();
        }
        entries
    }
    fn seed_is_odd(seed: usize) -> bool {
        seed % 2 == 1
    }
    let classes = rotated(system.as_object().unwrap(), seed)
        .into_iter()
        .map(|(class, block)| {
            let block = match block {
                Value::Object(objects) => {
                    let objects = rotated(objects, seed / 7).into_iter();
                    let objects: Vec<_> = objects
                        .map(|(id, object)| format!("{}:{object}", json!(id)))
                        .collect();
                    format!("{{{}}}", objects.join(","))
                }
                other => other.to_string(),
            };
            format!("{}:{block}", json!(class))
        });
    format!("{{{}}}", classes.collect::<Vec<_>>().join(","))
}

fn starts() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(0..50_u16, 1..100).prop_filter("somebody has to come", |starts| {
        starts.iter().any(|&starts| starts > 0)
    })
}

fn zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "UTC",
        "Europe/Paris",
        "America/New_York",
        "Asia/Kathmandu",
        "Pacific/Kiritimati",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn twice_the_use_is_twice_the_footprint_where_nothing_is_rounded_up(starts in starts(), zone in zone()) {
        let mut system = mixed(&starts, "2025-03-03", zone);
        serverless(&mut system);
        let once = parts(&footprint(&system.to_string()));
        let doubled: Vec<u16> = starts.iter().map(|starts| starts * 2).collect();
        let mut system = mixed(&doubled, "2025-03-03", zone);
        serverless(&mut system);
        let twice = parts(&footprint(&system.to_string()));
        let expected: Vec<f64> = once.iter().map(|kg| kg * 2.0).collect();
        assert_close(&twice, &expected);
    }

    #[test]
    fn weeks_later_the_same_is_emitted_weeks_later(starts in starts(), weeks in 0..200_i64) {
        let date = |weeks: i64| {
            let first = jiff::civil::date(2025, 3, 3);
            (first + jiff::Span::new().weeks(weeks)).to_string()
        };
        let sooner = footprint(&mixed(&starts, &date(0), "UTC").to_string());
        let later = footprint(&mixed(&starts, &date(weeks), "UTC").to_string());
        assert_close(&parts(&later), &parts(&sooner));
        let hours = |footprint: &Footprint| -> Vec<f64> {
            let series = footprint.over_time(Step::Hour).series;
            series.into_iter().flat_map(|series| series.values).collect()
        };
        assert_close(&hours(&later), &hours(&sooner));
        let begins = |footprint: &Footprint| footprint.period().unwrap().0;
        prop_assert_eq!(begins(&later), begins(&sooner) + jiff::Span::new().weeks(weeks));
    }

    #[test]
    fn the_order_of_the_file_changes_nothing(starts in starts(), zone in zone(), seed in 0..1000_usize) {
        let system = mixed(&starts, "2025-03-03", zone);
        let one = footprint(&system.to_string());
        let other = footprint(&reordered(&system, seed));
        assert_close(&parts(&other), &parts(&one));
        let objects = |footprint: &Footprint| -> BTreeMap<String, Vec<f64>> {
            let objects = footprint.objects.iter();
            objects.map(|object| (object.id.clone(), vec![object.manufacturing.unwrap(), object.r#use.unwrap()])).collect()
        };
        let (one, other) = (objects(&one), objects(&other));
        prop_assert!(one.keys().eq(other.keys()));
        for (id, parts) in &one {
            assert_close(&other[id], parts);
        }
    }

    #[test]
    fn what_is_split_is_what_there_is(
        starts in starts(),
        zone in zone(),
        kind in prop::sample::select(vec!["autoscaling", "on-premise", "serverless"]),
    ) {
        let mut system = mixed(&starts, "2025-03-03", zone);
        for class in ["Server", "BoaviztaCloudServer"] {
            for server in system[class].as_object_mut().unwrap().values_mut() {
                server["server_type"] = json!({"value": kind, "label": "type"});
            }
        }
        let engine = engine(&system.to_string());
        let footprint = Footprint::of(&engine).unwrap();
        let attribution = Attribution::of(&engine).unwrap();
        for phase in Phase::ALL {
            let rows = attribution.rows.iter().filter(|row| row.phase == phase);
            let split: f64 = rows.map(|row| row.value).sum();
            let whole: f64 = Category::ALL.map(|category| footprint.part(category, phase)).iter().sum();
            prop_assert!((split - whole).abs() <= 1e-4 * whole, "{:?}: {} of {}", phase, split, whole);
        }
    }
}

#[test]
fn more_instances_than_memory_has_places_for_are_split_all_the_same() {
    let mut system = mixed(&[0], "2025-01-01 00:00:00", "UTC");
    system["UsagePattern"]["UP"]["hourly_occurrences"]["values"] = json!([1e20, 3e20, 2e20, 0.0]);
    for server in system["Server"].as_object_mut().unwrap().values_mut() {
        server["server_type"] = json!({"value": "on-premise", "label": "type"});
    }
    system["EdgeUsagePattern"]["EUP"]["hourly_deployment_starts"]["values"] = json!([1]);
    let system = system.to_string();
    let attribution = Attribution::of(&engine(&system)).unwrap();
    assert!(!attribution.incomplete);
    let split: f64 = attribution.rows.iter().map(|row| row.value).sum();
    assert_close(&[split], &[footprint(&system).total()]);
}

#[test]
fn entries_end_with_the_computation_even_those_that_are_known() {
    let model = efootprint::read(&system("mixed_example")[..]).unwrap();
    let cancel = Cancel::default();
    let places = 0..model.len();
    let engine = Engine::new(Arc::new(model), cancel.clone()).unwrap();
    let mut attributes = places.flat_map(|place| engine.attributes(place));
    let several = attributes.find_map(|(_, asked)| match asked.compute() {
        Ok(Computed::Entries(entries)) => (entries.count() > 1).then_some(asked),
        _ => None,
    });
    // What has been computed once is known now.
    let asked = several.expect("an attribute with several entries");
    let Ok(Computed::Entries(mut entries)) = asked.compute() else {
        panic!("it had entries")
    };
    assert!(entries.next().is_some_and(|(_, value)| value.is_ok()));
    cancel.cancel();
    let cancelled = entries.next().map(|(_, value)| value.err());
    assert_eq!(cancelled, Some(Some(Failure::Cancelled)));
}

#[test]
fn what_is_kept_of_problems_counts_with_their_text() {
    let mut system = mixed(&[1], "2025-01-01 00:00:00", "UTC");
    system["Server"]["Srv"]["utilization_rate"]["value"] = json!(0.001);
    system["Server"]["Srv"]["name"] = json!("x".repeat(1 << 20));
    let footprint = Footprint::of(&engine(&system.to_string())).unwrap();
    assert!(!footprint.is_complete());
    // Among the objects, and in the problem by itself and within the sentence.
    assert!(footprint.size() > 3 << 20, "{}", footprint.size());
}

#[test]
fn an_object_is_counted_under_the_category_of_its_class() {
    for (name, file) in systems() {
        let footprint = footprint(std::str::from_utf8(&file).unwrap());
        assert!(!footprint.objects.is_empty());
        for object in &footprint.objects {
            let class = Class::from_name(object.class).unwrap();
            let (category, id) = (object.category, &object.id);
            assert_eq!(class.category(), Some(category), "{name}: {id}");
        }
    }
}
