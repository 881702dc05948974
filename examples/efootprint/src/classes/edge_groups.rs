//! Devices in the field, counted.

use std::collections::HashMap;

use super::AnyEdgeDevice;
use super::declare::{Answers, Category, Checks, Column, ModelOf, Tables, attributes, class};
use crate::engine::At;
use crate::error::{DefectKind, Fault};
use crate::objects::{AttributeFault, Target, Weighted};
use crate::units::measure::NUMBER;
use crate::values::Weight;

class! {
    /// Devices and groups of them that are deployed together.
    EdgeDeviceGroup {
        sub_group_counts: Weighted<EdgeDeviceGroup, Weight>,
        edge_device_counts: Weighted<AnyEdgeDevice, Weight>,
    }
}

impl Answers for EdgeDeviceGroup {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::all(check_circles);
    const TABLES: Tables<Self> = &[EDGE_DEVICE_GROUP];
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

/// Whether no group leads back to itself.
fn check_circles(
    model: &ModelOf<EdgeDeviceGroup>,
) -> Result<(), (&<EdgeDeviceGroup as Target>::Object, AttributeFault)> {
    match circular(model) {
        Some(place) => {
            let text = "leads back to a group it started from; take one of the sub-groups out";
            let fault = Fault::new(DefectKind::CircularReference, text);
            Err((&model.objects[place], ("sub_group_counts", fault)))
        }
        None => Ok(()),
    }
}

/// A group that is one of its own sub-groups, or of theirs: its place.
fn circular(model: &ModelOf<EdgeDeviceGroup>) -> Option<usize> {
    let group_at = |place: usize| EdgeDeviceGroup::find(place as u32, &model.objects[place]);
    let groups = || (0..model.len()).filter_map(|place| Some((place, group_at(place)?)));
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
        let mut below = group_at(place)?
            .sub_group_counts
            .iter()
            .map(|(sub, _)| sub.index());
        place = below.find(|sub_group| open.contains_key(sub_group))?;
    }
    Some(place)
}
