use super::{Access, router};
use crate::{routes::Routes, target::TARGET};
use std::{
    fmt, io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    thread::{self, JoinHandle},
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

/// Serves the dashboard at `address`, on a thread with a small runtime of its own.
///
/// Handlers that block hold up the threads of their runtime and everything served there: a [`router`]
/// nested beside them answers only once they are done. This one answers meanwhile, which is when its
/// figures matter. Its requests don't go through the layer, and nobody owns its allocations.
///
/// Port 0 takes a free one, returned by [`Server::address`]. The page is at the root: `/`,
/// `/figures.json` and `/events`, as described at [`router`]. HTTP/1.1 only.
///
/// ```
/// use tower_memory::{MemoryLayer, dashboard::{self, Access}, routes::Routes};
///
/// # fn main() -> std::io::Result<()> {
/// let routes = Routes::new();
/// let layer = MemoryLayer::new().on_report(routes.clone());
/// let dashboard = dashboard::serve("127.0.0.1:0", routes, Access::Loopback)?;
/// println!("the dashboard is at http://{}", dashboard.address());
/// # Ok(())
/// # }
/// ```
///
/// Call it with or without a runtime.
///
/// # Errors
///
/// If the address is taken or unavailable, or no thread can be started. The error names the address.
pub fn serve(
    address: impl ToSocketAddrs + fmt::Display,
    routes: Routes,
    access: Access,
) -> io::Result<Server> {
    start(&address, routes, access).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => "; choose another address, or port 0 for a free one",
            _ => "",
        };
        let sentence = format!("cannot serve the dashboard on {address}: {error}{hint}");
        io::Error::new(error.kind(), sentence)
    })
}

/// A dashboard served on a thread of its own until this is dropped.
///
/// Dropping it closes its connections and waits for the thread, which ends at once.
#[must_use = "the dashboard ends when this is dropped"]
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    /// Dropped to end it.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// The address it listens on.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.take();
        // Fails if the thread panicked, which has already been printed.
        self.thread.take().map(JoinHandle::join);
    }
}

fn start(address: impl ToSocketAddrs, routes: Routes, access: Access) -> io::Result<Server> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let (stop, stopped) = oneshot::channel();
    let thread = thread::Builder::new().name("dashboard".to_owned());
    let thread = thread.spawn(move || run(&runtime, listener, routes, access, stopped))?;
    Ok(Server {
        address,
        stop: Some(stop),
        thread: Some(thread),
    })
}

fn run(
    runtime: &Runtime,
    listener: TcpListener,
    routes: Routes,
    access: Access,
    stopped: oneshot::Receiver<()>,
) {
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let app = router(routes, access);
        let service = app.into_make_service_with_connect_info::<SocketAddr>();
        let serve = axum::serve(listener, service);
        // Connections are tasks of the runtime, and end with it.
        tokio::select! {
            served = serve => served,
            _ = stopped => Ok(()),
        }
    });
    if let Err(error) = served {
        tracing::error!(target: TARGET, error = %error, event = "dashboard_failed", "the dashboard has ended: {error}");
    }
}
