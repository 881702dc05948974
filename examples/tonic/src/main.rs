//! tonic behind the layer: each method is a route, without a line for it.
//!
//! ```sh
//! cargo run --release -p hello-tonic    # or: -- --listen 127.0.0.1:0
//! ```
//!
//! And in another terminal, a message of 20 MiB behind its five bytes of head:
//!
//! ```sh
//! { printf '\0\001\100\0\0'; head -c 20971520 /dev/zero; } > message
//! curl --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' \
//!     --data-binary @message --output answer http://127.0.0.1:3000/notes.v1.Notes/Keep
//! ```

mod codec;

use codec::Plain;
use http::Request;
use std::{
    convert::Infallible,
    env, io,
    pin::Pin,
    process,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Response, Status,
    body::Body,
    server::{Grpc, NamedService, UnaryService},
    transport::Server,
};
use tower_memory::{MIB, MemoryLayer, heap::TrackingAllocator};
use tower_service::Service;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

const LARGEST_MESSAGE: usize = 64 << 20;

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().init();

    let listener = listen().await;
    println!("the notes are at http://{}", listener.local_addr()?);
    Server::builder()
        .layer(MemoryLayer::new().warn_above(10 * MIB))
        .add_service(Notes::default())
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await
        .map_err(io::Error::other)
}

/// The service, as tonic would generate it from a .proto file with one method.
#[derive(Clone, Default)]
struct Notes {
    notes: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl NamedService for Notes {
    const NAME: &'static str = "notes.v1.Notes";
}

impl Service<Request<Body>> for Notes {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let keep = Keep(self.clone());
        Box::pin(async move {
            let mut grpc = Grpc::new(Plain).max_decoding_message_size(LARGEST_MESSAGE);
            Ok(match request.uri().path() {
                "/notes.v1.Notes/Keep" => grpc.unary(keep, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

/// Keeps a note, and says how many there are.
struct Keep(Notes);

impl UnaryService<Vec<u8>> for Keep {
    type Response = Vec<u8>;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Vec<u8>>) -> Self::Future {
        let notes = Arc::clone(&self.0.notes);
        Box::pin(async move {
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.push(request.into_inner());
            Ok(Response::new(notes.len().to_string().into_bytes()))
        })
    }
}

/// Where `--listen` says, or on the usual address.
async fn listen() -> TcpListener {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let address = match &arguments[..] {
        [] => "127.0.0.1:3000",
        [option, address] if option == "--listen" => address,
        _ => {
            eprintln!("usage: hello-tonic [--listen ADDRESS]");
            process::exit(2)
        }
    };
    TcpListener::bind(address).await.unwrap_or_else(|error| {
        eprintln!("{address}: {error}; choose another address, such as `--listen 127.0.0.1:0`");
        process::exit(1)
    })
}
