use crate::{heap::HeapFlow, resident::Resident, route::Route, verdict::Verdict};
use http::{Method, StatusCode};
use std::{fmt, time::Duration};
use tracing::Span;

/// The effect of one request on the process. Every request has exactly one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The request's method.
    pub method: Method,
    /// The matched route template, never the raw path.
    pub route: Route,
    /// The response's status; `None` when there was no response.
    pub status: Option<StatusCode>,
    /// The result of a gRPC call: the `grpc-status` of its response. `None` for other requests.
    pub grpc_status: Option<i32>,
    /// How the request ended.
    pub outcome: Outcome,
    /// How long the request window was open.
    pub duration: Duration,
    /// The resident set when the window opened; `None` when it could not be read.
    pub before: Option<Resident>,
    /// The resident set when the window closed; `None` when it could not be read.
    pub after: Option<Resident>,
    /// How many other requests of this layer (and its clones) shared any part of the window.
    pub overlap: u32,
    /// Requests of this layer (and its clones) in flight when the window closed, including this one.
    pub in_flight: u32,
    /// The request body's size in bytes as declared by `content-length`; `None` when it declares none.
    pub request_size: Option<u64>,
    /// Response body bytes passed on, excluding trailers.
    pub response_size: u64,
    /// What the request allocated and freed; `None` when no heap meter is installed.
    pub heap: Option<HeapFlow>,
    /// Live heap of the process when the window opened, in bytes; `None` without a heap meter.
    pub live_before: Option<u64>,
    /// Live heap of the process when the window closed, in bytes; `None` without a heap meter.
    pub live_after: Option<u64>,
    /// The explanation of the growth.
    pub verdict: Verdict,
    /// The request's span. Events about the request are recorded in it even when its body is dropped elsewhere.
    pub(crate) span: Span,
}

impl Report {
    /// Of no request yet.
    pub(crate) fn blank() -> Self {
        Self {
            method: Method::GET,
            route: Route::UNMATCHED,
            status: None,
            grpc_status: None,
            outcome: Outcome::Cancelled,
            duration: Duration::ZERO,
            before: None,
            after: None,
            overlap: 0,
            in_flight: 0,
            request_size: None,
            response_size: 0,
            heap: None,
            live_before: None,
            live_after: None,
            verdict: Verdict::WithinThreshold,
            span: Span::none(),
        }
    }

    /// Resident bytes at the end of the window minus those at its start; `None` when either could not be read.
    pub fn growth(&self) -> Option<i64> {
        let (before, after) = (
            i128::from(self.before?.total),
            i128::from(self.after?.total),
        );
        i64::try_from(after - before).ok()
    }

    /// The span that was current when the layer was called; disabled if there was none.
    pub fn span(&self) -> &Span {
        &self.span
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The response body was read to its end.
    Completed,
    /// The service returned an error and no response.
    ServiceError,
    /// The response future was dropped before it was ready: the client left, or a timeout fired.
    Cancelled,
    /// The response body was dropped before its end.
    BodyDropped,
    /// The response body failed.
    BodyError,
    /// The service panicked when it was called, or its future or response body when it was polled or
    /// dropped.
    Panicked,
}

impl Outcome {
    #[cfg(feature = "routes")]
    pub(crate) const ALL: [Self; 6] = [
        Self::Completed,
        Self::ServiceError,
        Self::Cancelled,
        Self::BodyDropped,
        Self::BodyError,
        Self::Panicked,
    ];

    /// The name used in the log: `completed`, `service_error`, `cancelled`, `body_dropped`, `body_error` or
    /// `panicked`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ServiceError => "service_error",
            Self::Cancelled => "cancelled",
            Self::BodyDropped => "body_dropped",
            Self::BodyError => "body_error",
            Self::Panicked => "panicked",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Background work that carried its request's [`CurrentRequest`](crate::heap::CurrentRequest), went on after the
/// request's report and has now ended.
///
/// The request's [`Report`] includes none of it, except as memory then in use: [`HeapFlow::running`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LateWork {
    /// The request's method.
    pub method: Method,
    /// The matched route template.
    pub route: Route,
    /// The heap flow of the work. [`received`](HeapFlow::received) is the memory it took over from the request, and
    /// [`retained`](HeapFlow::retained) what is still live of both. Since it frees memory that the request
    /// allocated, its net flow is often negative.
    pub heap: HeapFlow,
    /// [`Verdict::Retained`] at or above the threshold, else [`Verdict::WithinThreshold`].
    pub verdict: Verdict,
    /// Whether the work took over at least the threshold, in which case the log warned about its request as
    /// [`Verdict::Running`].
    pub is_awaited: bool,
    pub(crate) span: Span,
}

impl LateWork {
    /// The span that was current when the layer was called; disabled if there was none.
    pub fn span(&self) -> &Span {
        &self.span
    }
}

/// Listens to reports. `Fn(&Report)` closures are listeners.
///
/// Called once per request, on the thread that ends it, often from a destructor: be quick, and hand longer work to
/// another thread.
///
/// If more than 1 KiB of the request is still live at its end, the call comes a little later, from a thread of this
/// crate: once the server has dropped the response, and after at most 50 ms, or 10 s while a client has yet to read
/// its response. A panic is caught and doesn't affect the request.
pub trait OnReport: Send + Sync + 'static {
    /// One request has ended.
    fn on_report(&self, report: &Report);

    /// Background work of a request has ended, after the request.
    fn on_late_work(&self, work: &LateWork) {
        let _ = work;
    }
}

impl<F> OnReport for F
where
    F: Fn(&Report) + Send + Sync + 'static,
{
    fn on_report(&self, report: &Report) {
        self(report);
    }
}
