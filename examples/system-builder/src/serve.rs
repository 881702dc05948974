use crate::monitoring;
use axum::Router;
use std::{future::Future, io, net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, select, sync::oneshot, time::sleep};

/// How long requests may take to finish once the server has been told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves `app` until `shutdown` resolves, then lets running requests finish, for ten seconds at
/// most.
///
/// # Errors
///
/// Fails when the listener does.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop, stopping) = oneshot::channel();
    // Who asks for the dashboard has to be known.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        shutdown.await;
        tracing::info!("stopping; no new connections are taken");
        let _ = stop.send(());
    });
    let overdue = async {
        let _ = stopping.await;
        sleep(GRACE).await;
    };
    select! {
        result = server => result,
        () = monitoring::keep_up() => Ok(()),
        () = overdue => {
            tracing::warn!("requests still running after {} s are dropped", GRACE.as_secs());
            Ok(())
        }
    }
}
