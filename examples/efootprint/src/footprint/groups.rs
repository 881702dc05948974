//! Objects that emit, in groups that are best computed together.

use std::sync::Arc;

use crate::classes::{AnyApi, AnyJob, AnyServer, Category, Emitter, Engine, Object, Phase};
use crate::engine::{At, Failure, Problem};
use crate::series::{Hours, sum};

/// Objects that are best computed together: a server with its jobs and its storage, or an API.
pub(super) struct Group<'e> {
    /// The server or API by its place in the file, or what stands alone.
    pub(super) place: usize,
    jobs: Vec<At<'e, AnyJob>>,
    pub(super) emitters: Vec<Emitter<'e>>,
}

impl<'e> Group<'e> {
    pub(super) fn of_server(server: At<'e, AnyServer>) -> Self {
        Self {
            place: server.index(),
            jobs: server.jobs().collect(),
            emitters: Vec::new(),
        }
    }

    pub(super) fn of_api(api: At<'e, AnyApi>) -> Self {
        Self {
            place: api.index(),
            jobs: api.server().jobs().collect(),
            emitters: Vec::new(),
        }
    }

    pub(super) fn of(emitter: Emitter<'e>) -> Self {
        Self {
            place: emitter.index(),
            jobs: Vec::new(),
            emitters: vec![emitter],
        }
    }

    /// What its jobs move over a network.
    pub(super) fn moves_over(&self, network: &Emitter<'e>) -> Result<Hours, Failure> {
        let Emitter::Network(network) = network else {
            return Ok(None);
        };
        sum(self.jobs.iter().map(|job| network.footprint_of_job(*job)))
    }
}

/// What an object emits, in each phase.
pub(super) struct Emitted<'e> {
    pub(super) object: &'e Object,
    pub(super) category: Category,
    pub(super) of: [Result<Hours, Failure>; 2],
    pub(super) problems: Result<Vec<Arc<Problem>>, Failure>,
}

impl<'e> Emitted<'e> {
    pub(super) fn by(engine: &'e Engine, emitter: Emitter<'e>) -> Self {
        Self {
            object: &engine.model().objects[emitter.index()],
            category: emitter.category(),
            of: Phase::ALL.map(|phase| emitter.emission(engine, phase)),
            problems: emitter.with_parts().into_iter().try_fold(
                Vec::new(),
                |mut problems, place| {
                    problems.append(&mut engine.problems_of(place)?);
                    Ok(problems)
                },
            ),
        }
    }
}
