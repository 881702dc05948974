//! Flows of a footprint, from the system down to the objects that emit (sections E9.2 and E9.3).

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::attribution::Attribution;
use crate::classes::{AnyApi, AnyApiServer, Model};
pub use crate::classes::{Category, Column, Phase};
use crate::objects::{Target, is_a};

/// What a diagram shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Columns that are left out; flows pass through.
    pub skip: Vec<Column>,
    /// Categories that are left out, with their flows.
    pub exclude: Vec<Category>,
    /// The one phase that is shown, if it is one.
    pub phase: Option<Phase>,
    /// Nodes below this percentage of the total are drawn as one in their column.
    pub threshold: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            skip: Vec::new(),
            exclude: Vec::new(),
            phase: None,
            threshold: 1.0,
        }
    }
}

/// A diagram.
#[derive(Debug, Serialize)]
pub struct Sankey {
    /// In kg.
    pub total: f64,
    /// Whether it is that of all objects, none left out for a problem.
    pub complete: bool,
    /// What flows lead from and to.
    pub nodes: Vec<Node>,
    /// The flows.
    pub links: Vec<Link>,
}

/// A node of a diagram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Node {
    /// What people see.
    pub name: String,
    /// The column.
    pub column: Column,
    /// The object's id, where it is one.
    pub object: Option<String>,
    /// The phase, where it is of one.
    pub phase: Option<Phase>,
    /// In kg.
    pub value: f64,
}

/// A flow, from one node to another by their places in the list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Link {
    /// From where.
    pub source: usize,
    /// To where.
    pub target: usize,
    /// In kg.
    pub value: f64,
}

/// What tells a node from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    System,
    Phase(Option<Phase>),
    Object(Column, u32, Option<Phase>),
    Category(Category, Option<Phase>),
    /// A part of a device, and the device.
    Component(u32, u32, Option<Phase>),
    Other(Column),
}

impl Key {
    fn column(self) -> Column {
        match self {
            Self::System => Column::System,
            Self::Phase(_) => Column::Phase,
            Self::Object(column, ..) | Self::Other(column) => column,
            Self::Category(..) => Column::Category,
            Self::Component(..) => Column::Component,
        }
    }

    fn phase(self) -> Option<Phase> {
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
type Flows = BTreeMap<(Key, Key), f64>;

/// Draws a diagram of a model's footprint.
pub fn sankey(model: &Model, attribution: &Attribution, options: &Options) -> Sankey {
    let mut flows = Flows::new();
    let phases = match &options.phase {
        Some(phase) => std::slice::from_ref(phase),
        None => &Phase::ALL,
    };
    let split_phases = phases.len() > 1 && !options.skip.contains(&Column::Phase);
    for &phase in phases {
        add_phase(model, attribution, options, phase, split_phases, &mut flows);
    }
    let system = options.skip.contains(&Column::System);
    let total = flows
        .iter()
        .filter(|((from, _), _)| *from == Key::System)
        .map(|(_, value)| value)
        .sum();
    gather_small(&mut flows, total * options.threshold / 100.0);
    if system {
        flows.retain(|(from, _), _| *from != Key::System);
    }
    draw(model, flows, total, !attribution.incomplete)
}

/// Adds the flows of a phase.
fn add_phase(
    model: &Model,
    attribution: &Attribution,
    options: &Options,
    phase: Phase,
    split_phases: bool,
    flows: &mut Flows,
) {
    let label = split_phases.then_some(phase);
    let top = if split_phases {
        Key::Phase(label)
    } else {
        Key::System
    };
    let mut add = |from: Key, to: Key, value: f64| *flows.entry((from, to)).or_default() += value;
    let mut of_source: HashMap<u32, f64> = HashMap::new();
    let mut parts: BTreeMap<(Key, u32), f64> = BTreeMap::new();
    let rows = attribution.rows.iter().filter(|row| row.phase == phase);
    for row in rows {
        let source = emitter_of(model, row.source);
        if category_of(model, source).is_some_and(|category| options.exclude.contains(&category)) {
            continue;
        }
        *of_source.entry(source).or_default() += row.value;
        // From the source up to the country, what is shown.
        let mut finer: Option<Key> = None;
        for object in row.chain().skip(1) {
            let column = model.objects[object as usize].class().column();
            let Some(column) = column.filter(|column| !options.skip.contains(column)) else {
                continue;
            };
            let key = Key::Object(column, object, label);
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
            add(Key::System, top, row.value);
        }
    }
    for ((parent, source), value) in parts {
        let mut parent = parent;
        if let Some(category) = category_of(model, source)
            && !options.skip.contains(&Column::Category)
        {
            add(parent, Key::Category(category, label), value);
            parent = Key::Category(category, label);
        }
        if !options.skip.contains(&Column::Object) {
            let object = Key::Object(Column::Object, source, label);
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
                Key::Component(source, component.component, label),
                component.value * share,
            );
        }
    }
    flows.retain(|_, value| *value > 0.0);
}

/// Makes one node of those in a column that are below the threshold, where there are several.
fn gather_small(flows: &mut Flows, threshold: f64) {
    let mut values: BTreeMap<Key, f64> = BTreeMap::new();
    for (&(_, to), value) in flows.iter() {
        *values.entry(to).or_default() += value;
    }
    let mut small: BTreeMap<Column, Vec<Key>> = BTreeMap::new();
    for (key, value) in values {
        if value < threshold {
            small.entry(key.column()).or_default().push(key);
        }
    }
    small.retain(|_, keys| keys.len() > 1);
    let other = |key: Key| {
        let gathered = small
            .get(&key.column())
            .is_some_and(|keys| keys.contains(&key));
        if gathered {
            Key::Other(key.column())
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

fn draw(model: &Model, flows: Flows, total: f64, complete: bool) -> Sankey {
    let mut keys: Vec<Key> = flows.keys().flat_map(|&(from, to)| [from, to]).collect();
    keys.sort_unstable_by_key(|&key| (key.column(), key));
    keys.dedup();
    let places: HashMap<Key, usize> = keys.iter().enumerate().map(|(i, &key)| (key, i)).collect();
    let (mut into, mut out) = (vec![0.0; keys.len()], vec![0.0; keys.len()]);
    for ((from, to), value) in &flows {
        out[places[from]] += value;
        into[places[to]] += value;
    }
    let nodes = keys.iter().enumerate().map(|(i, &key)| Node {
        name: name_of(model, key),
        column: key.column(),
        object: match key {
            Key::Object(_, object, _) | Key::Component(_, object, _) => {
                Some(model.objects[object as usize].id().to_owned())
            }
            _ => None,
        },
        phase: key.phase(),
        value: f64::max(into[i], out[i]),
    });
    let nodes = nodes.collect();
    let links = flows.iter().map(|((from, to), &value)| Link {
        source: places[from],
        target: places[to],
        value,
    });
    Sankey {
        total,
        complete,
        nodes,
        links: links.collect(),
    }
}

fn name_of(model: &Model, key: Key) -> String {
    match key {
        Key::System => model.name().to_owned(),
        Key::Phase(phase) => phase.map_or_else(String::new, |phase| format!("{phase:?}")),
        Key::Object(_, object, _) | Key::Component(_, object, _) => {
            model.objects[object as usize].name().to_owned()
        }
        Key::Category(category, phase) => {
            let phase = phase.map(|phase| format!(" {phase:?}").to_lowercase());
            format!("{category:?}{}", phase.unwrap_or_default())
        }
        Key::Other(_) => "Other".to_owned(),
    }
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
