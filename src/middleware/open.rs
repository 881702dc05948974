use super::{
    config::Config,
    ending,
    in_flight::{Arrival, Departure},
    nesting,
};
use crate::{
    heap::{BodyWithServer, Flow},
    reading::Reading,
    report::{Outcome, Report},
    route::Route,
};
use bytes::Buf;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, Version, header::CONTENT_LENGTH};
use std::{sync::Arc, time::Duration};
use tracing::{Span, level_filters::LevelFilter};

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// A request whose window is open, with the report in the making.
///
/// Used again for other requests, so each field is set anew by [`open`](Self::open) or left blank by
/// [`close`](Self::close).
pub(super) struct Open {
    /// `None` between two requests.
    config: Option<Arc<Config>>,
    /// `None` once an inner clone of the layer has taken over the request.
    arrival: Option<Arrival>,
    opened_at: u64,
    is_http1: bool,
    declared_size: Option<u64>,
    pub(super) flow: Flow,
    report: Report,
}

impl Open {
    pub(super) fn blank() -> Self {
        Self {
            config: None,
            arrival: None,
            opened_at: 0,
            is_http1: false,
            declared_size: None,
            flow: Flow::Unmetered,
            report: Report::blank(),
        }
    }

    #[inline(always)]
    pub(super) fn open<B>(&mut self, config: &Arc<Config>, request: &Request<B>) {
        self.is_http1 = request.version() <= Version::HTTP_11;
        self.declared_size = None;
        let report = &mut self.report;
        report.method = request.method().clone();
        report.status = None;
        report.grpc_status = None;
        report.outcome = Outcome::Cancelled;
        report.request_size = content_length(request.headers());
        report.response_size = 0;
        // Without a subscriber there is nobody to ask.
        if LevelFilter::current() != LevelFilter::OFF {
            report.span = Span::current();
        }
        let in_flight = &config.in_flight;
        self.arrival = Some(nesting::take_over(in_flight).unwrap_or_else(|| in_flight.enter()));
        let opened = config.resident.read();
        self.opened_at = opened.at;
        report.heap = None;
        report.before = opened.resident;
        report.live_before = opened.live();
        self.config = Some(Arc::clone(config));
    }

    /// From here on, allocations for the request count for `route`, or for none of them.
    #[inline]
    pub(super) fn name(&mut self, route: Option<Route>) {
        if let Some(route) = route {
            self.report.route = route;
        }
        self.flow.open(&self.report.route, self.opened_at);
    }

    /// There is a response. From here on, an end of the window means that the body was dropped.
    #[inline]
    pub(super) fn responded(&mut self, status: StatusCode, declared_size: Option<u64>) {
        self.report.status = Some(status);
        self.report.outcome = Outcome::BodyDropped;
        self.declared_size = declared_size;
    }

    #[inline]
    pub(super) fn set_outcome(&mut self, outcome: Outcome) {
        self.report.outcome = outcome;
    }

    /// Looks for the result of a gRPC call, always a POST, in headers or trailers.
    #[inline]
    pub(super) fn saw(&mut self, headers: &HeaderMap) {
        if self.report.method != Method::POST {
            return;
        }
        if let Some(status) = headers.get(&GRPC_STATUS) {
            self.report.grpc_status = status.to_str().ok().and_then(|text| text.parse().ok());
        }
    }

    /// Whether HTTP allows the response no body, in which case no server will ever poll it.
    #[inline]
    pub(super) fn has_no_body(&self) -> bool {
        let method = &self.report.method;
        *method == Method::HEAD
            || self.report.status.is_some_and(|status| {
                status.is_informational()
                    || status == StatusCode::NO_CONTENT
                    || status == StatusCode::NOT_MODIFIED
                    || (*method == Method::CONNECT && status.is_success())
            })
    }

    /// A frame of the response body goes on to the server.
    #[inline]
    pub(super) fn passed<D: Buf>(&mut self, data: &D) {
        self.report.response_size += data.remaining() as u64;
    }

    /// A frame comes from the inner service and will go on to the server.
    #[inline]
    pub(super) fn took<D: Buf + 'static>(&mut self, data: &mut D) {
        // If an inner clone has the request, it already follows the frame.
        if self.arrival.is_some() {
            self.flow.hand_over(data);
        }
    }

    /// Whether the response body has reached its declared size, at which HTTP/1 servers stop polling. HTTP/2
    /// servers go on, for trailers.
    #[inline]
    pub(super) fn passed_all(&self) -> bool {
        self.is_http1
            && self
                .declared_size
                .is_some_and(|size| self.report.response_size >= size)
    }

    pub(super) fn before_body(&self) -> Option<BodyWithServer> {
        self.flow.before_body()
    }

    /// Enters the request where inner clones of the layer look for it: see [`nesting`].
    #[inline]
    pub(super) fn enter_service(&self) -> Option<nesting::Outer> {
        let config = self.config.as_ref()?;
        Some(nesting::enter(&config.in_flight, self.arrival))
    }

    #[inline]
    pub(super) fn leave_service(&mut self, outer: &nesting::Outer) {
        self.arrival = nesting::leave(outer);
    }

    /// Closes the window and reports the request, unless an inner clone of the layer does.
    #[inline]
    pub(super) fn close(&mut self) {
        match (self.config.take(), self.arrival) {
            (Some(config), Some(arrival)) if self.flow.close_settled(&mut self.report.heap) => {
                self.end(&config, arrival, config.resident.read());
                ending::tell(&config, &mut self.report);
            }
            (config, arrival) => self.close_remaining(config.zip(arrival)),
        }
        self.report.method = Method::GET;
        self.report.route = Route::UNMATCHED;
        self.report.span = Span::none();
    }

    #[inline(never)]
    fn close_remaining(&mut self, open: Option<(Arc<Config>, Arrival)>) {
        match (open, self.flow.close()) {
            (Some((config, arrival)), Some(remains)) => {
                // An older reading would show live heap that did not grow.
                let large = config.thresholds.growth.max(1);
                let closed = match remains.live() >= large {
                    true => config.resident.read_anew(),
                    false => config.resident.read(),
                };
                self.end(&config, arrival, closed);
                ending::tell_or_wait(&config, &mut self.report, remains);
            }
            (Some((config, arrival)), None) => {
                self.end(&config, arrival, config.resident.read());
                ending::tell(&config, &mut self.report);
            }
            (None, Some(remains)) => remains.discard(),
            (None, None) => {}
        }
    }

    #[inline]
    fn end(&mut self, config: &Config, arrival: Arrival, closed: Reading) {
        let Departure { overlap, in_flight } = config.in_flight.leave(arrival);
        let report = &mut self.report;
        report.duration = Duration::from_nanos(closed.at.saturating_sub(self.opened_at));
        report.after = closed.resident;
        report.live_after = closed.live();
        report.overlap = overlap;
        report.in_flight = in_flight;
    }
}

/// Up to here headers are looked through one by one.
const FEW: usize = 8;

/// The size a message declares for its body.
#[inline]
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    // Most messages declare none, and looking at a few names takes less time than hashing one.
    let is_named = |name: &HeaderName| *name == CONTENT_LENGTH;
    if headers.len() <= FEW && !headers.keys().any(is_named) {
        return None;
    }
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
