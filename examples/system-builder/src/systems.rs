//! The systems that are served, and what works on them.

use crate::{
    Config,
    problem::Problem,
    results::Results,
    store::{Room, Store, System},
    stream::{Downloads, Uploads},
};
use axum::http::StatusCode;
use std::sync::Arc;

/// Uploads, and as many downloads, that run at once.
///
/// Most of the time they wait for the network, so that more than there are cores may run. The bound
/// keeps many of them from piling up threads and half-built models: those, unlike what is stored,
/// are bounded by nothing else.
const AT_ONCE: usize = 8;

#[derive(Debug)]
pub(crate) struct Systems {
    pub(crate) store: Store,
    pub(crate) uploads: Uploads,
    pub(crate) downloads: Downloads,
    pub(crate) results: Results,
}

impl Systems {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            store: Store::default(),
            uploads: Uploads::new(config.body_limit, AT_ONCE, Room::new(config.store_limit)),
            downloads: Downloads::new(AT_ONCE),
            results: Results::new(config.compute_at_once.get(), config.results_limit),
        }
    }

    pub(crate) fn get(&self, id: &str) -> Result<Arc<System>, Problem> {
        id.parse()
            .ok()
            .and_then(|id| self.store.get(id))
            .ok_or_else(|| Self::unknown(id))
    }

    pub(crate) fn unknown(id: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            format!("There is no system `{id}`: `/api/systems` lists those there are."),
        )
    }
}
