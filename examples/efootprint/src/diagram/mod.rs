//! Flows of a footprint, from the system down to the objects that emit (sections E9.2 and E9.3).

mod flows;
mod options;

use std::collections::HashMap;

use serde::Serialize;

use self::flows::{Flows, NodeKey, add_phase, gather_small};
pub use self::options::Options;
use crate::attribution::Attribution;
use crate::classes::Model;
pub use crate::classes::{Category, Column, Phase};

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
        .filter(|((from, _), _)| *from == NodeKey::System)
        .map(|(_, value)| value)
        .sum();
    gather_small(&mut flows, total * options.threshold / 100.0);
    if system {
        flows.retain(|(from, _), _| *from != NodeKey::System);
    }
    draw(model, flows, total, !attribution.incomplete)
}

fn draw(model: &Model, flows: Flows, total: f64, complete: bool) -> Sankey {
    let mut keys: Vec<NodeKey> = flows.keys().flat_map(|&(from, to)| [from, to]).collect();
    keys.sort_unstable_by_key(|&key| (key.column(), key));
    keys.dedup();
    let places: HashMap<NodeKey, usize> =
        keys.iter().enumerate().map(|(i, &key)| (key, i)).collect();
    let (mut into, mut out) = (vec![0.0; keys.len()], vec![0.0; keys.len()]);
    for ((from, to), value) in &flows {
        out[places[from]] += value;
        into[places[to]] += value;
    }
    let nodes = keys.iter().enumerate().map(|(i, &key)| Node {
        name: name_of(model, key),
        column: key.column(),
        object: match key {
            NodeKey::Object(_, object, _) | NodeKey::Component(_, object, _) => {
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

fn name_of(model: &Model, key: NodeKey) -> String {
    match key {
        NodeKey::System => model.name().to_owned(),
        NodeKey::Phase(phase) => phase.map_or_else(String::new, |phase| format!("{phase:?}")),
        NodeKey::Object(_, object, _) | NodeKey::Component(_, object, _) => {
            model.objects[object as usize].name().to_owned()
        }
        NodeKey::Category(category, phase) => {
            let phase = phase.map(|phase| format!(" {phase:?}").to_lowercase());
            format!("{category:?}{}", phase.unwrap_or_default())
        }
        NodeKey::Other(_) => "Other".to_owned(),
    }
}
