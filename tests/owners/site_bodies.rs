//! Handlers whose bodies are streams, files and uploads.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Multipart,
    response::{Sse, sse::Event},
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use http::header;
use std::{convert::Infallible, io::Write};
use tower_http::services::ServeFile;

/// Rows of `/ndjson`.
const ROWS: usize = 2_000;

pub(crate) fn streams() -> Router {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&vec![7; 1 << 20]).expect("room");
    let (_, path) = file.keep().expect("it stays");
    let served = ServeFile::new(&path);
    Router::new()
        .route_service("/file", served)
        .route(
            "/stream",
            get(|| async {
                let frames = stream::iter(0..40)
                    .map(|_| Ok::<_, Infallible>(Bytes::from(vec![1; 64 << 10])));
                Body::from_stream(frames)
            }),
        )
        .route(
            "/sse",
            get(|| async {
                let events = stream::iter(0..50).then(|number| async move {
                    tokio::task::yield_now().await;
                    Ok::<_, Infallible>(Event::default().data(format!("event {number}")))
                });
                Sse::new(events).keep_alive(Default::default())
            }),
        )
        .route(
            "/ndjson",
            get(|| async {
                let rows = stream::iter(0..ROWS).map(|row| {
                    let row = serde_json::json!({ "row": row, "name": format!("name {row}") });
                    Ok::<_, Infallible>(Bytes::from(format!("{row}\n")))
                });
                (
                    [(header::CONTENT_TYPE, "application/x-ndjson")],
                    Body::from_stream(rows),
                )
            }),
        )
}

pub(crate) fn uploads() -> Router {
    Router::new()
        .route(
            "/bytes",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .route(
            "/string",
            post(|body: String| async move { body.len().to_string() }),
        )
        .route(
            "/frames",
            post(|body: Body| async move {
                let mut frames = body.into_data_stream();
                let mut size = 0;
                while let Some(Ok(frame)) = frames.next().await {
                    size += frame.len();
                }
                size.to_string()
            }),
        )
        .route("/unread", post(|_: Body| async { "not read" }))
        .route(
            "/multipart/memory",
            post(|mut parts: Multipart| async move {
                let mut size = 0;
                while let Ok(Some(part)) = parts.next_field().await {
                    size += part.bytes().await.map_or(0, |bytes| bytes.len());
                }
                size.to_string()
            }),
        )
        .route(
            "/multipart/file",
            post(|mut parts: Multipart| async move {
                let mut size = 0;
                while let Ok(Some(mut part)) = parts.next_field().await {
                    let mut file = tempfile::tempfile().expect("a file");
                    while let Ok(Some(chunk)) = part.chunk().await {
                        file.write_all(&chunk).expect("room");
                        size += chunk.len();
                    }
                }
                size.to_string()
            }),
        )
}
