//! The README's ten lines and the two that count, complete: an axum app that says which upload grew the process.
//!
//! ```sh
//! cargo run --release --example hello --features axum
//! seq 700000 | sed 's/.*/{"id":"&","tags":["a","b"]}/' | paste -sd, | sed 's/.*/[&]/' > upload.json
//! curl --json @upload.json http://127.0.0.1:3000/upload
//! ```

use axum::{Json, Router, extract::DefaultBodyLimit, routing::post};
use clap::Parser;
use std::{io, net::SocketAddr};
use tokio::net::TcpListener;
use tower_memory::{MemoryLayer, heap::TrackingAllocator};

#[global_allocator] // optional: tells live heap from pages that the allocator keeps
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Serve uploads of JSON, and log those that grow the process.
#[derive(Parser)]
struct Arguments {
    /// Address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let Arguments { listen } = Arguments::parse();
    tracing_subscriber::fmt().init();

    let app = Router::new()
        .route("/upload", post(upload))
        .layer(DefaultBodyLimit::max(64 << 20))
        .layer(MemoryLayer::new()); // warns above 100 MiB

    let listener = TcpListener::bind(listen).await.unwrap_or_else(|error| {
        eprintln!("{listen}: {error}; choose another address, such as `--listen 127.0.0.1:0`");
        std::process::exit(1)
    });
    println!("POST JSON to http://{}/upload", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn upload(Json(values): Json<Vec<serde_json::Value>>) -> String {
    format!("{} values\n", values.len())
}
