//! `/api/systems`: load systems, list them, get them back, remove them.

use super::answer::{attachment, json};
use crate::{peer::Peer, problem::Problem, store::System, systems::Systems};
use axum::{
    Json,
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tower_memory::{heap::CurrentRequest, reclaim::reclaim};
use uuid::Uuid;

/// From what size on a system that is removed leaves much with the allocator, in bytes.
const LARGE: usize = 1 << 20;

#[derive(Serialize)]
struct SystemSummary {
    id: Uuid,
    // A copy: a client that reads slowly must not keep a removed system.
    name: String,
    objects: usize,
}

impl SystemSummary {
    fn of(id: Uuid, system: &System) -> Self {
        Self {
            id,
            name: system.name().to_owned(),
            objects: system.len(),
        }
    }
}

pub(super) async fn upload(
    State(systems): State<Arc<Systems>>,
    request: Request,
) -> Result<Response, Problem> {
    let read = systems.uploads.read(request).await?;
    let mut summaries = Vec::new();
    for system in read {
        let system = Arc::new(system);
        let id = systems.store.insert(Arc::clone(&system));
        summaries.push(SystemSummary::of(id, &system));
    }
    // A workspace holds several systems: then they are listed.
    Ok(match <[SystemSummary; 1]>::try_from(summaries) {
        Ok([summary]) => {
            let location = [(header::LOCATION, format!("/api/systems/{}", summary.id))];
            (StatusCode::CREATED, location, Json(summary)).into_response()
        }
        Err(summaries) => {
            let location = [(header::LOCATION, "/api/systems")];
            (StatusCode::CREATED, location, Json(summaries)).into_response()
        }
    })
}

pub(super) async fn list(
    State(systems): State<Arc<Systems>>,
    peer: Peer,
) -> Result<impl IntoResponse, Problem> {
    let listed = Arc::clone(&systems);
    // A full store has millions of small systems, or names of megabytes: the list is written like
    // a file.
    let body = systems.downloads.body(peer, move |out| {
        let summaries = listed.store.all();
        let summaries = summaries.map(|(id, system)| SystemSummary::of(id, &system));
        serde_json::Serializer::new(out).collect_seq(summaries)
    });
    Ok(json(body.await?))
}

pub(super) async fn download(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
    peer: Peer,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let file = attachment(system.name(), "json");
    let body = systems.downloads.body(peer, move |out| system.write(out));
    Ok((file, json(body.await?)))
}

pub(super) async fn remove(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let system = id
        .parse()
        .ok()
        .and_then(|id| systems.store.remove(id))
        .ok_or_else(|| Systems::unknown(&id))?;
    systems.results.forget(&system);
    // Freeing a large model takes a while, and its room is back when the client hears of it.
    let _ = spawn_blocking(CurrentRequest::carry_fn(|| {
        let large = system.size() >= LARGE;
        drop(system);
        if large {
            // The allocator kept what computing it took, for the next one; there may be none.
            reclaim();
        }
    }))
    .await;
    Ok(StatusCode::NO_CONTENT)
}
