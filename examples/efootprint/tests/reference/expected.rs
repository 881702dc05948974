//! What the reference implementation computes of the systems beside the tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) objects: BTreeMap<String, ExpectedObject>,
}

#[derive(Deserialize)]
pub(crate) struct ExpectedObject {
    pub(crate) class: String,
    pub(crate) attributes: BTreeMap<String, Value>,
}

/// Names and files of the systems.
pub(crate) fn systems() -> Vec<(String, Vec<u8>)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/systems");
    let files = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut systems: Vec<_> = files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    systems.sort();
    systems
}

pub(crate) fn system(name: &str) -> Vec<u8> {
    let of_name = systems().into_iter().find(|(of, _)| of == name);
    of_name.unwrap().1
}

pub(crate) fn read_expected<T: DeserializeOwned>(name: &str) -> T {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected");
    let file = fs::read(directory.join(format!("{name}.zst"))).unwrap();
    serde_json::from_slice(&zstd::decode_all(&*file).unwrap()).unwrap()
}

/// Names of attributes that follow from a number of instances that was rounded up: the reference's
/// noise may make it one more or less in an hour.
const CEILED: [&str; 6] = [
    "nb_of_instances",
    "instances_energy",
    "manufacturing_footprint",
    "use_footprint",
    "total_footprint",
    "raw_nb_of_instances",
];

fn close(got: &Value, want: f64, scale: f64, relative: f64) -> bool {
    let got = got.as_f64().unwrap_or(f64::NAN);
    (got - want).abs() <= relative * want.abs() + 1e-6 * scale
}

/// In what a computed value differs from the expected one.
pub(crate) fn difference(got: &Value, want: &Value, attribute: &str) -> Option<String> {
    // What the reference has and tells nothing of.
    if want.is_null() {
        return None;
    }
    if let Some(error) = got["error"].as_str() {
        return Some(error.to_owned());
    }
    for exact in ["kind", "unit", "start", "length"] {
        if want.get(exact).is_some() && got[exact] != want[exact] {
            return Some(format!("{exact} {}, expected {}", got[exact], want[exact]));
        }
    }
    let number = |key: &str| want[key].as_f64().unwrap();
    match want["kind"].as_str().unwrap() {
        "empty" => None,
        "dict" => {
            let (got, want) = (got["entries"].as_object()?, want["entries"].as_object()?);
            if !got.keys().eq(want.keys()) {
                return Some("other keys".to_owned());
            }
            let mut entries = want.iter();
            entries.find_map(|(key, want)| {
                Some(format!(
                    "[{key}] {}",
                    difference(&got[key], want, attribute)?
                ))
            })
        }
        "scalar" => {
            let value = number("value");
            let close = close(&got["value"], value, value.abs(), 1e-4);
            (!close).then(|| format!("{}, expected {value}", got["value"]))
        }
        _ => {
            let scale = number("max").abs().max(number("min").abs());
            let ceiled = CEILED.iter().any(|word| attribute.contains(word));
            let tolerance = if ceiled { 5e-3 } else { 1e-4 };
            if !close(&got["sum"], number("sum"), scale, tolerance) {
                return Some(format!("sum {}, expected {}", got["sum"], want["sum"]));
            }
            let probes = want["at"].as_object().unwrap();
            let wrong = probes.iter().filter(|(hour, value)| {
                !close(
                    &got["at"][hour.as_str()],
                    value.as_f64().unwrap(),
                    scale,
                    1e-4,
                )
            });
            let wrong: Vec<_> = wrong.collect();
            let allowed = if ceiled { probes.len() / 7 } else { 0 };
            let (hour, value) = wrong.first().filter(|_| wrong.len() > allowed)?;
            Some(format!(
                "hour {hour}: {}, expected {value}",
                got["at"][hour.as_str()]
            ))
        }
    }
}
