//! The README's program: an axum app that says which upload grew the process.
//!
//! ```sh
//! cargo run --release -p hello    # or: -- --listen 127.0.0.1:0
//! ```
//!
//! And in another terminal:
//!
//! ```sh
//! seq 700000 | sed 's/.*/{"id":"&","tags":["a","b"]}/' | paste -sd, | sed 's/.*/[&]/' > upload.json
//! curl --json @upload.json http://127.0.0.1:3000/upload
//! ```

use axum::{Json, Router, extract::DefaultBodyLimit, routing::post};
use std::{env, io, process};
use tokio::net::TcpListener;
use tower_memory::{MemoryLayer, heap::TrackingAllocator};

#[global_allocator] // optional: knows whose memory is alive
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();

    let app = Router::new()
        .route("/upload", post(upload).layer(DefaultBodyLimit::disable()))
        .layer(MemoryLayer::new()); // warns above 100 MiB

    let listener = listen().await;
    println!("POST JSON to http://{}/upload", listener.local_addr()?);
    axum::serve(listener, app).await
}

async fn upload(Json(system): Json<serde_json::Value>) -> String {
    format!("{} objects\n", system.as_array().map_or(1, Vec::len))
}

/// Where `--listen` says, or on the usual address.
async fn listen() -> TcpListener {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let address = match &arguments[..] {
        [] => "127.0.0.1:3000",
        [option, address] if option == "--listen" => address,
        _ => {
            eprintln!("usage: hello [--listen ADDRESS]");
            process::exit(2)
        }
    };
    TcpListener::bind(address).await.unwrap_or_else(|error| {
        eprintln!("{address}: {error}; choose another address, such as `--listen 127.0.0.1:0`");
        process::exit(1)
    })
}
