use super::in_flight::InFlight;
use crate::{
    heap,
    log::Log,
    reading::SharedReading,
    report::OnReport,
    resident::{self, MIB},
    route::Route,
    shield::shielded,
    verdict::Thresholds,
};
use http::request;
use std::{sync::Arc, time::Duration};

/// Shared by all clones of a layer and their services.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) resident: Arc<SharedReading>,
    pub(crate) thresholds: Thresholds,
    pub(crate) route_with: Option<Arc<RouteWith>>,
    pub(crate) log: Option<Arc<dyn OnReport>>,
    pub(crate) listeners: Vec<Arc<dyn OnReport>>,
}

type RouteWith = dyn Fn(&request::Parts) -> Option<Route> + Send + Sync;

impl Config {
    /// Calls `tell` with each listener. A panic in one affects neither the request nor the
    /// next listener.
    #[inline]
    pub(crate) fn tell(&self, tell: impl Fn(&dyn OnReport)) {
        // This thread may be serving another request, and the memory listeners keep is not
        // that request's.
        heap::as_nobody(|| {
            if let Some(log) = &self.log {
                shielded(|| tell(&**log));
            }
            for listener in &self.listeners {
                shielded(|| tell(&**listener));
            }
        });
    }
}

impl Default for Config {
    fn default() -> Self {
        let resolution = Duration::from_micros(100);
        let reader = Arc::new(resident::default_reader());
        Self {
            in_flight: Arc::default(),
            resident: Arc::new(SharedReading::new(reader, resolution)),
            thresholds: Thresholds {
                growth: 100 * MIB,
                peak: None,
            },
            route_with: None,
            log: Some(Arc::new(Log::new())),
            listeners: Vec::new(),
        }
    }
}
