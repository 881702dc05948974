//! The page for a person: one document, its style and its scripts, all from here.

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

/// A system with a bit of everything, for who has none at hand.
const EXAMPLE: &str = include_str!("../../../efootprint/tests/systems/mixed_example.json");

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The scripts, which are modules: each imports what it needs of others. The first is the one that
/// the page names.
const SCRIPTS: [(&str, &str); 14] = [
    ("/app.js", include_str!("app.js")),
    ("/api.js", include_str!("api.js")),
    ("/attempt.js", include_str!("attempt.js")),
    ("/attributes.js", include_str!("attributes.js")),
    ("/charts.js", include_str!("charts.js")),
    ("/computed.js", include_str!("computed.js")),
    ("/elements.js", include_str!("elements.js")),
    ("/figures.js", include_str!("figures.js")),
    ("/numbers.js", include_str!("numbers.js")),
    ("/page.js", include_str!("page.js")),
    ("/results.js", include_str!("results.js")),
    ("/system.js", include_str!("system.js")),
    ("/systems.js", include_str!("systems.js")),
    ("/upload.js", include_str!("upload.js")),
];

pub(crate) fn routes(config: &Config) -> Router {
    let index = format!(
        include_str!("index.html"),
        body_limit = config.body_limit,
        body_limit_bytes = config.body_limit.as_u64(),
        charts = CHARTS,
    );
    let scripts = SCRIPTS.iter().fold(Router::new(), |router, (path, text)| {
        router.route(path, asset(JAVASCRIPT, text))
    });
    scripts
        .route("/", get(async || (guards(), Html(index))))
        .route(
            "/app.css",
            asset("text/css; charset=utf-8", include_str!("app.css")),
        )
        .route(
            CHARTS,
            // The version is in the path: what is there never changes.
            asset(JAVASCRIPT, include_str!("vendor/echarts.min.js")).layer(
                SetResponseHeaderLayer::overriding(
                    header::CACHE_CONTROL,
                    HeaderValue::from_static("public, max-age=31536000, immutable"),
                ),
            ),
        )
        .route("/example.json", asset("application/json", EXAMPLE))
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
