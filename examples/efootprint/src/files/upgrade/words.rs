//! 24 → 25: manufacturing and use, where it was fabrication and energy.

use super::super::tree::{Json, Map};
use super::told::Told;

const WORDS: [(&str, &str); 5] = [
    ("fabrication", "manufacturing"),
    ("Fabrication", "Manufacturing"),
    ("FABRICATION", "MANUFACTURING"),
    ("energy_footprint", "use_footprint"),
    ("Energy footprint", "Use footprint"),
];

/// Exchanges the words everywhere, in names and ids too: what refers to them has them as well.
pub(super) fn rename(file: &mut Map, _: &mut Told) {
    rename_in(file);
}

fn rename_in(map: &mut Map) {
    for (key, value) in &mut map.0 {
        exchange(key);
        // Hours are no words, and long.
        if !matches!(&**key, "compressed_values" | "recurring_values") {
            rename_value(value);
        }
    }
}

fn rename_value(value: &mut Json) {
    match value {
        Json::Text(text) => exchange(text),
        Json::List(list) => list.iter_mut().for_each(rename_value),
        Json::Map(map) => rename_in(map),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Series(_) => {}
    }
}

fn exchange(text: &mut Box<str>) {
    for (from, to) in WORDS {
        if text.contains(from) {
            *text = text.replace(from, to).into();
        }
    }
}
