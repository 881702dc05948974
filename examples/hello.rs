//! The README's ten lines and the two that count, complete: an axum app that says which upload grew the process.
//!
//! ```sh
//! cargo run --release --example hello --features axum
//! seq 700000 | sed 's/.*/{"id":"&","tags":["a","b"]}/' | paste -sd, | sed 's/.*/[&]/' > upload.json
//! curl --json @upload.json http://127.0.0.1:3000/upload
//! ```

use axum::{Json, Router, extract::DefaultBodyLimit, routing::post};
use tower_memory::{MemoryLayer, heap::TrackingAllocator};

#[global_allocator] // optional: tells live heap from pages that the allocator keeps
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

#[tokio::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().init();

    let app = Router::new()
        .route("/upload", post(upload))
        .layer(DefaultBodyLimit::max(64 << 20))
        .layer(MemoryLayer::new()); // warns above 100 MiB

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app).await
}

async fn upload(Json(values): Json<Vec<serde_json::Value>>) -> String {
    format!("{} values\n", values.len())
}
