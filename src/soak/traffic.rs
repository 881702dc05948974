//! Sends the requests of a soak.

use http::{Request, Response, StatusCode};
use http_body::Body;
use std::{
    fmt::Display,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::task::JoinSet;
use tower_service::Service;

type Sent = Pin<Box<dyn Future<Output = Result<StatusCode, String>> + Send>>;

/// Sends the request with a number, and reads its response to the end.
pub(super) type Send1 = Arc<dyn Fn(u64) -> Sent + Send + Sync>;

/// Requests that `make` makes, to `service`.
pub(super) fn requests_to<S, B, R>(
    service: S,
    make: impl Fn(u64) -> Request<B> + Send + Sync + 'static,
) -> Send1
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Display,
    S::Future: Send,
    B: Send + 'static,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Display,
{
    // Not every service is Sync.
    let service = Mutex::new(service);
    Arc::new(move |number| {
        let service = service
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let request = make(number);
        Box::pin(send(service, request))
    })
}

async fn send<S, B, R>(mut service: S, request: Request<B>) -> Result<StatusCode, String>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display,
    R: Body,
    R::Error: Display,
{
    let ready = poll_fn(|context| service.poll_ready(context)).await;
    ready.map_err(|error| error.to_string())?;
    let response = service.call(request).await;
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status();
    let mut body = pin!(response.into_body());
    while let Some(frame) = poll_fn(|context| body.as_mut().poll_frame(context)).await {
        frame.map_err(|error| format!("the body breaks off: {error}"))?;
    }
    Ok(status)
}

/// What the soak itself forgets for each request, to see whether it would notice.
pub(super) const FORGOTTEN: usize = 32;
pub(super) type Forgotten = Arc<Mutex<Vec<Box<[u8; FORGOTTEN]>>>>;

/// A number of requests, by so many at a time.
pub(super) struct Batch {
    pub(super) send: Send1,
    pub(super) expect: fn(StatusCode) -> bool,
    pub(super) at_once: usize,
    pub(super) forget: Option<Forgotten>,
}

impl Batch {
    /// Sends requests `from..to`.
    ///
    /// # Errors
    ///
    /// The first failure and how many there were.
    pub(super) async fn run(&self, from: u64, to: u64) -> Result<(), String> {
        let next = Arc::new(AtomicU64::new(from));
        let mut senders = JoinSet::new();
        for _ in 0..self.at_once {
            let (next, send) = (Arc::clone(&next), Arc::clone(&self.send));
            let (expect, forget) = (self.expect, self.forget.clone());
            senders.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= to {
                        return Ok(());
                    }
                    match send(number).await {
                        Ok(status) if expect(status) => {}
                        Ok(status) => {
                            return Err(format!("request {number} was answered {status}"));
                        }
                        Err(error) => return Err(format!("request {number} failed: {error}")),
                    }
                    if let Some(forgotten) = &forget {
                        let mut forgotten =
                            forgotten.lock().unwrap_or_else(PoisonError::into_inner);
                        forgotten.push(Box::new([1; FORGOTTEN]));
                    }
                }
            });
        }
        let mut result = Ok(());
        while let Some(ended) = senders.join_next().await {
            let ended = ended.unwrap_or_else(|_| Err("the service panicked".to_owned()));
            result = result.and(ended);
        }
        result
    }
}
