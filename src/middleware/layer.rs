use super::{config::Config, service::MemoryService};
use crate::{report::OnReport, resident::ReadResident, route::Route};
use http::request;
use std::{fmt, sync::Arc, time::Duration};
use tower_layer::Layer;

/// Watches what each request does to the resident set of the process.
///
/// Requests overlap if they go through the same layer or its clones, so serve several listeners or routers from clones
/// of one layer. Clones are cheap, and a clone that you configure further still counts with the others. Separately
/// created layers don't see each other's requests.
///
/// ```
/// use axum::{Router, routing::post};
/// use tower_memory::{MIB, MemoryLayer};
///
/// let app: Router = Router::new()
///     .route("/upload", post(|body: String| async move { body.len().to_string() }))
///     .layer(MemoryLayer::new().warn_above(50 * MIB));
/// ```
///
/// # Around a whole router
///
/// [`Router::layer`](https://docs.rs/axum/0.8/axum/struct.Router.html#method.layer) covers the routes and the fallback
/// added so far, and knows the routes' names. Requests answered by outer middleware (a login check, a rate limit) never
/// reach it. A clone around the whole router sees those too:
///
/// ```
/// use axum::{Router, http::StatusCode, routing::get};
/// use tower_memory::MemoryLayer;
///
/// let layer = MemoryLayer::new();
/// let routes = Router::new()
///     .route("/systems/{id}", get(|| async { "a system" }))
///     .fallback(|| async { StatusCode::NOT_FOUND })
///     .layer(layer.clone()) // names the routes
///     /* .layer(other middleware) */;
/// let app: Router = Router::new().fallback_service(routes).layer(layer); // sees the rest
/// ```
///
/// Each request is reported once: by the inner clone, with its route, or, if it never got there, by the outer clone, as
/// `unmatched`. Memory that the middleware in between allocates counts for `unmatched` in
/// [`live_by_route`](crate::heap::live_by_route). That middleware must call the inner service from the same task.
/// Behind a `Buffer`, the two clones can't tell that they serve one request, and both report it.
///
/// # gRPC
///
/// tonic's server takes the layer as it is. A call's route is its method, `/{service}/{method}`, and its result is
/// [`Report::grpc_status`](crate::Report::grpc_status), logged as `rpc.grpc.status_code`:
///
/// ```
/// use tonic::transport::Server;
/// use tower_memory::MemoryLayer;
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use tonic::{body::Body, server::NamedService};
///
/// # async fn serve<S>(greeter: S) -> Result<(), tonic::transport::Error>
/// # where
/// #     S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
/// #     S: NamedService + Clone + Send + Sync + 'static,
/// #     S::Future: Send + 'static,
/// # {
/// Server::builder()
///     .layer(MemoryLayer::new())
///     .add_service(greeter)
///     .serve("[::1]:50051".parse().unwrap())
///     .await
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryLayer {
    config: Arc<Config>,
}

impl MemoryLayer {
    /// Logs a warning for growth of 100 MiB or more. Readings are shared for 100 µs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Warns when a request grows the process by at least `bytes`; with 0, by any growth. With a heap meter, also warns
    /// when a request retains that much although the process did not grow.
    pub fn warn_above(self, bytes: u64) -> Self {
        self.with(|config| config.thresholds.growth = bytes)
    }

    /// Also warns when a request holds at least `bytes` at once, even if it frees all of it. Off by default; needs a
    /// heap meter.
    ///
    /// ```
    /// use tower_memory::{MIB, MemoryLayer};
    ///
    /// let layer = MemoryLayer::new().warn_peak_above(500 * MIB);
    /// ```
    pub fn warn_peak_above(self, bytes: u64) -> Self {
        self.with(|config| config.thresholds.peak = Some(bytes))
    }

    /// Shares a reading between requests while it is younger than this. With zero, each request reads at its start and
    /// at its end.
    ///
    /// At the default of 100 µs, growth in the last 100 µs of a request can be missed there and attributed to a request
    /// that opens within them: a few MiB, at the rate at which a kernel hands out pages. A longer resolution widens
    /// this error.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_memory::MemoryLayer;
    ///
    /// let layer = MemoryLayer::new().resolution(Duration::ZERO);
    /// ```
    pub fn resolution(self, resolution: Duration) -> Self {
        self.with(|config| config.resident = Arc::new(config.resident.with_resolution(resolution)))
    }

    /// Reads the resident set with `reader` instead of the platform's default, which on Linux costs one system call of
    /// about a microsecond. [`ReadResident`] has an example.
    pub fn reader(self, reader: impl ReadResident) -> Self {
        let reader = Arc::new(reader);
        self.with(|config| config.resident = Arc::new(config.resident.with_reader(reader)))
    }

    /// Labels requests yourself, overriding the router.
    ///
    /// Return `None` to leave the label to the router: axum's matched path (feature `axum`), else the method of a gRPC
    /// call, else [`Route::UNMATCHED`]. Return one of a few fixed names, never the raw path: each distinct name becomes
    /// a label in logs and metrics.
    ///
    /// ```
    /// use tower_memory::{MemoryLayer, Route};
    ///
    /// let layer = MemoryLayer::new().route_with(|request| match request.uri.path() {
    ///     "/upload" => Some(Route::from("/upload")),
    ///     path if path.starts_with("/files/") => Some(Route::from("/files/{name}")),
    ///     _ => None,
    /// });
    /// ```
    ///
    /// Called for each request, before the inner service, so keep it quick. Showing it the request's parts takes the
    /// request apart and puts it together again, which copies some 250 bytes twice. A panic counts as the inner
    /// service's.
    pub fn route_with<F>(self, route: F) -> Self
    where
        F: Fn(&request::Parts) -> Option<Route> + Send + Sync + 'static,
    {
        self.with(|config| config.route_with = Some(Arc::new(route)))
    }

    /// Adds a listener that is called with the report of every request.
    ///
    /// ```
    /// use tower_memory::{MemoryLayer, Report};
    ///
    /// let layer = MemoryLayer::new().on_report(|report: &Report| {
    ///     if report.growth().is_some_and(|growth| growth > 0) {
    ///         println!("{}: {}", report.route, report.verdict);
    ///     }
    /// });
    /// ```
    pub fn on_report(self, listener: impl OnReport) -> Self {
        self.with(|config| config.listeners.push(Arc::new(listener)))
    }

    /// Removes the built-in [`Log`](crate::Log), and with it the warnings. `Log`'s page shows how to replace it.
    pub fn without_log(self) -> Self {
        self.with(|config| config.log = None)
    }

    fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S> Layer<S> for MemoryLayer {
    type Service = MemoryService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        MemoryService::new(inner, Arc::clone(&self.config))
    }
}

impl fmt::Debug for MemoryLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLayer")
            .field("warn_above", &self.config.thresholds.growth)
            .finish_non_exhaustive()
    }
}
