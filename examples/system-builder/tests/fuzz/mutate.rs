//! Files that are wrong in ways nobody thought of.

// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use fastrand::Rng;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// The systems of the engine's tests, without the largest.
pub(crate) fn corpus() -> Vec<Value> {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    let mut files: Vec<_> = fs::read_dir(systems)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.metadata().unwrap().len() < 80_000)
        .collect();
    files.sort();
    let read = |path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    files.into_iter().map(read).collect()
}

/// Small files that stand for much: a form of 150 years, and patterns that are as far apart as dates go.
pub(crate) fn seeds() -> Vec<Value> {
    let file = include_str!("../../../efootprint/tests/systems/web-101.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let with = |patterns: &[(&str, f64)]| {
        let mut file = file.clone();
        let pattern = file["UsagePattern"]["a06b7bc5-d5f"].clone();
        file["UsagePattern"] = json!({});
        for (number, (start, years)) in patterns.iter().enumerate() {
            let id = format!("p{number}");
            let mut pattern = pattern.clone();
            pattern["id"] = json!(id);
            pattern["hourly_occurrences"] = json!({"label": "from a test", "form_inputs": {
                "start_date": start,
                "modeling_duration_value": years, "modeling_duration_unit": "year",
                "initial_volume": 1000, "initial_volume_timespan": "month",
                "net_growth_rate_in_percentage": 1, "net_growth_rate_timespan": "year",
            }});
            file["UsagePattern"][&id] = pattern;
        }
        let ids = (0..patterns.len()).map(|number| format!("p{number}"));
        file["System"]["a83979cd-f7e"]["usage_patterns"] = ids.collect();
        file
    };
    let mixed = include_str!("../../../efootprint/tests/systems/mixed_example.json");
    let mut mixed: Value = serde_json::from_str(mixed).unwrap();
    mixed["UsagePattern"]["UP"]["hourly_occurrences"]["start_date"] = json!("0001-01-02 00:00:00");
    mixed["EdgeUsagePattern"]["EUP"]["hourly_deployment_starts"]["start_date"] =
        json!("9990-01-01 00:00:00");
    vec![
        mixed,
        with(&[("2025-01-01", 150.0)]),
        with(&[("1950-01-01", 2.0), ("2140-01-01", 2.0)]),
        with(&[("0001-01-01", 1.0), ("9700-01-01", 1.0)]),
    ]
}

