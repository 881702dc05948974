//! The process's figures: `/memory` for a person on this machine, `/metrics` for Prometheus.

use crate::Config;
use axum::{
    Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing::get,
};
use metrics::describe_counter;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tower_memory::{
    MIB, MemoryLayer,
    dashboard::{self, Access},
    metrics::Metrics,
    routes::Routes,
};

pub(crate) struct Monitoring {
    routes: Routes,
    metrics: Metrics,
    metrics_for: Access,
    /// The dashboard on a thread of its own, which lives as long as the app.
    _dashboard: Option<dashboard::Server>,
}

impl Monitoring {
    pub(crate) fn new(config: &Config) -> io::Result<Self> {
        // The recorder first: `Metrics` describes itself to the one that is there.
        prometheus();
        describe_counter!("log_lines_dropped", "Log lines that nothing read in time.");
        let routes = Routes::new();
        let serve = |address| dashboard::serve(address, routes.clone(), Access::Loopback);
        let dashboard = config.dashboard.map(serve).transpose()?;
        if let Some(dashboard) = &dashboard {
            tracing::info!("the dashboard is at http://{}", dashboard.address());
        }
        Ok(Self {
            routes,
            metrics: Metrics::new(),
            metrics_for: config.metrics.into(),
            _dashboard: dashboard,
        })
    }

    pub(crate) fn listen(&self, layer: MemoryLayer) -> MemoryLayer {
        layer
            .on_report(self.routes.clone())
            .on_report(self.metrics.clone())
    }

    /// Serves them beside `app` and its layers: what asks all the time would overlap with every
    /// request.
    pub(crate) fn beside(self, app: Router) -> Router {
        let dashboard = dashboard::router(self.routes.clone(), Access::Loopback);
        let access = self.metrics_for;
        let metrics = Router::new().route("/metrics", get(exposition).with_state(Arc::new(self)));
        // The application is merged into it, not the other way round: its fallback is to remain.
        access
            .guard(metrics)
            .merge(app)
            .nest_service("/memory", dashboard)
    }
}

async fn exposition(State(monitoring): State<Arc<Monitoring>>) -> impl IntoResponse {
    monitoring.metrics.observe();
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], prometheus().render())
}

/// The recorder of the process, which can have only one.
///
/// # Panics
///
/// When the process has installed another.
fn prometheus() -> &'static PrometheusHandle {
    static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();
    PROMETHEUS.get_or_init(|| install().expect("the process has no other recorder of metrics"))
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let growth = Matcher::Full("tower_memory.request.growth".to_owned());
    let buckets = [1, 4, 16, 64, 256, 1024, 4096].map(|mib| (mib * MIB) as f64);
    PrometheusBuilder::new()
        .with_recommended_naming(true)
        .set_buckets_for_metric(growth, &buckets)?
        .install_recorder()
}

/// Sorts what histograms have gathered into their buckets, for ever: it would pile up where nobody asks
/// for the metrics.
pub(crate) async fn keep_up() {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        prometheus().run_upkeep();
    }
}
