//! The page for a person: one document, its style and its script, all from here.

use crate::Config;
use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::Html,
    routing::{MethodRouter, get},
};
use tower_http::set_header::SetResponseHeaderLayer;

/// Nothing inline and nothing from elsewhere, so that text from a file can never become code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      img-src 'self'; connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// Where the library is that draws charts, [Apache ECharts](https://echarts.apache.org) 6.1.0 as it
/// was released.
const CHARTS: &str = "/echarts-6.1.0.js";

pub(crate) fn routes(config: &Config) -> Router {
    let index = format!(
        include_str!("index.html"),
        body_limit = config.body_limit,
        body_limit_bytes = config.body_limit.as_u64(),
        charts = CHARTS,
    );
    Router::new()
        .route("/", get(async || (guards(), Html(index))))
        .route(
            "/app.css",
            asset("text/css; charset=utf-8", include_str!("app.css")),
        )
        .route(
            "/app.js",
            asset("text/javascript; charset=utf-8", include_str!("app.js")),
        )
        .route(
            "/results.js",
            asset("text/javascript; charset=utf-8", include_str!("results.js")),
        )
        .route(
            CHARTS,
            // The version is in the path: what is there never changes.
            asset(
                "text/javascript; charset=utf-8",
                include_str!("vendor/echarts.min.js"),
            )
            .layer(SetResponseHeaderLayer::overriding(
                header::CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=31536000, immutable"),
            )),
        )
        .route(
            "/icon.svg",
            asset("image/svg+xml", include_str!("icon.svg")),
        )
}

fn asset(content_type: &'static str, text: &'static str) -> MethodRouter {
    get(async move || (guards(), [(header::CONTENT_TYPE, content_type)], text))
}

/// Headers that keep a browser strict.
pub(crate) fn guards() -> [(HeaderName, &'static str); 2] {
    [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}
