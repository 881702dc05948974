//! The animals: one route per memory behaviour.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http_body_util::channel::Channel;
use serde::Deserialize;
use std::{
    collections::VecDeque,
    convert::Infallible,
    fs::File,
    iter,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use symbolic_common::ByteView;
use tokio::time;
use tower_memory::heap::CurrentRequest;

/// All routes, around what they keep.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/steady", get(steady))
        .route("/leak", get(leak))
        .route("/cache", get(cache))
        .route("/burst", get(burst))
        .route("/mmap", get(mmap))
        .route("/stream", get(stream))
        .route("/download", get(download))
        .route("/asset", get(asset))
        .route("/upload", post(upload))
        .route("/panic", get(panic))
        .route("/spawn", get(spawn))
        .route("/sleep", get(sleep))
        .layer(DefaultBodyLimit::disable())
        .with_state(Kept::default())
}

/// What outlives the requests.
type Kept = Arc<Mutex<Keepsakes>>;

#[derive(Default)]
struct Keepsakes {
    cache: VecDeque<(String, Vec<u8>)>,
    maps: Vec<ByteView<'static>>,
    asset: Option<Bytes>,
}

#[derive(Deserialize)]
struct Size {
    mib: Option<usize>,
    kib: Option<usize>,
    bytes: Option<usize>,
    ms: Option<u64>,
    key: Option<String>,
}

impl Size {
    /// Resident memory: each page is written to.
    fn allocate(&self, default_mib: usize) -> Vec<u8> {
        vec![1; self.bytes(default_mib)]
    }

    fn bytes(&self, default_mib: usize) -> usize {
        let bytes = match (self.bytes, self.kib) {
            (Some(bytes), _) => bytes,
            (None, Some(kib)) => kib.saturating_mul(1 << 10),
            (None, None) => self.mib.unwrap_or(default_mib).saturating_mul(1 << 20),
        };
        // A typing error should not bring the machine down.
        bytes.min(4 << 30)
    }

    fn pause(&self, default_ms: u64) -> Duration {
        Duration::from_millis(self.ms.unwrap_or(default_ms))
    }
}

async fn steady(Query(size): Query<Size>) -> String {
    let memory = size.allocate(1);
    format!("used and freed {} bytes\n", memory.len())
}

async fn leak(Query(size): Query<Size>) -> String {
    let memory = size.allocate(128).leak();
    format!("leaked {} bytes\n", memory.len())
}

async fn cache(State(kept): State<Kept>, Query(size): Query<Size>) -> String {
    let key = size.key.clone().unwrap_or_else(|| "a".to_owned());
    let cache = &mut kept.lock().unwrap_or_else(PoisonError::into_inner).cache;
    if cache.iter().any(|(known, _)| *known == key) {
        return format!("`{key}` was cached\n");
    }
    if cache.len() == 8 {
        cache.pop_front();
    }
    cache.push_back((key.clone(), size.allocate(128)));
    format!("`{key}` is cached now\n")
}

async fn burst(Query(size): Query<Size>) -> Result<String, (StatusCode, String)> {
    let bytes = size.bytes(24);
    let object = r#"{"id":"1234567","tags":["a","b"]}"#;
    let objects = iter::repeat_n(object, bytes / object.len()).collect::<Vec<_>>();
    let json = format!("[{}]", objects.join(","));
    let values: Vec<serde_json::Value> = serde_json::from_str(&json).map_err(internal)?;
    Ok(format!("parsed and dropped {} values\n", values.len()))
}

async fn mmap(
    State(kept): State<Kept>,
    Query(size): Query<Size>,
) -> Result<String, (StatusCode, String)> {
    // Never the file of another request: to cut one short that is mapped would be the end of us.
    static FILES: AtomicU32 = AtomicU32::new(0);
    let (process, number) = (std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(format!("zoo-{process}-{number}.bin"));
    let file = File::create_new(&path).map_err(internal)?;
    file.set_len(size.bytes(128) as u64).map_err(internal)?;
    let map = ByteView::open(&path).map_err(internal)?;
    std::fs::remove_file(&path).map_err(internal)?;
    let zeros = map.iter().filter(|byte| **byte == 0).count();
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.maps.push(map);
    Ok(format!("mapped a file of {zeros} bytes\n"))
}

async fn stream(Query(size): Query<Size>) -> Response {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    // Carried, so that the chunks count for the request.
    tokio::spawn(CurrentRequest::carry(async move {
        let (chunk, mut left) = (Bytes::from(vec![b'x'; 1 << 20]), size.bytes(8));
        while left > 0 {
            let chunk = chunk.slice(..chunk.len().min(left));
            left -= chunk.len();
            if sender.send_data(chunk).await.is_err() {
                return; // the client left
            }
            time::sleep(size.pause(100)).await;
        }
    }));
    Body::new(body).into_response()
}

async fn download(Query(size): Query<Size>) -> Vec<u8> {
    size.allocate(128)
}

async fn asset(State(kept): State<Kept>, Query(size): Query<Size>) -> Bytes {
    let asset = &mut kept.lock().unwrap_or_else(PoisonError::into_inner).asset;
    let asset = asset.get_or_insert_with(|| Bytes::from(size.allocate(128)));
    asset.clone()
}

async fn upload(body: Bytes) -> String {
    format!("took {} bytes\n", body.len())
}

async fn panic(Query(size): Query<Size>) -> String {
    let memory = size.allocate(128);
    panic!("on purpose, with {} bytes in hand", memory.len());
}

async fn spawn(Query(size): Query<Size>) -> String {
    let pause = size.pause(1000);
    tokio::spawn(CurrentRequest::carry(async move {
        let memory = size.allocate(128);
        time::sleep(pause).await;
        drop(memory);
    }));
    format!("a task holds memory for {pause:?}\n")
}

async fn sleep(Query(size): Query<Size>) -> String {
    let memory = size.allocate(128);
    time::sleep(size.pause(1000)).await;
    format!("held {} bytes\n", memory.len())
}

fn internal(error: impl std::error::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
}
