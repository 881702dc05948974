//! `/api/systems/{id}/objects`: a system's objects, with what is computed of them.

use super::answer::{json, json_text, text, too_long};
use crate::{peer::Peer, problem::Problem, store::System, systems::Systems};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::IntoResponse,
};
use efootprint::{Failure, Guard, ObjectView, Summary};
use serde::{Serialize, Serializer};
use std::sync::Arc;

#[derive(Serialize)]
struct ObjectSummary<'a> {
    id: &'a str,
    name: &'a str,
    class: &'static str,
}

pub(super) async fn list(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
    peer: Peer,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let body = systems.downloads.body(peer, move |out| {
        let objects = system.objects();
        serde_json::Serializer::new(out).collect_seq(objects.map(|object| ObjectSummary {
            id: object.id(),
            name: object.name(),
            class: object.class(),
        }))
    });
    Ok(json(body.await?))
}

/// An object with what is computed of it.
#[derive(Serialize)]
struct ObjectWithComputed<'o> {
    #[serde(flatten)]
    object: ObjectView<'o>,
    computed: Vec<ComputedAttribute>,
}

#[derive(Serialize)]
struct ComputedAttribute {
    name: &'static str,
    /// The formula in words.
    formula: &'static str,
    /// The section of the specification.
    section: &'static str,
    value: Summary,
}

pub(super) async fn object(
    State(systems): State<Arc<Systems>>,
    Path((id, object_id)): Path<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let place = place_of(&system, &id, &object_id)?;
    let share = systems.budget.share();
    let mut text = text(Arc::clone(&share));
    let text = systems.results.compute(&system, move |engine| {
        let mut computed = Vec::new();
        for (attribute, asked) in engine.attributes(place) {
            if attribute.guard == Guard::Only {
                continue;
            }
            let value = match asked.summary() {
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => Summary::failure(failure),
                Ok(value) => value,
            };
            computed.push(ComputedAttribute {
                name: attribute.name,
                formula: attribute.formula,
                section: attribute.section,
                value,
            });
        }
        let object = engine.model().object(&object_id);
        let object = object.map(|object| ObjectWithComputed { object, computed });
        Ok(serde_json::to_writer(&mut text, &object).map(|()| text))
    });
    let text = text.await?.map_err(|_| {
        too_long(
            &share,
            "The text of the object's computed attributes",
            "let `system-builder compute` print them",
        )
    })?;
    Ok(json_text(text))
}

pub(super) fn place_of(system: &System, id: &str, object_id: &str) -> Result<usize, Problem> {
    system.place(object_id).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "System `{id}` has no object `{object_id}`: \
                 `/api/systems/{id}/objects` lists those it has."
            ),
        )
    })
}
