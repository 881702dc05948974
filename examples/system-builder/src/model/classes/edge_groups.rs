//! Devices in the field, counted.

use std::collections::HashMap;

use super::{AnyEdgeDevice, Object};
use crate::model::Model;
use crate::model::class::class;
use crate::model::relations::Weighted;
use crate::model::values::Weight;

class! {
    /// Devices and groups of them that are deployed together.
    EdgeDeviceGroup {
        sub_group_counts: Weighted<EdgeDeviceGroup, Weight>,
        edge_device_counts: Weighted<AnyEdgeDevice, Weight>,
    }
}

/// A group that is one of its own sub-groups, or of theirs.
pub(super) fn circular(model: &Model) -> Option<&Object> {
    let groups = || {
        model
            .objects
            .iter()
            .enumerate()
            .filter_map(|(place, object)| match object {
                Object::EdgeDeviceGroup(group) => Some((place, group)),
                _ => None,
            })
    };
    let mut parents: HashMap<usize, Vec<usize>> = HashMap::new();
    for (place, group) in groups() {
        for (sub_group, _) in group.sub_group_counts.iter() {
            parents.entry(sub_group.index()).or_default().push(place);
        }
    }
    // Groups whose sub-groups are all sound are sound, from those without sub-groups up; what is
    // left is not.
    let mut open: HashMap<_, _> = groups()
        .map(|(place, group)| (place, group.sub_group_counts.len()))
        .collect();
    let mut sound: Vec<_> = groups()
        .filter(|(_, group)| group.sub_group_counts.is_empty())
        .map(|(place, _)| place)
        .collect();
    while let Some(place) = sound.pop() {
        open.remove(&place);
        for parent in parents.get(&place).into_iter().flatten() {
            if let Some(count) = open.get_mut(parent) {
                *count -= 1;
                if *count == 0 {
                    sound.push(*parent);
                }
            }
        }
    }
    // Each of those has one of them below it, so that going down long enough ends in a circle.
    let mut place = *open.keys().min()?;
    for _ in 0..open.len() {
        let Object::EdgeDeviceGroup(group) = &model.objects[place] else {
            return None;
        };
        let mut below = group.sub_group_counts.iter().map(|(sub, _)| sub.index());
        place = below.find(|sub_group| open.contains_key(sub_group))?;
    }
    Some(&model.objects[place])
}
