//! The systems that are served, and what works on them.

use crate::{
    Config, Pace,
    budget::Budget,
    problem::Problem,
    results::Results,
    store::{Room, Store, System},
    stream::{Downloads, Uploads},
};
use axum::http::StatusCode;
use std::sync::Arc;

/// Downloads that are written at once. Each has a thread and some hundred KiB until what is left fits
/// into a queue; one client has half of them at most.
const WRITTEN_AT_ONCE: usize = 64;

#[derive(Debug)]
pub(crate) struct Systems {
    pub(crate) store: Store,
    pub(crate) budget: Arc<Budget>,
    pub(crate) uploads: Uploads,
    pub(crate) downloads: Downloads,
    pub(crate) results: Results,
}

impl Systems {
    pub(crate) fn new(config: &Config) -> Self {
        let budget = Budget::new(config.work_limit());
        let room = Room::new(config.store_limit);
        Self {
            store: Store::default(),
            uploads: Uploads::new(
                config.body_limit,
                Pace::new(config),
                Arc::clone(&budget),
                room,
            ),
            budget,
            downloads: Downloads::new(WRITTEN_AT_ONCE),
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
