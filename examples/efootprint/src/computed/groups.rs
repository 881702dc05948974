//! The order in which objects are computed.

use crate::classes::{AnyEdgeDevice, AnyJob, AnyServer, Emitter, Engine, System};
use crate::engine::At;
use crate::objects::{Ref, is_a};

/// The objects in groups that are best computed one by one, and in an order in which groups
/// find what they need of others: servers with their jobs, devices with their components and
/// what is asked of those, then what is left, then systems.
pub(super) fn groups(engine: &Engine) -> Vec<Vec<usize>> {
    let servers = engine.all::<AnyServer>().map(|server| {
        let jobs = server.jobs().map(At::index);
        jobs.chain([server.index(), server.storage().index()])
            .collect::<Vec<_>>()
    });
    let devices = engine.all::<AnyEdgeDevice>();
    let devices = devices.map(|device| Emitter::EdgeDevice(device).with_parts());
    let others = 0..engine.model().objects.len();
    let is_system = |place: &usize| is_a::<System>(&engine.model().objects[*place]);
    let (systems, others): (Vec<_>, Vec<_>) = others.partition(is_system);
    let others = others.into_iter().map(|place| vec![place]);
    let mut seen = vec![false; engine.model().objects.len()];
    let mut groups: Vec<_> = servers
        .chain(devices)
        .chain(others)
        .chain([systems])
        .collect();
    for group in &mut groups {
        group.retain(|&place| !std::mem::replace(&mut seen[place], true));
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Computes what is best computed now that the object's values are known.
pub(super) fn leave(engine: &Engine, place: usize) {
    if is_a::<AnyJob>(&engine.model().objects[place]) {
        // What is in the way is told where the network's values are asked for.
        engine.at(Ref::<AnyJob>::new(place as u32)).move_data().ok();
    }
}
