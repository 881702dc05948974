//! 21 → 22: what is listed several times is listed once, with a count.

use super::super::tree::{Json, Map};
use super::made;
use super::told::{Change, Told};

const LISTS: [(&str, &str, &str); 3] = [
    ("UsageJourney", "uj_steps", "Times per journey"),
    ("UsageJourneyStep", "jobs", "Times per step"),
    ("RecurrentServerNeed", "jobs", "Times per occurrence"),
];

/// Makes counts of lists.
pub(super) fn weigh(file: &mut Map, told: &mut Told) {
    for (class, attribute, label) in LISTS {
        for (_, object) in file.objects_mut(&[class]) {
            let Some(Json::List(list)) = object.get_mut(attribute) else {
                continue;
            };
            let Some(counts) = counted(list) else {
                continue;
            };
            if counts.len() < list.len() {
                told.tell(Change::Repeat);
            }
            let weights = counts.into_iter();
            let weights = weights.map(|(id, count)| {
                let weight = made(f64::from(count), Some("dimensionless"), label);
                (id, weight)
            });
            object.set(attribute, Json::Map(Map(weights.collect())));
        }
    }
}

/// How often each id is listed, in the order in which they come first.
fn counted(list: &[Json]) -> Option<Vec<(Box<str>, u32)>> {
    let mut places = std::collections::HashMap::new();
    let mut counts: Vec<(Box<str>, u32)> = Vec::new();
    for id in list {
        let id = id.as_text()?;
        let place = *places.entry(id).or_insert(counts.len());
        match counts.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counts.push((id.into(), 1)),
        }
    }
    Some(counts)
}
