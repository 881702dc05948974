//! Values that nobody thought of: read, written and read again.

#![allow(clippy::unwrap_used)]

use efootprint::classes::Object;
use efootprint::{Model, read};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The worked example with one attribute exchanged, read and compared with itself after writing.
fn read_and_write(class: &str, attribute: &str, value: &Value) -> Model {
    let mut file: Value =
        serde_json::from_str(include_str!("systems/edge_worked_example.json")).unwrap();
    let (_, object) = file[class]
        .as_object_mut()
        .unwrap()
        .iter_mut()
        .next()
        .unwrap();
    object[attribute] = value.clone();
    let model =
        read(file.to_string().as_bytes()).unwrap_or_else(|error| panic!("{value}: {error}"));
    let mut written = Vec::new();
    model.write(&mut written).unwrap();
    assert!(
        read(&written[..]).unwrap() == model,
        "{value} differs after writing"
    );
    model
}

fn text() -> impl Strategy<Value = String> {
    "\\PC{1,20}|[\"\\\\\u{1}\n]{1,5}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn scalars_survive_writing(
        amount in prop::num::f64::NORMAL | prop::num::f64::ZERO,
        unit in prop::sample::select(vec!["W", "kilowatt", "J / s", "kWh/day", "5 mW", "GJ per year"]),
        label in text(),
        comment in prop::option::of(text()),
    ) {
        let value = json!({"value": amount, "unit": unit, "label": label, "comment": comment});
        let model = read_and_write("Server", "power", &value);
        let server = model.objects().find_map(|object| match object.object() {
            Object::Server(server) => Some(&**server),
            _ => None,
        });
        let power = &server.unwrap().power;
        prop_assert_eq!((power.value, power.unit.as_str(), &*power.note.label), (amount, unit, &*label));
    }

    #[test]
    fn hourly_series_survive_writing(
        values in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::ZERO, 1..200),
        (year, month, day, hour) in (1..9000i16, 1..13, 1..29, 0..24i8),
        utc: bool,
    ) {
        let value = json!({
            "values": values, "unit": "occurrence", "label": "x",
            "start_date": format!("{year:04}-{month:02}-{day:02} {hour:02}:00:00"),
            "timezone": utc.then_some("UTC"),
        });
        let model = read_and_write("EdgeUsagePattern", "hourly_deployment_starts", &value);
        let pattern = model.objects().find_map(|object| match object.object() {
            Object::EdgeUsagePattern(pattern) => Some(&**pattern),
            _ => None,
        });
        let starts = &pattern.unwrap().hourly_deployment_starts;
        prop_assert_eq!(&*starts.values, &values[..]);
        prop_assert_eq!((starts.start.year(), starts.start.hour()), (year, hour));
    }

    #[test]
    fn growth_forms_survive_writing(
        // Growth stays below what a 32-bit number holds.
        duration in 1.0..1000.0f64,
        volume in 0.0..1e12f64,
        rate in -100.0..100.0f64,
        (a, b) in (prop::sample::select(vec!["day", "month", "year"]), prop::sample::select(vec!["month", "year"])),
    ) {
        let value = json!({"label": "x", "form_inputs": {
            "start_date": "2025-01-01", "modeling_duration_value": duration, "modeling_duration_unit": "day",
            "initial_volume": volume, "initial_volume_timespan": a,
            "net_growth_rate_in_percentage": rate, "net_growth_rate_timespan": b,
        }});
        read_and_write("EdgeUsagePattern", "hourly_deployment_starts", &value);
    }

    #[test]
    fn weeks_survive_writing(values in prop::collection::vec(prop::num::f32::NORMAL, 168)) {
        let list = serde_json::to_string(&values).unwrap();
        let value = json!({"recurring_values": list, "unit": "GB_ram", "label": "x"});
        read_and_write("RecurrentEdgeProcess", "recurrent_ram_needed", &value);
    }

    #[test]
    fn weekly_patterns_survive_writing(
        profile_of_day in prop::collection::vec(0..4usize, 7),
        baseline in prop::num::f32::NORMAL,
        hours in prop::collection::btree_set(0..=24u8, 0..12),
    ) {
        let hours: Vec<_> = hours.into_iter().collect();
        let ranges: Vec<_> = hours
            .windows(2)
            .map(|pair| json!({"start": pair[0], "end": pair[1], "value": baseline / 2.0}))
            .collect();
        let profiles: Vec<_> = (0..4)
            .map(|profile| {
                let days: Vec<_> = (0..7).filter(|day| profile_of_day[*day] == profile).collect();
                json!({"name": format!("profile {profile}"), "days": days, "baseline": baseline, "ranges": ranges})
            })
            .collect();
        let value = json!({"form_inputs": {"unit": "GB_ram", "profiles": profiles}, "label": "x"});
        read_and_write("RecurrentEdgeProcess", "recurrent_ram_needed", &value);
    }
}
