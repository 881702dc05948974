use axum::body::Body;
use futures_util::FutureExt;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, time::SystemTime};

/// Prepares a thread of the runtime for a clock that is set back.
///
/// hyper notes the date in each thread at the first connection there, and panics where that is
/// before 1970. Once it has noted one, it goes on with it. So a thread serves a connection at its
/// start, over which nothing comes.
pub fn prepare_thread() {
    if SystemTime::now() < SystemTime::UNIX_EPOCH {
        return;
    }
    let never =
        service_fn(async |_: Request<Incoming>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(tokio::io::empty()), never);
    let _ = connection.now_or_never();
}
