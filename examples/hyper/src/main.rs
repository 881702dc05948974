//! Plain hyper behind the layer. It has no router, so a function names the routes.
//!
//! ```sh
//! cargo run --release -p hello-hyper    # or: -- --listen 127.0.0.1:0
//! ```
//!
//! And in another terminal:
//!
//! ```sh
//! head -c 20M /dev/zero | curl --data-binary @- http://127.0.0.1:3000/files/zeros
//! ```

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, body::Incoming, http::request::Parts, server::conn::http1,
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use std::{
    collections::HashMap,
    env, io, process,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_memory::{MIB, MemoryLayer, Route, heap::TrackingAllocator};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// The files that were uploaded, by path.
type Files = Arc<Mutex<HashMap<String, Bytes>>>;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();

    let files = Files::default();
    let service = ServiceBuilder::new()
        .layer(MemoryLayer::new().warn_above(10 * MIB).route_with(route))
        .service_fn(move |request| answer(request, Arc::clone(&files)));

    let listener = listen().await;
    println!("POST to http://{}/files/NAME", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        // Clones of one layer know of each other's requests.
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("a connection failed: {error}");
            }
        });
    }
}

/// A template and never the path itself: clients can make up any number of paths.
fn route(request: &Parts) -> Option<Route> {
    let is_file = request.uri.path().starts_with("/files/");
    is_file.then(|| Route::from("/files/{name}"))
}

/// Keeps what is uploaded, so its route holds more with each new name.
async fn answer(
    request: Request<Incoming>,
    files: Files,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    if !path.starts_with("/files/") {
        let mut response = Response::new(Full::from("not found\n"));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    }
    let body = request.into_body().collect().await?.to_bytes();
    let answer = format!("{} bytes\n", body.len());
    let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
    files.insert(path, body);
    Ok(Response::new(Full::from(answer)))
}

/// Where `--listen` says, or on the usual address.
async fn listen() -> TcpListener {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let address = match &arguments[..] {
        [] => "127.0.0.1:3000",
        [option, address] if option == "--listen" => address,
        _ => {
            eprintln!("usage: hello-hyper [--listen ADDRESS]");
            process::exit(2)
        }
    };
    TcpListener::bind(address).await.unwrap_or_else(|error| {
        eprintln!("{address}: {error}; choose another address, such as `--listen 127.0.0.1:0`");
        process::exit(1)
    })
}
