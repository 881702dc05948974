//! Connections: who gets one, how long it may stay silent, and how the last ones end.
//!
//! A client that keeps to no pace costs a descriptor and some buffers, for as long as `--silence`
//! allows and no longer. The places are shared: no client has more than half of them, and where they
//! are all taken, the connection that has been idle longest makes room for a new one.

mod connection;
mod notice;
mod paced;
mod places;
mod thread;

pub(crate) use self::paced::Pace;
pub use self::thread::prepare_thread;
use self::{connection::serve_connection, notice::Notice, places::Places};
use crate::{Config, monitoring};
use axum::Router;
use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    select,
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

/// How long requests may take to finish once the server has been told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How long no connection is taken after one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// Connections that are told at once why they are refused, and for how long; others are closed.
const REFUSALS: usize = 8;
const TELLING: Duration = Duration::from_secs(1);

/// What a client without a place gets to read.
const NO_PLACE: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 68\r\n\r\n\
    Too many connections are busy: close some, or try again in 10 s.   \n";

/// Serves `app` until `shutdown` resolves, then lets running requests finish, for ten seconds at
/// most.
///
/// # Errors
///
/// Fails where the clock is before 1970, for which HTTP has no dates.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    config: &Config,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    if SystemTime::now() < SystemTime::UNIX_EPOCH {
        return Err(io::Error::other(
            "the clock says that it is before 1970, and HTTP has no dates for that: set it",
        ));
    }
    let (stop, stopping) = watch::channel(());
    let accepting = Accepting {
        app,
        places: Places::new(places::most(config.connections)),
        pace: Pace::new(config),
        refusals: Arc::new(Semaphore::new(REFUSALS)),
        stopping,
    };
    let mut shutdown = pin!(shutdown);
    select! {
        () = accepting.run(&listener) => {}
        () = monitoring::keep_up() => {}
        () = &mut shutdown => {}
    }
    drop((listener, accepting));
    tracing::info!("stopping; no new connections are taken");
    let _ = stop.send(());
    select! {
        // Each connection has a receiver.
        () = stop.closed() => {}
        () = sleep(GRACE) => {
            tracing::warn!("requests still running after {} s are dropped", GRACE.as_secs());
        }
    }
    Ok(())
}

struct Accepting {
    app: Router,
    places: Arc<Places>,
    pace: Pace,
    refusals: Arc<Semaphore>,
    stopping: watch::Receiver<()>,
}

impl Accepting {
    async fn run(&self, listener: &TcpListener) {
        let mut refused = Notice::default();
        let mut failed = Notice::default();
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    if !self.connected(stream, peer) {
                        refused.say(|times| {
                            tracing::warn!(
                                times,
                                "refused a connection from {}: all places are busy, or half of them with this \
                                 client; `--connections` sets how many there are",
                                peer.ip(),
                            );
                        });
                    }
                }
                // Of one client, and gone with it.
                Err(error) if is_of_client(&error) => {}
                Err(error) => {
                    let freed = self.places.free_some();
                    failed.say(|times| {
                        tracing::error!(
                            times,
                            freed,
                            "a connection can't be taken: {error}; closing idle ones. If this goes on, raise the \
                             limit of open files (`ulimit -n`), or lower `--connections`",
                        );
                    });
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn refuse(&self, stream: TcpStream) {
        if let Ok(turn) = Arc::clone(&self.refusals).try_acquire_owned() {
            tokio::spawn(async move {
                let _turn = turn;
                refuse(stream).await;
            });
        }
    }

    /// Whether there was a place for it.
    fn connected(&self, stream: TcpStream, peer: SocketAddr) -> bool {
        let Some(place) = Places::take(&self.places, peer.ip().into()) else {
            self.refuse(stream);
            return false;
        };
        tokio::spawn(serve_connection(
            stream,
            peer,
            self.app.clone(),
            place,
            self.pace,
            self.stopping.clone(),
        ));
        true
    }
}

/// A connection that is closed with something unread takes along what was sent over it. So the client
/// is listened to until it has had time to read the refusal, where not many others are just now.
async fn refuse(mut stream: TcpStream) {
    let telling = async {
        stream.write_all(NO_PLACE).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = timeout(TELLING, telling).await;
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_has_the_length_it_declares() {
        let text = String::from_utf8_lossy(NO_PLACE);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        assert!(
            head.ends_with(&format!("content-length: {}", body.len())),
            "{}",
            body.len()
        );
    }
}
