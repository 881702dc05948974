//! Devices in the field, counted.

use std::collections::HashMap;

use super::{AnyEdgeDevice, Object};
use crate::Model;
use crate::classes::declare::class;
use crate::engine::{At, attributes, computed};
use crate::objects::references::Weighted;
use crate::units::measure::NUMBER;
use crate::values::Weight;

class! {
    /// Devices and groups of them that are deployed together.
    EdgeDeviceGroup {
        sub_group_counts: Weighted<EdgeDeviceGroup, Weight>,
        edge_device_counts: Weighted<AnyEdgeDevice, Weight>,
    }
}

computed! {
    EdgeDeviceGroup: EDGE_DEVICE_GROUP;
}

attributes! {
    EDGE_DEVICE_GROUP of EdgeDeviceGroup {
        "E4.9" effective_nb_of_units_within_root [NUMBER]
            = "over the groups with this one: how many they have × how many of them there are; 1 at the top" =>
            |group| group.number();
        "E4.9" no_cycle_validation [NUMBER] = "no group is in itself, which is checked on loading" => |_| ();
    }
}

impl<'e> At<'e, EdgeDeviceGroup> {
    /// How many there are for one deployment.
    pub(crate) fn number(self) -> f64 {
        // Counted from the top down: by way of their parents, groups in groups would be asked for
        // twice as often on every level.
        let mut numbers: HashMap<usize, f64> = HashMap::new();
        let mut open = vec![self];
        while let Some(&group) = open.last() {
            let parents: Vec<_> = group.referrers::<EdgeDeviceGroup>().collect();
            let unknown = parents
                .iter()
                .find(|parent| !numbers.contains_key(&parent.index()));
            if let Some(&unknown) = unknown {
                open.push(unknown);
                continue;
            }
            let in_parents = parents.iter().map(|parent| {
                let counts = parent.get().sub_group_counts.iter();
                let counts = counts.filter(|(sub_group, _)| group.at(*sub_group) == group);
                counts.map(|(_, count)| count.number()).sum::<f64>() * numbers[&parent.index()]
            });
            let number = if parents.is_empty() {
                1.0
            } else {
                in_parents.sum()
            };
            numbers.insert(group.index(), number);
            open.pop();
        }
        numbers[&self.index()]
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
