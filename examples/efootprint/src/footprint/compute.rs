//! Computing a footprint, group by group.

use std::collections::{BTreeMap, HashMap};

use super::groups::{Emitted, Group};
use super::{Footprint, Remark};
use crate::classes::{AnyApi, AnyServer, Category, Emitter, Engine, Phase, System, emitters, told};
use crate::engine::Failure;
use crate::series::{Hours, sum};

impl Footprint {
    /// Computes it.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`], and nothing else.
    pub fn of(engine: &Engine) -> Result<Self, Failure> {
        let mut footprint = Self {
            series: BTreeMap::new(),
            objects: Vec::new(),
            problems: Vec::new(),
            failure: None,
            remarks: Vec::new(),
            noticed: Vec::new(),
        };
        for system in engine.all::<System>() {
            if let Err(failure) = system.check_objects() {
                footprint.miss(failure);
            }
        }
        let emitters = emitters(engine);
        let (networks, others): (Vec<Emitter<'_>>, Vec<_>) = emitters
            .into_iter()
            .partition(|emitter| emitter.category() == Category::Network);
        // What jobs move over networks is computed together with what they ask of their servers.
        let mut moved: Vec<Result<Hours, Failure>> = networks.iter().map(|_| Ok(None)).collect();
        let mut groups: Vec<Group<'_>> = engine.all::<AnyServer>().map(Group::of_server).collect();
        groups.extend(engine.all::<AnyApi>().map(Group::of_api));
        let places = groups.iter().enumerate().map(|(i, group)| (group.place, i));
        let places: HashMap<usize, usize> = places.collect();
        for emitter in &others {
            match places.get(&emitter.group()) {
                Some(&group) => groups[group].emitters.push(*emitter),
                None => groups.push(Group::of(*emitter)),
            }
        }
        engine.for_all(
            &groups,
            |group| {
                let moved: Vec<_> = networks
                    .iter()
                    .map(|network| group.moves_over(network))
                    .collect();
                let emitted = group
                    .emitters
                    .iter()
                    .map(|emitter| Emitted::by(engine, *emitter));
                (moved, emitted.collect::<Vec<_>>())
            },
            |(more, emitted)| {
                moved
                    .iter_mut()
                    .zip(more)
                    .for_each(|(moved, more)| add_to(moved, more));
                emitted
                    .into_iter()
                    .try_for_each(|emitted| footprint.add(emitted))
            },
        )?;
        for (network, moved) in networks.iter().zip(moved) {
            let object = &engine.model().objects[network.index()];
            let of = [Ok(None), told(object, Phase::Use, moved)];
            footprint.add(Emitted {
                object,
                category: Category::Network,
                of,
                problems: Ok(Vec::new()),
            })?;
        }
        let mut looked_at = vec![false; engine.model().len()];
        for place in others.iter().flat_map(|emitter| emitter.with_parts()) {
            looked_at[place] = true;
        }
        let rest: Vec<_> = (0..engine.model().len())
            .filter(|&place| !looked_at[place])
            .collect();
        let look_at = |place: &usize| engine.problems_of(*place);
        engine.for_all(&rest, look_at, |problems| {
            footprint.noticed.extend(problems?);
            Ok::<_, Failure>(())
        })?;
        if footprint
            .series
            .values()
            .any(|series| !series.sum().is_finite())
        {
            footprint
                .series
                .retain(|_, series| series.sum().is_finite());
            footprint.miss(Failure::BeyondNumbers);
        }
        for emitter in &others {
            if let Emitter::Server(server) = emitter
                && let Some(detail) = server.idle_hours_remark()?
            {
                footprint.remarks.push(Remark {
                    object: Some(server.id().to_owned()),
                    detail,
                });
            }
        }
        footprint.remark(engine.model());
        footprint
            .objects
            .sort_by(|a, b| (a.category, &a.name).cmp(&(b.category, &b.name)));
        Ok(footprint)
    }
}

/// Adds to a sum, unless something is in the way of it.
fn add_to(total: &mut Result<Hours, Failure>, more: Result<Hours, Failure>) {
    let so_far = std::mem::replace(total, Ok(None));
    *total = so_far.and_then(|so_far| sum([Ok(so_far), more]));
}
