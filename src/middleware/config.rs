use super::in_flight::InFlight;
use crate::{
    log::Log,
    report::OnReport,
    resident::{self, MIB, SharedReading},
    route::Route,
};
use http::request;
use std::{sync::Arc, time::Duration};

/// What all clones of a layer and its services share.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) resident: Arc<SharedReading>,
    pub(crate) warn_above: u64,
    pub(crate) route_with: Option<Arc<RouteWith>>,
    pub(crate) log: Option<Arc<dyn OnReport>>,
    pub(crate) listeners: Vec<Arc<dyn OnReport>>,
}

type RouteWith = dyn Fn(&request::Parts) -> Option<Route> + Send + Sync;

impl Config {
    pub(crate) fn listeners(&self) -> impl Iterator<Item = &dyn OnReport> {
        self.log.iter().chain(&self.listeners).map(Arc::as_ref)
    }
}

impl Default for Config {
    fn default() -> Self {
        let resolution = Duration::from_micros(100);
        let reader = Arc::new(resident::default_reader());
        Self {
            in_flight: Arc::default(),
            resident: Arc::new(SharedReading::new(reader, resolution)),
            warn_above: 100 * MIB,
            route_with: None,
            log: Some(Arc::new(Log::new())),
            listeners: Vec::new(),
        }
    }
}
