use crate::{
    Config,
    monitoring::Monitoring,
    origin::{self, Hosts},
    page, problem,
    problem::Problem,
    routes,
    stream::{OVERDUE, STALLED},
};
use axum::{Router, extract::DefaultBodyLimit, middleware, response::IntoResponse};
use std::io;
use tower_http::{
    CompressionLevel,
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer},
    trace::TraceLayer,
};
use tower_memory::{MemoryLayer, reclaim::Reclaim};

/// The application: the page, the systems, every layer around them, and what these tell of it.
///
/// # Errors
///
/// Where the dashboard can't have the address of its own that it is given.
///
/// # Panics
///
/// When the process has installed a recorder of metrics already.
pub fn app(config: &Config) -> io::Result<Router> {
    let monitoring = Monitoring::new(config)?;
    let router = Router::new()
        .merge(page::routes(config))
        .merge(routes::routes(config));
    let layer = monitoring.listen(memory_layer(config));
    let app = monitoring.beside(with_layers(router, config, layer));
    Ok(app.layer(middleware::from_fn(origin::one_host)))
}

fn with_layers(routes: Router, config: &Config, memory: MemoryLayer) -> Router {
    let body_limit = usize::try_from(config.body_limit.as_u64()).unwrap_or(usize::MAX);
    routes
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(RequestBodyTimeoutLayer::new(STALLED))
        .layer(RequestBodyDeadlineLayer::new(OVERDUE))
        .layer(middleware::from_fn_with_state(
            Hosts::new(config),
            origin::guard,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal().into_response()
        }))
        .layer(middleware::from_fn(problem::describe))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(TraceLayer::new_for_http())
        .layer(memory)
}

fn memory_layer(config: &Config) -> MemoryLayer {
    let mut layer = MemoryLayer::new().warn_above(config.warn_above.as_u64());
    if let Some(peak) = config.warn_peak_above {
        layer = layer.warn_peak_above(peak.as_u64());
    }
    if config.reclaim {
        layer = layer.on_report(Reclaim::new());
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, extract::Request, http::StatusCode, routing::get};
    use clap::Parser;
    use std::time::Duration;
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_handler_that_panics_answers_with_a_problem() {
        let router = Router::new().route("/", get(async || -> () { panic!("on purpose") }));
        let app = with_layers(
            router,
            &Config::parse_from(["system-builder"]),
            MemoryLayer::new(),
        );
        let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }

    #[tokio::test]
    async fn a_client_that_has_to_wait_is_told_for_how_long() {
        let wait = Duration::from_secs(7);
        let busy = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Busy.").retry_after(wait);
        let router = Router::new().route("/", get(async move || busy.clone()));
        let app = with_layers(
            router,
            &Config::parse_from(["system-builder"]),
            MemoryLayer::new(),
        );
        let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "7");
    }
}
