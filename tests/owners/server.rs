//! A server on a runtime of its own that counts its connections.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use axum::{Router, routing::any};
use bytes::Bytes;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpSocket,
    runtime::{self, Runtime},
};

/// Threads on which tokio runs blocking work here.
const BLOCKING: usize = 4;

/// A server that other servers call.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    _server: Runtime,
}

/// Starts one that is not measured.
pub(crate) fn upstream() -> Upstream {
    let server = runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let server = server.expect("a runtime");
    let text = "x".repeat(18 << 10);
    let router = Router::new().route("/text", any(move |_: Bytes| async move { text.clone() }));
    let address = serve(&server, None, router, &Arc::default());
    Upstream {
        address,
        _server: server,
    }
}

/// A runtime with all the threads that it will ever have.
pub(crate) fn start(workers: usize) -> Runtime {
    let server = runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING)
        .thread_keep_alive(Duration::from_secs(3600))
        .enable_all()
        .build()
        .expect("a runtime");
    // A thread that tokio starts for a request is the request's, so all are started before any
    // request.
    let all_started = Arc::new(Barrier::new(BLOCKING + 1));
    for _ in 0..BLOCKING {
        let all_started = Arc::clone(&all_started);
        server.spawn_blocking(move || all_started.wait());
    }
    all_started.wait();
    server
}

/// Serves `router` until its runtime ends; `open` counts the connections.
pub(crate) fn serve(
    server: &Runtime,
    send_buffers: Option<u32>,
    router: Router,
    open: &Arc<AtomicU64>,
) -> SocketAddr {
    struct Open(Arc<AtomicU64>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let listener = server.block_on(async {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = send_buffers {
            socket.set_send_buffer_size(bytes)?;
        }
        socket.bind(([127, 0, 0, 1], 0).into())?;
        socket.listen(1024)
    });
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let open = Arc::clone(open);
    server.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            open.fetch_add(1, Ordering::SeqCst);
            let counted = Open(Arc::clone(&open));
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let builder = auto::Builder::new(TokioExecutor::new());
                let io = TokioIo::new(stream);
                // The client sees what becomes of a connection.
                let _ = builder.serve_connection_with_upgrades(io, service).await;
                drop(counted);
            });
        }
    });
    address
}
