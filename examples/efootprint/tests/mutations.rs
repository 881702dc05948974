//! Damaged files: whatever happens to a system, the reader answers, with a model or with a
//! sentence.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use efootprint::{Model, ReadError, read};
use serde_json::{Value, json};

/// How many bytes of damaged files to read for each sound one; small files are damaged more often.
const BYTES: usize = if cfg!(debug_assertions) {
    1_000_000
} else {
    50_000_000
};

/// SplitMix64: the same damage in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// The systems, with plain weeks instead of long ones: what a file says is what gets damaged, not
/// its bulk.
fn systems() -> Vec<(String, Value)> {
    fn plain_weeks(value: &mut Value) {
        match value {
            Value::Object(map) => {
                if let Some(week) = map.get_mut("recurring_values") {
                    *week = Value::from(format!("[{}0]", "1,".repeat(167)));
                }
                map.values_mut().for_each(plain_weeks);
            }
            Value::Array(list) => list.iter_mut().for_each(plain_weeks),
            _ => {}
        }
    }

    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    // Older files too: they are converted, whatever is left of them.
    let folders = ["systems", "versions"].map(|folder| tests.join(folder));
    let files = folders.iter().flat_map(|folder| {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    let mut systems: Vec<_> = files
        .map(|path| {
            let mut system = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            plain_weeks(&mut system);
            (path.display().to_string(), system)
        })
        .collect();
    systems.sort_by(|(a, _), (b, _)| a.cmp(b));
    systems
}

fn check(file: &[u8]) {
    match read(file) {
        Ok(model) => assert!(read(&written(&model)[..]).unwrap() == model),
        Err(ReadError::Invalid(defect)) => {
            assert!(defect.message.ends_with(['.', '?']), "{}", defect.message);
            assert!(defect.message.len() < 2_000, "{}", defect.message);
        }
        Err(ReadError::Json { line, message, .. }) => assert!(line > 0 && !message.is_empty()),
        Err(error) => panic!("{error}"),
    }
}

fn written(model: &Model) -> Vec<u8> {
    let mut file = Vec::new();
    model.write(&mut file).unwrap();
    file
}

/// Damages every system with `damage`, as often as fits in [`BYTES`].
fn damage_all(seed: u64, mut damage: impl FnMut(&Value, &[u8], &mut Random) -> Vec<u8>) {
    let mut random = Random(seed);
    for (name, system) in systems() {
        let sound = system.to_string().into_bytes();
        let bytes = if name.contains("versions") {
            BYTES / 4
        } else {
            BYTES
        };
        for round in 0..bytes / sound.len() {
            let damaged = damage(&system, &sound, &mut random);
            let answer = std::panic::catch_unwind(|| check(&damaged));
            assert!(
                answer.is_ok(),
                "{name}, round {round}: {}",
                String::from_utf8_lossy(&damaged)
            );
        }
    }
}

#[test]
fn damaged_bytes_are_survived() {
    const TOKENS: [&str; 16] = [
        "{", "}", "[", "]", "\"", ",", ":", "null", "-1", "1e308", "1e999", "\\", "\\ud800",
        "\u{0}", "\u{feff}", "[[[[[[[[",
    ];

    damage_all(1, |_, sound, random| {
        let mut bytes = sound.to_vec();
        for _ in 0..=random.below(3) {
            let (at, other) = (random.below(bytes.len()), random.below(bytes.len()));
            match random.below(6) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.splice(at..at, random.one_of(&TOKENS).bytes())),
                3 => drop(bytes.drain(at..(at + random.below(40)).min(bytes.len()))),
                4 => bytes.swap(at, other),
                _ => {
                    let piece = bytes[at..(at + random.below(200)).min(bytes.len())].to_vec();
                    drop(bytes.splice(other..other, piece));
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes
    });
}

/// A random value inside `value`, and what holds it.
fn pick<'v>(value: &'v mut Value, random: &mut Random) -> &'v mut Value {
    let depth = 1 + random.below(6);
    let mut place = value;
    for _ in 0..depth {
        let children = match place {
            Value::Object(map) => map.len(),
            Value::Array(list) => list.len(),
            _ => 0,
        };
        if children == 0 {
            break;
        }
        let chosen = random.below(children);
        place = match place {
            Value::Object(map) => map.values_mut().nth(chosen).unwrap(),
            Value::Array(list) => &mut list[chosen],
            _ => unreachable!(),
        };
    }
    place
}

#[test]
fn damaged_values_are_survived() {
    damage_all(2, |system, _, random| {
        let mut file = system.clone();
        for _ in 0..=random.below(2) {
            let donor = pick(&mut system.clone(), random).clone();
            let place = pick(&mut file, random);
            *place = match random.below(14) {
                0 => donor,
                1 => Value::Null,
                2 => json!(random.one_of(&[-1.0, 0.0, 1e308, -1e-308, 1e39, 4e9, 0.5])),
                3 => json!(random.one_of(&[i64::MIN, i64::MAX, -1, 0, 1])),
                4 => json!(u64::MAX),
                5 => json!(random.one_of(&[
                    "",
                    " ",
                    "nan",
                    "-inf",
                    "1e400",
                    "UTC",
                    "2025-01-01",
                    "day",
                    "\u{0}",
                    "kg ** 99"
                ])),
                6 => json!("9".repeat(random.below(2_000))),
                7 => json!({}),
                8 => json!([]),
                9 => (0..random.below(200)).fold(json!(1), |inner, _| json!([inner])),
                10 => {
                    json!({"value": 1, "unit": random.one_of(&["", "kg", "hour", "occurrence", "GB_ram"]), "label": "x"})
                }
                11 => json!({"form_inputs": donor, "label": "x"}),
                12 => json!({"compressed_values": "KLUv/SAYwQAAAACAPwAAAEAAAEBAAACAQAAAoEAAAMBA",
                    "unit": "occurrence", "start_date": "9999-12-31", "label": "x"}),
                _ => Value::Bool(random.below(2) == 0),
            };
        }
        file.to_string().into_bytes()
    });
}

#[test]
fn damaged_keys_are_survived() {
    damage_all(3, |system, _, random| {
        let mut file = system.clone();
        for _ in 0..=random.below(2) {
            if let Value::Object(map) = pick(&mut file, random) {
                let keys: Vec<_> = map.keys().cloned().collect();
                if keys.is_empty() {
                    continue;
                }
                let key = random.one_of(&keys);
                let value = map.remove(&key).unwrap();
                match random.below(4) {
                    0 => {}
                    1 => _ = map.insert(random.one_of(&keys), value),
                    2 => _ = map.insert(key + "s", value),
                    _ => {
                        _ = map.insert(
                            random
                                .one_of(&["id", "label", "value", "form_inputs", ""])
                                .into(),
                            value,
                        )
                    }
                }
            }
        }
        file.to_string().into_bytes()
    });
}

#[test]
fn damaged_forms_are_survived() {
    let growth = json!({"start_date": "2025-01-01", "modeling_duration_value": 3, "modeling_duration_unit": "year",
        "initial_volume": 1800000, "initial_volume_timespan": "year",
        "net_growth_rate_in_percentage": 8, "net_growth_rate_timespan": "year"});
    let week = json!({"unit": "cpu_core", "profiles": [
        {"name": "week", "baseline": 0.1, "days": [0, 1, 2, 3, 4], "ranges": [{"start": 8, "end": 18, "value": 2}]},
        {"name": "weekend", "baseline": 0, "days": [5, 6], "ranges": []}]});
    let system: Value =
        serde_json::from_str(include_str!("systems/edge_worked_example.json")).unwrap();
    let length = system.to_string().len();
    let mut random = Random(4);
    for _ in 0..BYTES / length {
        let mut file = system.clone();
        for (class, attribute, form) in [
            ("EdgeUsagePattern", "hourly_deployment_starts", &growth),
            ("RecurrentEdgeProcess", "recurrent_compute_needed", &week),
        ] {
            let mut form = form.clone();
            for _ in 0..random.below(3) {
                *pick(&mut form, &mut random) = random.one_of(&[
                    json!(null),
                    json!(-1),
                    json!(25),
                    json!(1e30),
                    json!(0.001),
                    json!(-100),
                    json!("7"),
                    json!("month"),
                    json!([]),
                    json!([0, 0]),
                    json!({}),
                    json!("0001-01-01"),
                    json!("9999-12-31"),
                ]);
            }
            let (_, object) = file[class]
                .as_object_mut()
                .unwrap()
                .iter_mut()
                .next()
                .unwrap();
            object[attribute] = json!({"form_inputs": form, "label": "x"});
        }
        check(file.to_string().as_bytes());
    }
}
