//! One route per memory behaviour, to see the verdict on each.
//!
//! ```sh
//! cargo run --release --example zoo --features dashboard    # or: -- --json --reclaim --listen 127.0.0.1:0
//! curl 'http://127.0.0.1:3000/burst?mib=24'
//! ```
//!
//! | route | what it does | query (default) | verdict, when it is alone |
//! |---|---|---|---|
//! | `/steady` | allocates and frees before it answers | `mib` (1) | nothing |
//! | `/leak` | allocates and never frees | `mib` (128) | `retained` |
//! | `/cache` | keeps the last eight keys | `mib` (128), `key` (a) | `retained` for each new key |
//! | `/burst` | parses a JSON text of this size and drops it | `mib` (24) | `allocator_held` |
//! | `/mmap` | maps a file, reads all of it and keeps the map | `mib` (128) | `mapped` |
//! | `/stream` | sends chunks of 1 MiB with a pause between | `mib` (8), `ms` (100) | nothing |
//! | `/download` | sends one buffer | `mib` (128) | `allocator_held`, or nothing |
//! | `/asset` | sends one buffer that it keeps | `mib` (128) | `retained`, once |
//! | `/upload` | takes a body by POST | | `allocator_held`, or nothing |
//! | `/panic` | allocates, then panics | `mib` (128) | nothing |
//! | `/spawn` | answers at once; a task holds memory for a while | `mib` (128), `ms` (1000) | `running`, or nothing where the task begins later |
//! | `/sleep` | holds memory for a while before it answers | `mib` (128), `ms` (1000) | nothing |
//!
//! These are for a soak, which sends many requests:
//!
//! | route | what it does | query (default) | verdict of a soak |
//! |---|---|---|---|
//! | `/double` | adds to a map that is never emptied | | `grows_by_doubling` |
//! | `/rare` | one of so many requests leaks | `each` (100), `bytes` (6400) | `grows` |
//! | `/bounded` | a cache with so many entries | `most` (1000), `bytes` (1000) | `settled` |
//! | `/lru` | a cache with so many bytes | `most` (1 MiB), `bytes` (up to 5000) | `settled` |
//! | `/stairs` | one of so many requests keeps something | `each` (400), `bytes` (200000) | `grows` |
//! | `/background` | starts a task that grows from then on | `bytes` (4000) | `not_by_requests` |
//!
//! Where it says `mib`, `kib` and `bytes` do as well: `/leak?bytes=64`. `/` lists the routes, and `/memory` shows what they
//! did: the dashboard. With `--dashboard 127.0.0.1:3002` it is there as well, on a thread of its own that answers while
//! the zoo can't.
//!
//! With `--reclaim`, pages that a burst left with the allocator are given back. `RUST_LOG=tower_memory=debug` shows an
//! event of every request. The log blocks nobody: what is not read in time is dropped and counted.
//!
//! Requests beside one of them aren't blamed for it: `other_requests`.

mod index;
mod logging;
mod routes;
mod shapes;

use axum::routing::get;
use clap::Parser;
use std::{
    io::{self, IsTerminal},
    net::SocketAddr,
    process::ExitCode,
};
use tokio::{net::TcpListener, select};
use tower_http::catch_panic::CatchPanicLayer;
use tower_memory::{
    MemoryLayer,
    dashboard::{self, Access},
    heap::TrackingAllocator,
    reclaim::Reclaim,
    routes::Routes,
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Serve one route per memory behaviour.
///
/// `RUST_LOG` filters the log (default: `info`).
#[derive(Parser)]
struct Arguments {
    /// Address to serve on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,

    /// Port of 127.0.0.1 to serve on, instead of `--listen`
    #[arg(long, conflicts_with = "listen")]
    port: Option<u16>,

    /// Serve the dashboard on this address as well, on a thread of its own
    #[arg(long, value_name = "ADDRESS")]
    dashboard: Option<SocketAddr>,

    /// Log as JSON
    #[arg(long)]
    json: bool,

    /// Give pages that the allocator keeps back after requests that left many
    #[arg(long)]
    reclaim: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (writer, lines) = logging::to_stdout();
    let log = tracing_subscriber::fmt().with_env_filter(logging::levels());
    match arguments.json {
        true => log.json().flatten_event(true).with_writer(writer).init(),
        false => log
            .with_ansi(io::stdout().is_terminal())
            .with_writer(writer)
            .init(),
    }
    let result = select! {
        result = serve(&arguments) => result,
        () = lines.watch(|_| {}) => Ok(()),
        result = told_to_end() => result,
    };
    tower_memory::flush();
    lines.finish();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zoo: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> io::Result<()> {
    let figures = Routes::new();
    let mut layer = MemoryLayer::new().on_report(figures.clone());
    if arguments.reclaim {
        layer = layer.on_report(Reclaim::new());
    }
    let serve = |address| dashboard::serve(address, figures.clone(), Access::Loopback);
    let of_its_own = arguments.dashboard.map(serve).transpose()?;
    let app = routes::routes()
        .merge(shapes::routes())
        .layer(layer)
        .layer(CatchPanicLayer::new())
        .route("/", get(index::page))
        .nest_service("/memory", dashboard::router(figures, Access::Loopback));

    let listener = listen(arguments).await?;
    println!("the zoo is open on http://{}", listener.local_addr()?);
    if let Some(dashboard) = &of_its_own {
        println!("the dashboard is at http://{}", dashboard.address());
    }
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await
}

async fn listen(arguments: &Arguments) -> io::Result<TcpListener> {
    let mut address = arguments.listen;
    if let Some(port) = arguments.port {
        address = ([127, 0, 0, 1], port).into();
    }
    TcpListener::bind(address).await.map_err(|error| {
        let said = match error.kind() {
            io::ErrorKind::AddrInUse => format!("{address} is taken"),
            _ => format!("can't listen on {address}: {error}"),
        };
        let said = format!("{said}: choose another address, such as `--listen 127.0.0.1:0`");
        io::Error::new(error.kind(), said)
    })
}

/// Resolves on Ctrl-C, and on SIGTERM where there is one.
async fn told_to_end() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
