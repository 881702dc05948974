//! `/api/systems`: a handler for each address, in a file for each kind of answer.

mod answer;
mod computed;
mod diagram;
mod footprint;
mod objects;
mod query;
mod series;
mod systems;
mod tables;

use crate::{Config, systems::Systems};
use axum::{Router, routing::get};
use std::sync::Arc;

pub(crate) fn routes(config: &Config) -> Router {
    Router::new()
        .route("/api/systems", get(systems::list).post(systems::upload))
        .route(
            "/api/systems/{id}",
            get(systems::download).delete(systems::remove),
        )
        .route("/api/systems/{id}/objects", get(objects::list))
        .route(
            "/api/systems/{id}/objects/{object_id}",
            get(objects::object),
        )
        .route(
            "/api/systems/{id}/objects/{object_id}/series",
            get(series::series),
        )
        .route("/api/systems/{id}/footprint", get(footprint::footprint))
        .route("/api/systems/{id}/computed", get(computed::computed))
        .route("/api/systems/{id}/sankey", get(diagram::diagram))
        .with_state(Arc::new(Systems::new(config)))
}
