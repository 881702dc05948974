//! Edits of a sound file, and the defect that each makes.

use efootprint::{Defect, DefectKind, ReadError, read};
use serde_json::{Value, json};

/// An edit of a sound file: the value to put at a place, or `None` to take it out.
pub(crate) type Edit = (&'static str, Option<Value>);

pub(crate) fn edited(edits: impl IntoIterator<Item = Edit>) -> Value {
    let mut file: Value =
        serde_json::from_str(include_str!("../systems/mixed_example.json")).unwrap();
    for (place, value) in edits {
        let (parent, key) = place.rsplit_once('/').unwrap();
        let parent = file
            .pointer_mut(parent)
            .unwrap_or_else(|| panic!("no {parent}"));
        match (parent, value) {
            (Value::Object(map), Some(value)) => _ = map.insert(key.into(), value),
            (Value::Object(map), None) => assert!(map.remove(key).is_some(), "no {place}"),
            (parent, _) => panic!("{parent} is no object"),
        }
    }
    file
}

pub(crate) fn defect_of(file: &Value) -> Defect {
    match read(file.to_string().as_bytes()) {
        Err(ReadError::Invalid(defect)) => *defect,
        other => panic!("not refused as invalid: {other:?}"),
    }
}

pub(crate) fn defect(place: &'static str, value: Value) -> Defect {
    defect_of(&edited([(place, Some(value))]))
}

/// Asserts the sentence that follows when `value` stands at `place`, and that the defect names that
/// place.
#[track_caller]
pub(crate) fn refused(place: &'static str, value: Value, kind: DefectKind, message: &str) {
    let defect = defect(place, value);
    assert_eq!((defect.message.as_str(), defect.kind), (message, kind));
    let mut parts = place.split('/').skip(1);
    for (named, part) in [&defect.class, &defect.object, &defect.attribute]
        .into_iter()
        .zip(&mut parts)
    {
        assert_eq!(named.as_deref(), Some(part), "{defect:?}");
    }
}

#[track_caller]
pub(crate) fn accepted(edits: impl IntoIterator<Item = Edit>) {
    let file = edited(edits);
    if let Err(error) = read(file.to_string().as_bytes()) {
        panic!("{error}");
    }
}

pub(crate) fn scalar(value: Value, unit: &str) -> Value {
    json!({"value": value, "unit": unit, "label": "x"})
}

/// A file in which the text `from` reads `to`, for what a parsed document cannot hold.
pub(crate) fn replaced(from: &str, to: &str) -> Defect {
    let file = edited([]).to_string();
    assert!(file.contains(from), "no {from}");
    match read(file.replacen(from, to, 1).as_bytes()) {
        Err(ReadError::Invalid(defect)) => *defect,
        other => panic!("{other:?}"),
    }
}
