//! `/api/systems/{id}/computed`: every computed attribute.

use super::answer::{Limited, attachment, json};
use crate::{problem::Problem, systems::Systems};
use axum::{
    body::Body,
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use efootprint::{Failure, write_computed};
use std::{io, sync::Arc};

pub(super) async fn computed(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let name = format!("{} computed", system.name());
    let text = systems.results.compute(&system, |engine| {
        let mut text = Limited(Vec::new());
        match write_computed(engine, &mut text, |_| {}) {
            Ok(()) => Ok(Some(text.0)),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(None),
            Err(_) => Err(Failure::Cancelled),
        }
    });
    let text = text.await?.ok_or_else(|| {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "All computed attributes take more than 64 MiB: let `system-builder compute` print them, \
             or ask for one object after the other.",
        )
    })?;
    Ok((attachment(&name, "json"), json(Body::from(text))))
}
