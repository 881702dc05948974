//! One connection, from its first byte to its last.

use super::{
    paced::{Pace, Paced},
    places::{Busy, Place},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
};
use http_body::{Frame, SizeHint};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpStream, select, sync::watch, time::sleep};
use tower_service::Service;

/// What one connection may hold of a head, and of what is to be sent.
const BUFFER: usize = 32 * 1024;

/// How long a head may take once the server has been told to stop, and the end of an answer to leave.
const LAST: Duration = Duration::from_secs(1);

pub(super) async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    place: Place,
    pace: Pace,
    mut stopping: watch::Receiver<()>,
) {
    // Pieces of answers are not to wait for each other's acknowledgement.
    let _ = stream.set_nodelay(true);
    let place = &place;
    let service = service_fn(|request: Request<Incoming>| {
        let busy = place.busy();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = app.clone().call(request);
        async move {
            let answer = answer.await;
            answer.map(|answer| answer.map(|body| Marked { body, _busy: busy }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(pace.silence / 3)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Paced::new(stream, pace)), service);
    let mut connection = pin!(connection);
    let done = select! {
        done = connection.as_mut() => done,
        () = place.sent_away() => return,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let half_a_head = async {
                sleep(LAST).await;
                while place.is_busy() {
                    sleep(LAST).await;
                }
            };
            select! {
                done = connection.as_mut() => done,
                () = half_a_head => return,
            }
        }
    };
    if let Err(error) = done {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// A response body that knows when it has ended.
struct Marked {
    body: Body,
    _busy: Busy,
}

impl http_body::Body for Marked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
