//! `/api/systems/{id}/computed`: every computed attribute.

use super::answer::{attachment, json_text, text, too_long};
use crate::{problem::Problem, systems::Systems};
use axum::{
    extract::{Path, State},
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
    let share = systems.budget.share();
    let mut text = text(Arc::clone(&share));
    let text = systems.results.compute(&system, move |engine| {
        match write_computed(engine, &mut text, |_| {}) {
            Ok(()) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(None),
            Err(_) => Err(Failure::Cancelled),
        }
    });
    let text = text.await?.ok_or_else(|| {
        too_long(
            &share,
            "The text of all computed attributes",
            "let `system-builder compute` print them, or ask for one object after the other",
        )
    })?;
    Ok((attachment(&name, "json"), json_text(text)))
}
