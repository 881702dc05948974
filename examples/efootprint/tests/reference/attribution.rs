//! Attribution of a footprint, against the reference implementation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::expected::{read_expected, system, systems};
use efootprint::{
    Attribution, Cancel, Engine, Row,
    diagram::{Options, sankey},
    footprint::{Category, Footprint, Phase},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Full {
    totals_kg: BTreeMap<String, BTreeMap<String, f64>>,
    attribution_rows: Vec<ExpectedRow>,
    sankey_default: ExpectedSankey,
}

#[derive(Deserialize)]
struct ExpectedRow {
    source: String,
    stream: String,
    phase: String,
    up: String,
    journey: String,
    value: f64,
    job: Option<String>,
    step: Option<String>,
    rsn: Option<String>,
    ef: Option<String>,
    redn: Option<String>,
    recn: Option<String>,
}

#[derive(Deserialize)]
struct ExpectedSankey {
    total_kg: f64,
    links: Vec<ExpectedLink>,
}

#[derive(Deserialize)]
struct ExpectedLink {
    from: String,
    to: String,
    kg: f64,
}

fn engine(file: &[u8]) -> Engine {
    Engine::new(Arc::new(efootprint::read(file).unwrap()), Cancel::default()).unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-5 * b.abs() + 1e-12
}

/// What a row is about, and its value; rows about the same are one.
fn by_way(rows: impl IntoIterator<Item = (Vec<String>, f64)>) -> BTreeMap<Vec<String>, f64> {
    let mut ways = BTreeMap::new();
    for (way, value) in rows {
        *ways.entry(way).or_insert(0.0) += value;
    }
    ways.retain(|_, value| *value != 0.0);
    ways
}

fn way_of(engine: &Engine, row: &Row) -> Vec<String> {
    let ids: Vec<_> = engine.model().objects().map(|object| object.id()).collect();
    let country = 1;
    let chain: Vec<_> = row
        .chain()
        .map(|place| ids[place as usize].to_owned())
        .collect();
    let chain = &chain[..chain.len() - country];
    let kind = format!("{:?} {:?}", row.stream, row.phase).to_lowercase();
    [&[kind], chain].concat()
}

#[test]
fn the_parts_of_a_footprint_are_those_of_the_reference() {
    for name in ["edge_worked_example", "mixed_example"] {
        let full: Full = read_expected(&format!("{name}.full.json"));
        let engine = engine(&system(name));
        let attribution = Attribution::of(&engine).unwrap();
        let rows = attribution
            .rows
            .iter()
            .map(|row| (way_of(&engine, row), row.value));
        let (rows, expected) = (
            by_way(rows),
            by_way(full.attribution_rows.into_iter().map(|row| {
                let kind = format!("{} {}", row.stream, row.phase.to_lowercase());
                let between = [row.job, row.recn, row.rsn, row.redn, row.ef, row.step];
                let chain = [kind, row.source]
                    .into_iter()
                    .chain(between.into_iter().flatten());
                (chain.chain([row.journey, row.up]).collect(), row.value)
            })),
        );
        assert!(
            rows.keys().eq(expected.keys()),
            "{name}: {rows:#?} instead of {expected:#?}"
        );
        for (way, value) in expected {
            assert!(
                close(rows[&way], value),
                "{name}: {way:?}: {} instead of {value}",
                rows[&way]
            );
        }
    }
}

#[test]
fn totals_by_category_and_phase_are_those_of_the_reference() {
    for name in ["edge_worked_example", "mixed_example"] {
        let full: Full = read_expected(&format!("{name}.full.json"));
        let footprint = Footprint::of(&engine(&system(name))).unwrap();
        for category in Category::ALL {
            for phase in Phase::ALL {
                let expected = full.totals_kg[&format!("{phase:?}")][&format!("{category:?}")];
                let part = footprint.part(category, phase);
                assert!(
                    close(part, expected),
                    "{name}: {category:?} {phase:?}: {part} instead of {expected}"
                );
            }
        }
    }
}

#[test]
fn the_flows_of_the_diagram_are_those_of_the_reference() {
    for name in ["edge_worked_example", "mixed_example"] {
        let full: Full = read_expected(&format!("{name}.full.json"));
        let engine = engine(&system(name));
        let attribution = Attribution::of(&engine).unwrap();
        let options = Options {
            threshold: 0.0,
            ..Options::default()
        };
        let diagram = sankey(engine.model(), &attribution, &options);
        assert!(
            close(diagram.total, full.sankey_default.total_kg),
            "{name}: {}",
            diagram.total
        );
        let name_of = |object: &str| {
            engine
                .model()
                .object(object)
                .map_or(object, |object| object.name())
                .to_owned()
        };
        let links = diagram.links.iter().map(|link| {
            let node = |place: usize| diagram.nodes[place].name.clone();
            (vec![node(link.source), node(link.target)], link.value)
        });
        let expected = full.sankey_default.links.into_iter();
        let expected = expected.map(|link| (vec![name_of(&link.from), name_of(&link.to)], link.kg));
        let (links, expected) = (by_way(links), by_way(expected));
        assert!(
            links.keys().eq(expected.keys()),
            "{name}: {links:#?} instead of {expected:#?}"
        );
        for (way, value) in expected {
            assert!(
                close(links[&way], value),
                "{name}: {way:?}: {} instead of {value}",
                links[&way]
            );
        }
    }
}

#[test]
fn the_parts_of_every_footprint_sum_to_it() {
    for (name, file) in systems() {
        let engine = engine(&file);
        let footprint = Footprint::of(&engine).unwrap();
        let attribution = Attribution::of(&engine).unwrap();
        let mut sums: BTreeMap<(u32, Phase), f64> = BTreeMap::new();
        for row in &attribution.rows {
            *sums.entry((row.source, row.phase)).or_default() += row.value;
        }
        let all: f64 = sums.values().sum();
        let total = footprint.total();
        assert!(
            (all - total).abs() <= 1e-5 * total,
            "{name}: {all} of {total}"
        );
        let ids: Vec<_> = engine
            .model()
            .objects()
            .map(|object| object.id().to_owned())
            .collect();
        for object in &footprint.objects {
            if object.category == Category::ExternalAPIs {
                continue; // Its server bears the footprint.
            }
            let place = ids.iter().position(|id| *id == object.id).unwrap() as u32;
            for (phase, of) in Phase::ALL
                .into_iter()
                .zip([object.manufacturing, object.r#use])
            {
                let (sum, of) = (
                    sums.get(&(place, phase)).copied().unwrap_or(0.0),
                    of.unwrap(),
                );
                assert!(
                    (sum - of).abs() <= 1e-4 * of + 1e-9,
                    "{name}: {} {phase:?}: {sum} of {of}",
                    object.name
                );
            }
        }
    }
}

#[test]
fn a_diagram_loses_nothing_between_its_columns() {
    for (name, file) in systems() {
        let engine = engine(&file);
        let attribution = Attribution::of(&engine).unwrap();
        for threshold in [0.0, 1.0, 5.0] {
            let options = Options {
                threshold,
                ..Options::default()
            };
            let diagram = sankey(engine.model(), &attribution, &options);
            let mut balance = vec![0.0; diagram.nodes.len()];
            for link in &diagram.links {
                balance[link.source] -= link.value;
                balance[link.target] += link.value;
            }
            for (node, balance) in diagram.nodes.iter().zip(balance) {
                let inside = node.column > efootprint::diagram::Column::System
                    && node.column < efootprint::diagram::Column::Object;
                assert!(
                    !inside || balance.abs() <= 1e-6 * diagram.total,
                    "{name}: {node:?} is off by {balance}"
                );
            }
        }
    }
}
