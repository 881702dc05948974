//! `/api/systems`: load systems, list them, get them and their objects back, remove them.

use crate::{
    Config, analysis,
    download::Downloads,
    problem::Problem,
    results::Results,
    store::{Room, Store, System},
    upload::Uploads,
};
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use tokio::task::spawn_blocking;
use tower_memory::{heap::CurrentRequest, reclaim::reclaim};
use uuid::Uuid;

/// Uploads, and as many downloads, that run at once.
///
/// Most of the time they wait for the network, so that more than there are cores may run. The bound
/// keeps many of them from piling up threads and half-built models: those, unlike what is stored,
/// are bounded by nothing else.
const AT_ONCE: usize = 8;

/// From what size on a system that is removed leaves much with the allocator, in bytes.
const LARGE: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Systems {
    store: Store,
    uploads: Uploads,
    pub(crate) downloads: Downloads,
    pub(crate) results: Results,
}

pub(crate) fn routes(config: &Config) -> Router {
    let systems = Systems {
        store: Store::default(),
        uploads: Uploads::new(config.body_limit, AT_ONCE, Room::new(config.store_limit)),
        downloads: Downloads::new(AT_ONCE),
        results: Results::new(config.compute_at_once.get(), config.results_limit),
    };
    Router::new()
        .route("/api/systems", get(list).post(upload))
        .route("/api/systems/{id}", get(download).delete(remove))
        .route("/api/systems/{id}/objects", get(list_objects))
        .route(
            "/api/systems/{id}/objects/{object_id}",
            get(analysis::object),
        )
        .route(
            "/api/systems/{id}/objects/{object_id}/series",
            get(analysis::series),
        )
        .route("/api/systems/{id}/footprint", get(analysis::footprint))
        .route("/api/systems/{id}/computed", get(analysis::computed))
        .route("/api/systems/{id}/sankey", get(analysis::diagram))
        .with_state(Arc::new(systems))
}

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

#[derive(Serialize)]
struct ObjectSummary<'a> {
    id: &'a str,
    name: &'a str,
    class: &'static str,
}

async fn upload(
    State(systems): State<Arc<Systems>>,
    request: Request,
) -> Result<Response, Problem> {
    let system = Arc::new(systems.uploads.read(request).await?);
    let id = systems.store.insert(Arc::clone(&system));
    let created = (
        StatusCode::CREATED,
        [(header::LOCATION, format!("/api/systems/{id}"))],
        Json(SystemSummary::of(id, &system)),
    );
    Ok(created.into_response())
}

async fn list(State(systems): State<Arc<Systems>>) -> impl IntoResponse {
    let listed = Arc::clone(&systems);
    // A full store has millions of small systems, or names of megabytes: the list is written like
    // a file.
    let body = systems.downloads.body(move |out| {
        let summaries = listed.store.all();
        let summaries = summaries.map(|(id, system)| SystemSummary::of(id, &system));
        serde_json::Serializer::new(out).collect_seq(summaries)
    });
    json(body.await)
}

async fn download(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let file = attachment(system.name(), "json");
    Ok((
        file,
        json(systems.downloads.body(move |out| system.write(out)).await),
    ))
}

async fn list_objects(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let system = systems.get(&id)?;
    let body = systems.downloads.body(move |out| {
        let objects = system.objects();
        serde_json::Serializer::new(out).collect_seq(objects.map(|object| ObjectSummary {
            id: object.id(),
            name: object.name(),
            class: object.class(),
        }))
    });
    Ok(json(body.await))
}

async fn remove(
    State(systems): State<Arc<Systems>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let system = id
        .parse()
        .ok()
        .and_then(|id| systems.store.remove(id))
        .ok_or_else(|| unknown(&id))?;
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

impl Systems {
    pub(crate) fn get(&self, id: &str) -> Result<Arc<System>, Problem> {
        id.parse()
            .ok()
            .and_then(|id| self.store.get(id))
            .ok_or_else(|| unknown(id))
    }
}

fn unknown(id: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        format!("There is no system `{id}`: `/api/systems` lists those there are."),
    )
}

pub(crate) fn json(body: Body) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], body)
}

/// Offers the response as a file named after the system
/// ([RFC 6266](https://www.rfc-editor.org/rfc/rfc6266)).
pub(crate) fn attachment(name: &str, extension: &str) -> [(HeaderName, String); 1] {
    // File systems take about this much.
    let name: String = name.chars().take(80).collect();
    let plain = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    let exact = utf8_percent_encode(&name, NON_ALPHANUMERIC);
    let value = format!(
        "attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{exact}.{extension}"
    );
    [(header::CONTENT_DISPOSITION, value)]
}
