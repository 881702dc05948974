//! Flows from the system down to the objects that emit.

use std::collections::{BTreeMap, HashMap};

use super::options::Options;
use crate::attribution::Attribution;
use crate::classes::{AnyApi, AnyApiServer, Category, Column, Model, Phase};
use crate::objects::{Target, is_a};

/// What tells a node from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum NodeKey {
    System,
    Phase(Option<Phase>),
    Object(Column, u32, Option<Phase>),
    Category(Category, Option<Phase>),
    /// A part of a device, and the device.
    Component(u32, u32, Option<Phase>),
    Other(Column),
}

impl NodeKey {
    pub(super) fn column(self) -> Column {
        match self {
            Self::System => Column::System,
            Self::Phase(_) => Column::Phase,
            Self::Object(column, ..) | Self::Other(column) => column,
            Self::Category(..) => Column::Category,
            Self::Component(..) => Column::Component,
        }
    }

    pub(super) fn phase(self) -> Option<Phase> {
        match self {
            Self::System | Self::Other(_) => None,
            Self::Phase(phase)
            | Self::Object(_, _, phase)
            | Self::Category(_, phase)
            | Self::Component(_, _, phase) => phase,
        }
    }
}

/// Flows by where they lead from and to.
pub(super) type Flows = BTreeMap<(NodeKey, NodeKey), f64>;

/// Adds the flows of a phase.
pub(super) fn add_phase(
    model: &Model,
    attribution: &Attribution,
    options: &Options,
    phase: Phase,
    split_phases: bool,
    flows: &mut Flows,
) {
    let label = split_phases.then_some(phase);
    let top = if split_phases {
        NodeKey::Phase(label)
    } else {
        NodeKey::System
    };
    let mut add =
        |from: NodeKey, to: NodeKey, value: f64| *flows.entry((from, to)).or_default() += value;
    let mut of_source: HashMap<u32, f64> = HashMap::new();
    let mut parts: BTreeMap<(NodeKey, u32), f64> = BTreeMap::new();
    let rows = attribution.rows.iter().filter(|row| row.phase == phase);
    for row in rows {
        let source = emitter_of(model, row.source);
        if category_of(model, source).is_some_and(|category| options.exclude.contains(&category)) {
            continue;
        }
        *of_source.entry(source).or_default() += row.value;
        // From the source up to the country, what is shown.
        let mut finer: Option<NodeKey> = None;
        for object in row.chain().skip(1) {
            let column = model.objects[object as usize].class().column();
            let Some(column) = column.filter(|column| !options.skip.contains(column)) else {
                continue;
            };
            let key = NodeKey::Object(column, object, label);
            match finer {
                None => *parts.entry((key, source)).or_default() += row.value,
                Some(finer) => add(key, finer, row.value),
            }
            finer = Some(key);
        }
        match finer {
            None => *parts.entry((top, source)).or_default() += row.value,
            Some(finer) => add(top, finer, row.value),
        }
        if split_phases {
            add(NodeKey::System, top, row.value);
        }
    }
    for ((parent, source), value) in parts {
        let mut parent = parent;
        if let Some(category) = category_of(model, source)
            && !options.skip.contains(&Column::Category)
        {
            add(parent, NodeKey::Category(category, label), value);
            parent = NodeKey::Category(category, label);
        }
        if !options.skip.contains(&Column::Object) {
            let object = NodeKey::Object(Column::Object, source, label);
            add(parent, object, value);
            parent = object;
        }
        if options.skip.contains(&Column::Component) {
            continue;
        }
        let components = attribution.components.iter();
        for component in components.filter(|part| part.device == source && part.phase == phase) {
            let share = value / of_source[&source];
            add(
                parent,
                NodeKey::Component(source, component.component, label),
                component.value * share,
            );
        }
    }
    flows.retain(|_, value| *value > 0.0);
}

/// Makes one node of those in a column that are below the threshold, where there are several.
pub(super) fn gather_small(flows: &mut Flows, threshold: f64) {
    let mut values: BTreeMap<NodeKey, f64> = BTreeMap::new();
    for (&(_, to), value) in flows.iter() {
        *values.entry(to).or_default() += value;
    }
    let mut small: BTreeMap<Column, Vec<NodeKey>> = BTreeMap::new();
    for (key, value) in values {
        if value < threshold {
            small.entry(key.column()).or_default().push(key);
        }
    }
    small.retain(|_, keys| keys.len() > 1);
    let other = |key: NodeKey| {
        let gathered = small
            .get(&key.column())
            .is_some_and(|keys| keys.contains(&key));
        if gathered {
            NodeKey::Other(key.column())
        } else {
            key
        }
    };
    let mut gathered = Flows::new();
    for ((from, to), value) in std::mem::take(flows) {
        *gathered.entry((other(from), other(to))).or_default() += value;
    }
    *flows = gathered;
}

/// The object that is shown for a source: the API in the place of its server.
fn emitter_of(model: &Model, source: u32) -> u32 {
    if !is_a::<AnyApiServer>(&model.objects[source as usize]) {
        return source;
    }
    let mut apis = (0..).zip(&model.objects);
    let api = apis.find(|(place, object)| {
        AnyApi::find(*place, object).is_some_and(|api| api.server(model) == source as usize)
    });
    api.map_or(source, |(place, _)| place)
}

fn category_of(model: &Model, object: u32) -> Option<Category> {
    model.objects[object as usize].class().category()
}
