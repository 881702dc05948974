//! A dashboard: what is in the process's memory, which routes cost it, and what to do next.
//!
//! [`router`] serves it wherever you nest it, with the same figures as JSON. [`serve`] serves it on a thread of
//! its own, where it answers even while all of the app's threads are blocked.

mod access;
mod advice;
mod figures;
mod page;
mod serve;

pub use self::{
    access::Access,
    serve::{Server, serve},
};

use crate::routes::Routes;
use axum::{
    Router,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    middleware,
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::get,
};
use futures_util::stream::{self, Stream};
use std::{convert::Infallible, time::Duration};
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The dashboard's page, its figures as JSON, and a stream of their changes.
///
/// | path | content |
/// |---|---|
/// | `/` | the page: one document, which loads nothing but the stream |
/// | `/figures.json` | the figures of [`Routes::snapshot`]: sizes in bytes, times in seconds since 1970 |
/// | `/events` | the same as server-sent events, one a second; after the first, only the latest samples |
///
/// Nest it beside the watched routes, after `layer`. Otherwise the stream, which stays open, is a request that
/// overlaps all others:
///
/// ```
/// use axum::{Router, routing::get};
/// use std::net::SocketAddr;
/// use tower_memory::{MemoryLayer, dashboard::{self, Access}, routes::Routes};
///
/// let routes = Routes::new();
/// let app: Router = Router::new()
///     .route("/", get(|| async { "hello" }))
///     .layer(MemoryLayer::new().on_report(routes.clone()))
///     .nest_service("/memory", dashboard::router(routes, Access::Loopback));
/// // Tells the dashboard the address of each client:
/// let service = app.into_make_service_with_connect_info::<SocketAddr>();
/// ```
///
/// GET only. Every response forbids browsers to store it or to send a referrer, and the page's policy allows no
/// other script and nothing else to be loaded.
///
/// # Cost
///
/// Nothing while nobody looks. An open page costs one [`Routes::snapshot`] and its JSON a second.
///
/// If handlers block all threads of a runtime, it answers nothing, including a page nested in it. [`serve`] still
/// answers.
///
/// A stream ends after ten seconds, and the page opens the next one. So a graceful shutdown waits no longer than
/// that.
pub fn router<S>(routes: Routes, access: Access) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route("/", get(page::page))
        .route("/figures.json", get(figures_json))
        .route("/events", get(events))
        .layer(middleware::from_fn_with_state(access, access::guard))
        .layer(middleware::map_response(discreetly))
        .with_state(routes)
}

async fn discreetly(response: Response) -> impl IntoResponse {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, response)
}

async fn figures_json(State(routes): State<Routes>) -> impl IntoResponse {
    let figures = figures::figures(&routes.snapshot(), Duration::ZERO);
    ([(CONTENT_TYPE, "application/json")], figures.to_string())
}

/// How many events one stream has.
const EVENTS: u32 = 10;

/// The delay before the page opens the next stream.
const RETRY: Duration = Duration::from_millis(500);

async fn events(State(routes): State<Routes>) -> impl IntoResponse {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Sse::new(changes(routes, ticks))
}

fn changes(routes: Routes, ticks: Interval) -> impl Stream<Item = Result<Event, Infallible>> {
    let start = (ticks, Duration::ZERO, EVENTS);
    stream::unfold(start, move |(mut ticks, since, left)| {
        let routes = routes.clone();
        async move {
            let left = left.checked_sub(1)?;
            ticks.tick().await;
            let snapshot = routes.snapshot();
            let figures = figures::figures(&snapshot, since).to_string();
            let event = Event::default().retry(RETRY).data(figures);
            // The last second and minute may still grow.
            let next = snapshot.seconds.last().map_or(since, |sample| sample.at);
            Some((Ok(event), (ticks, next, left)))
        }
    })
}