pub(crate) struct Mutator(Rng);

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    /// A file of the corpus that was changed in a few places, most often in its values.
    pub(crate) fn mutant(&mut self, corpus: &[Value]) -> Vec<u8> {
        let mut file = corpus[self.0.usize(..corpus.len())].clone();
        for _ in 0..self.0.usize(1..5) {
            self.change(&mut file);
        }
        let mut bytes = file.to_string().into_bytes();
        if self.0.u8(..) < 50 {
            self.damage(&mut bytes);
        }
        bytes
    }

    /// Changes one value, wherever it is.
    pub(crate) fn change(&mut self, file: &mut Value) {
        // Shallow places are few, and deep ones would nearly always be met otherwise.
        let depth = self.0.usize(1..7);
        let place = self.descend(file, depth);
        match self.0.u8(..8) {
            0 => remove_one(place, &mut self.0),
            1 => double_one(place, &mut self.0),
            2 => rename_one(place, &mut self.0),
            3 => swap_two(place, &mut self.0),
            _ => {
                let place = self.descend(place, 3);
                *place = self.odd(place);
            }
        }
    }

    /// Copies an object, and refers to the copy wherever a list refers to the object.
    pub(crate) fn grow(&mut self, file: &mut Value) {
        let class = self.0.choice(CLASSES).unwrap();
        let Some(id) = file.get(class).and_then(|of| key_of(of, &mut self.0)) else {
            return;
        };
        let copied = format!("{id}-{}", self.0.u32(..));
        let mut object = file[class][&id].clone();
        object["id"] = json!(copied);
        file[class][&copied] = object;
        refer(file, &id, &copied);
    }

    fn descend<'v>(&mut self, mut value: &'v mut Value, depth: usize) -> &'v mut Value {
        for _ in 0..depth {
            let length = value
                .as_object()
                .map(serde_json::Map::len)
                .or(value.as_array().map(Vec::len))
                .unwrap_or(0);
            if length == 0 {
                break;
            }
            let chosen = self.0.usize(..length);
            value = match value {
                Value::Object(members) => members.values_mut().nth(chosen).unwrap(),
                Value::Array(items) => &mut items[chosen],
                _ => break,
            };
        }
        value
    }

    /// Something in the place of a value, often of its kind.
    fn odd(&mut self, value: &Value) -> Value {
        let anything = self.0.u8(..5) == 0;
        let odd = match value {
            Value::Number(number) if !anything => {
                let number = number.as_f64().unwrap();
                vec![
                    json!(-number),
                    json!(0),
                    json!(number * 1e3),
                    json!(number * 1e-3),
                    json!(number * 1e9),
                    json!(1e300),
                    json!(1e-300),
                    json!(199),
                    json!(number + 0.5),
                ]
            }
            Value::String(text) if !anything => vec![
                json!(""),
                json!(text.repeat(3)),
                json!("2025-01-01"),
                json!("9999-12-31 23:00:00"),
                json!("0001-01-01"),
                json!("year"),
                json!("gigabyte"),
                json!("Pacific/Apia"),
                json!("\u{202e}\u{1b}[31m\r\n\0"),
                json!(text.chars().rev().collect::<String>()),
            ],
            _ => vec![
                json!(null),
                json!(true),
                json!([]),
                json!({}),
                json!([[[[]]]]),
                json!(-1),
                json!("text"),
                json!({"value": 1, "unit": "watt", "label": null}),
            ],
        };
        self.0.choice(odd).unwrap()
    }

    /// Bytes that were lost, doubled or changed on the way.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.0.usize(..bytes.len());
        match self.0.u8(..4) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << self.0.u8(..8),
            2 => {
                let end = (at + self.0.usize(1..200)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.insert(at, *b"\"{}[],:\\\0\xff".get(self.0.usize(..10)).unwrap()),
        }
    }
}

/// Classes whose objects others refer to in lists.
const CLASSES: [&str; 6] = [
    "UsagePattern",
    "EdgeUsagePattern",
    "UsageJourneyStep",
    "Job",
    "Device",
    "EdgeDevice",
];

fn refer(value: &mut Value, id: &str, copied: &str) {
    match value {
        Value::Array(items) if items.iter().any(|item| item == id) => items.push(json!(copied)),
        Value::Object(members) => {
            // How often, or how much, of each other object.
            if let Some(weight) = members.get(id).filter(|of| of.get("id").is_none()) {
                members.insert(copied.to_owned(), weight.clone());
            }
            members
                .values_mut()
                .for_each(|value| refer(value, id, copied));
        }
        _ => {}
    }
}

fn key_of(value: &Value, rng: &mut Rng) -> Option<String> {
    rng.choice(value.as_object()?.keys()).cloned()
}

fn remove_one(value: &mut Value, rng: &mut Rng) {
    if let Some(key) = key_of(value, rng) {
        value.as_object_mut().unwrap().remove(&key);
    } else if let Value::Array(items) = value {
        items.pop();
    }
}

/// Adds a copy under another name: an object of a class, or an entry of a form.
fn double_one(value: &mut Value, rng: &mut Rng) {
    if let Some(key) = key_of(value, rng) {
        let mut copy = value[&key].clone();
        let name = format!("{key}-{}", rng.u16(..));
        if copy.get("id").is_some() {
            copy["id"] = json!(name);
        }
        value[&name] = copy;
    } else if let Value::Array(items) = value {
        items.extend(items.first().cloned());
    }
}

fn rename_one(value: &mut Value, rng: &mut Rng) {
    if let Some(key) = key_of(value, rng) {
        let moved = value.as_object_mut().unwrap().remove(&key).unwrap();
        value[format!("{key}x")] = moved;
    }
}

fn swap_two(value: &mut Value, rng: &mut Rng) {
    if let (Some(one), Some(other)) = (key_of(value, rng), key_of(value, rng)) {
        let (a, b) = (value[&one].clone(), value[&other].clone());
        (value[&one], value[&other]) = (b, a);
    }
}
