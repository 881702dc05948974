//! Handlers of all kinds, each of which keeps the memory its path names.

use crate::{site_bodies, site_held};
use axum::{
    Form, Json, Router,
    body::Bytes,
    error_handling::HandleErrorLayer,
    extract::{DefaultBodyLimit, Path, Query, Request},
    response::IntoResponse,
    routing::{any, get, post},
};
use http::{HeaderValue, StatusCode};
use std::{
    collections::{HashMap, VecDeque},
    hint::black_box,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::mpsc;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer,
    decompression::RequestDecompressionLayer, timeout::TimeoutLayer,
};
use tower_memory::MemoryLayer;

/// Entries that the cache has room for, of this size.
pub(crate) const ENTRIES: usize = 100;
pub(crate) const ENTRY: usize = 10_000;

type Cache = Arc<Mutex<VecDeque<Vec<u8>>>>;

/// Keeps this many bytes for ever. The optimizer would remove an unused vector.
pub(crate) fn keep(bytes: usize) {
    std::mem::forget(black_box(vec![1_u8; bytes]));
}

pub(crate) fn router(layer: MemoryLayer) -> Router {
    let inner = Router::new()
        .merge(plain())
        .merge(cache())
        .merge(queue())
        .merge(site_bodies::streams())
        .merge(site_bodies::uploads())
        .merge(stacks())
        .merge(site_held::router())
        .fallback(|| async { "no such path" })
        // Compressed and decompressed inside the layer.
        .nest("/inner", texts().layer(CompressionLayer::new()))
        .nest("/inner", texts_up().layer(RequestDecompressionLayer::new()))
        .nest("/outer", texts().merge(texts_up()))
        .layer(axum::middleware::map_request(charge))
        .layer(DefaultBodyLimit::disable());
    inner
        .layer(layer)
        // And outside it, which passes on responses that it isn't asked to compress.
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .layer(CompressionLayer::new().compress_when(IsOuter))
}

/// Only for responses of `/outer` routes, which are marked.
#[derive(Clone, Copy)]
struct IsOuter;

impl tower_http::compression::Predicate for IsOuter {
    fn should_compress<B: http_body::Body>(&self, response: &http::Response<B>) -> bool {
        response.headers().contains_key("x-outer")
    }
}

/// Keeps a mebibyte on demand.
async fn charge(request: Request) -> Request {
    if request.headers().contains_key("x-charge") {
        keep(1 << 20);
    }
    request
}

fn plain() -> Router {
    let text = "x".repeat(18 << 10);
    Router::new()
        .route("/nothing", any(|| async { "ok" }))
        .route(
            "/keeps/64",
            any(|| async {
                keep(64);
                "ok"
            }),
        )
        .route(
            "/keeps/4096",
            any(|| async {
                keep(4096);
                "ok"
            }),
        )
        .route("/text", any(move || async move { text.clone() }))
        .route("/large", any(|| async { vec![b'x'; 5 << 20] }))
        .route("/204", any(|| async { StatusCode::NO_CONTENT }))
        .route("/304", any(|| async { StatusCode::NOT_MODIFIED }))
        .route(
            "/waits",
            get(|| async {
                let held = black_box(vec![1_u8; 10_000]);
                tokio::time::sleep(Duration::from_millis(300)).await;
                held.len().to_string()
            }),
        )
        .route(
            "/json",
            post(|Json(value): Json<serde_json::Value>| async { Json(value) }),
        )
        .route(
            "/extract/{id}/{name}",
            get(
                |Path((id, name)): Path<(u64, String)>,
                 Query(query): Query<HashMap<String, String>>| async move {
                    format!("{id} {name} {query:?}")
                },
            ),
        )
        .route(
            "/form",
            post(|Form(form): Form<HashMap<String, String>>| async move { form.len().to_string() }),
        )
        .nest(
            "/nested",
            Router::new().nest(
                "/more",
                Router::new().route("/{id}", get(|Path(id): Path<String>| async { id })),
            ),
        )
}

fn cache() -> Router {
    let cache = Cache::default();
    let full = Arc::clone(&cache);
    // The cache itself is nobody's.
    full.lock().expect("no panic").reserve(ENTRIES + 1);
    Router::new()
        .route(
            "/cache/store",
            get(move || async move {
                let mut cache = cache.lock().expect("no panic");
                cache.push_back(vec![1; ENTRY]);
                if cache.len() > ENTRIES {
                    cache.pop_front();
                }
                "ok"
            }),
        )
        .route(
            "/cache/evict",
            get(move || async move {
                let evicted = full.lock().expect("no panic").pop_front();
                evicted.is_some().to_string()
            }),
        )
}

fn queue() -> Router {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<String>>();
    tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    Router::new().route(
        "/queue",
        post(move |text: String| async move {
            let lines = text.as_bytes().chunks(100);
            let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned());
            sender.send(lines.collect()).expect("a worker");
            "ok"
        }),
    )
}

fn stacks() -> Router {
    let unavailable = |_| async { StatusCode::SERVICE_UNAVAILABLE };
    let stack = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(HandleErrorLayer::new(unavailable))
        .load_shed()
        .buffer(1024)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(30),
        ));
    Router::new()
        .route(
            "/stack",
            post(|body: Bytes| async move { body.len().to_string() }),
        )
        .layer(stack)
        .merge(
            Router::new()
                .route("/panics", get(panics))
                .layer(CatchPanicLayer::new()),
        )
}

async fn panics() -> StatusCode {
    let _dropped = black_box(vec![1_u8; 10_000]);
    // Like `panic!`, without printing anything.
    std::panic::resume_unwind(Box::new("as asked"))
}

fn texts() -> Router {
    let text = || async {
        let lines: String = (0..500)
            .map(|line| format!("line {line} of a text\n"))
            .collect();
        let marked = HeaderValue::from_static("1");
        ([("x-outer", marked)], lines).into_response()
    };
    Router::new().route("/text", get(text))
}

fn texts_up() -> Router {
    Router::new().route(
        "/up",
        post(|body: Bytes| async move { body.len().to_string() }),
    )
}
