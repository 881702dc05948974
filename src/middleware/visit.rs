use super::{
    config::Config,
    ending::Ending,
    in_flight::{Arrival, Departure},
    nesting::{self, Outer},
};
use crate::{
    heap::{BodyWithServer, Flow, Remains, Scope},
    reading::Reading,
    report::{Outcome, Report},
    route::Route,
    verdict::Verdict,
};
use bytes::Buf;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, Version, header::CONTENT_LENGTH};
use std::{mem, sync::Arc};
use tracing::Span;

static GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// One request's window: opened in `call`, closed exactly once, by being dropped.
///
/// Its holder sets beforehand what being dropped would mean (`outcome`), so an early end (an unwinding
/// stack, a client that left) needs no code of its own.
pub(crate) struct Visit {
    config: Arc<Config>,
    /// `None` once an inner clone of the layer has taken over the request.
    arrival: Option<Arrival>,
    opened: Reading,
    method: Method,
    version: Version,
    route: Route,
    span: Span,
    request_size: Option<u64>,
    status: Option<StatusCode>,
    grpc_status: Option<i32>,
    response_size: u64,
    outcome: Outcome,
    flow: Flow,
}

impl Visit {
    pub(crate) fn open<B>(config: Arc<Config>, request: &Request<B>) -> Self {
        let method = request.method().clone();
        let request_size = content_length(request.headers());
        let span = Span::current();
        let in_flight = &config.in_flight;
        let arrival = nesting::take_over(in_flight).unwrap_or_else(|| in_flight.enter());
        let opened = config.resident.read();
        Self {
            config,
            arrival: Some(arrival),
            opened,
            method,
            version: request.version(),
            route: Route::UNMATCHED,
            span,
            request_size,
            status: None,
            grpc_status: None,
            response_size: 0,
            outcome: Outcome::Cancelled,
            flow: Flow::Unmetered,
        }
    }

    /// From here on, allocations for the request count for `route`.
    #[inline]
    pub(crate) fn name(&mut self, route: Route) {
        self.flow = Flow::open(&route, self.opened.at);
        self.route = route;
    }

    /// There is a response. From here on, dropping the visit means the body was dropped.
    pub(crate) fn responded(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.outcome = Outcome::BodyDropped;
    }

    /// Looks for the result of a gRPC call, always a POST, in headers or trailers.
    pub(crate) fn saw(&mut self, headers: &HeaderMap) {
        if self.method != Method::POST {
            return;
        }
        if let Some(status) = headers.get(&GRPC_STATUS) {
            self.grpc_status = status.to_str().ok().and_then(|text| text.parse().ok());
        }
    }

    /// Whether HTTP allows the response no body, in which case no server will ever poll it.
    pub(crate) fn has_no_body(&self) -> bool {
        self.method == Method::HEAD
            || self.status.is_some_and(|status| {
                status.is_informational()
                    || status == StatusCode::NO_CONTENT
                    || status == StatusCode::NOT_MODIFIED
                    || (self.method == Method::CONNECT && status.is_success())
            })
    }

    /// A frame of the response body goes on to the server.
    pub(crate) fn passed<D: Buf>(&mut self, data: &D) {
        self.response_size += data.remaining() as u64;
    }

    /// A frame comes from the inner service and will go on to the server.
    pub(crate) fn took<D: Buf + 'static>(&mut self, data: &mut D) {
        // If an inner clone has the request, it already follows the frame.
        if self.arrival.is_some() {
            self.flow.hand_over(data);
        }
    }

    /// Whether the response body has reached its declared size, at which HTTP/1 servers stop polling. HTTP/2
    /// servers go on, for trailers.
    pub(crate) fn passed_all_of(&self, declared_size: Option<u64>) -> bool {
        self.version <= Version::HTTP_11
            && declared_size.is_some_and(|size| self.response_size >= size)
    }

    /// Closes the window when no more of the body will be read but the server has yet to drop it. Drop the
    /// result after the body.
    pub(crate) fn close_before_body(visit: &mut Option<Self>) -> Option<BodyWithServer> {
        let body = visit.as_ref().and_then(|open| open.flow.before_body());
        Self::close(visit, Outcome::Completed);
        body
    }

    /// Closes the window if it is still open. In place, because a visit is large.
    pub(crate) fn close(visit: &mut Option<Self>, outcome: Outcome) {
        if let Some(open) = visit {
            open.outcome = outcome;
        }
        *visit = None;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let remains = mem::take(&mut self.flow).close();
        let Some(arrival) = self.arrival else {
            if let Some(remains) = remains {
                remains.discard();
            }
            return;
        };
        let (resident, thresholds) = (&self.config.resident, &self.config.thresholds);
        // An older reading would show live heap that did not grow.
        let closed = match remains.as_ref().map_or(0, Remains::live) >= thresholds.growth.max(1) {
            true => resident.read_anew(),
            false => resident.read(),
        };
        let Departure { overlap, in_flight } = self.config.in_flight.leave(arrival);
        let report = Report {
            method: mem::take(&mut self.method),
            route: mem::replace(&mut self.route, Route::UNMATCHED),
            status: self.status,
            grpc_status: self.grpc_status,
            outcome: self.outcome,
            duration: closed.since(&self.opened),
            before: self.opened.resident,
            after: closed.resident,
            overlap,
            in_flight,
            request_size: self.request_size,
            response_size: self.response_size,
            live_before: self.opened.live(),
            live_after: closed.live(),
            verdict: Verdict::WithinThreshold,
            heap: None,
            span: mem::replace(&mut self.span, Span::none()),
        };
        Ending::tell_or_wait(&self.config, report, remains);
    }
}

/// Alive while foreign code runs for the request whose window is open: the inner service, its future or its
/// body, or their destructors. The thread's heap activity meanwhile is the request's. If the code unwinds,
/// the request panicked.
///
/// The report follows when the future or body is dropped, which a catch-panic layer does only after the
/// unwind, so the panic is noted here. A guard instead of a function around a closure, because requests are
/// large and a closure would move them once more.
#[must_use]
pub(crate) struct Watch<'a> {
    visit: &'a mut Option<Visit>,
    // Initialized in place. Moving them costs more than all the rest: the processor can't load in one piece
    // what it has just stored in several.
    scope: Scope,
    outer: Option<Outer>,
}

impl<'a> Watch<'a> {
    /// Watches nothing until it begins.
    #[inline(always)]
    pub(crate) fn over(visit: &'a mut Option<Visit>) -> Self {
        Self {
            visit,
            scope: Scope::default(),
            outer: None,
        }
    }

    #[inline]
    pub(crate) fn begin(&mut self) {
        if let Some(visit) = self.visit {
            visit.flow.enter(&mut self.scope);
        }
    }

    /// For code that may call a clone of the layer: see [`nesting`].
    #[inline]
    pub(crate) fn begin_service(&mut self) {
        if let Some(visit) = self.visit {
            self.outer = Some(nesting::enter(&visit.config.in_flight, visit.arrival));
            visit.flow.enter(&mut self.scope);
        }
    }

    /// Ends without an unwind.
    #[inline]
    pub(crate) fn end(mut self) {
        self.leave();
        mem::forget(self);
    }

    #[inline]
    fn leave(&mut self) {
        let Some(visit) = self.visit else { return };
        visit.flow.leave(&mut self.scope);
        if let Some(outer) = &self.outer {
            visit.arrival = nesting::leave(outer);
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.leave();
        if let Some(visit) = self.visit {
            visit.outcome = Outcome::Panicked;
        }
    }
}

/// The size a message declares for its body.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
