//! One route per memory behaviour, to see what the log says of each.
//!
//! ```sh
//! cargo run --release --example zoo --features axum    # or: -- --json --reclaim --port 3001
//! curl 'http://127.0.0.1:3000/burst?mib=24'
//! ```
//!
//! | route | what it does | query (default) | what is said of it, when it is alone |
//! |---|---|---|---|
//! | `/steady` | allocates and frees before it answers | `mib` (1) | nothing |
//! | `/leak` | allocates and never frees | `mib` (128) | `retained` |
//! | `/cache` | keeps the last eight keys | `mib` (128), `key` (a) | `retained` for each new key |
//! | `/burst` | parses a JSON text of this size and drops it | `mib` (24) | `allocator_held` |
//! | `/mmap` | maps a file, reads all of it and keeps the map | `mib` (128) | `mapped` |
//! | `/stream` | sends chunks of 1 MiB with a pause between | `mib` (8), `ms` (100) | nothing |
//! | `/download` | sends one buffer | `mib` (128) | `allocator_held`, until it is sent |
//! | `/asset` | sends one buffer that it keeps | `mib` (128) | `retained`, once |
//! | `/upload` | takes a body by POST | | `allocator_held`, or nothing |
//! | `/panic` | allocates, then panics | `mib` (128) | nothing |
//! | `/spawn` | answers at once; a task holds memory for a while | `mib` (128), `ms` (1000) | nothing |
//! | `/sleep` | holds memory for a while before it answers | `mib` (128), `ms` (1000) | nothing |
//!
//! `/memory` shows all of it: the dashboard. With `--dashboard 127.0.0.1:3002` it is there as well, on a thread of its own
//! that answers while the zoo can't.
//!
//! With `--reclaim`, pages that a burst left with the allocator are given back. `RUST_LOG=tower_memory=debug` shows an
//! event of every request.
//!
//! Whoever runs beside one of them is told apart from it: `other_requests`.

mod routes;

use std::{env, io, net::SocketAddr};
use tower_http::catch_panic::CatchPanicLayer;
use tower_memory::{
    MemoryLayer,
    dashboard::{self, Access},
    heap::TrackingAllocator,
    reclaim::Reclaim,
    routes::Routes,
};
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments: Vec<_> = env::args().collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let port = match arguments.iter().position(|argument| argument == "--port") {
        Some(flag) => arguments.get(flag + 1).and_then(|port| port.parse().ok()),
        None => Some(3000),
    };
    let port: u16 = port.ok_or_else(|| io::Error::other("--port takes a number up to 65535"))?;
    let levels = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let log = tracing_subscriber::fmt().with_env_filter(levels.from_env_lossy());
    match has("--json") {
        true => log.json().flatten_event(true).init(),
        false => log.init(),
    }
    let figures = Routes::new();
    let mut layer = MemoryLayer::new().on_report(figures.clone());
    if has("--reclaim") {
        layer = layer.on_report(Reclaim::new());
    }

    let of_its_own = match arguments
        .iter()
        .position(|argument| argument == "--dashboard")
    {
        Some(flag) => {
            let address = arguments.get(flag + 1).map_or("", String::as_str);
            Some(dashboard::serve(
                address,
                figures.clone(),
                Access::Loopback,
            )?)
        }
        None => None,
    };
    let app = routes::routes()
        .layer(layer)
        .layer(CatchPanicLayer::new())
        .nest_service("/memory", dashboard::router(figures, Access::Loopback));

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("the zoo is open on http://{}", listener.local_addr()?);
    if let Some(dashboard) = &of_its_own {
        println!("the dashboard is at http://{}", dashboard.address());
    }
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}
