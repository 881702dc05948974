use super::{
    config::Config,
    in_flight::{Arrival, Departure},
};
use crate::{
    heap::{self, Flow, HeapFlow, Scope},
    report::{LateWork, Outcome, Report},
    resident::Reading,
    route::Route,
    shield::shielded,
    verdict::{self, Evidence, Verdict},
};
use bytes::Buf;
use http::{HeaderMap, Method, Request, StatusCode, Version, header::CONTENT_LENGTH};
use std::{mem, sync::Arc};
use tracing::Span;

/// One request's window: opened in `call`, closed exactly once, by being dropped.
///
/// Whoever holds it says beforehand what being dropped would mean (`outcome`); what then closes it
/// early, an unwinding stack or a client that left, needs no code of its own.
pub(crate) struct Visit {
    config: Arc<Config>,
    arrival: Arrival,
    opened: Reading,
    method: Method,
    version: Version,
    route: Route,
    span: Span,
    request_size: Option<u64>,
    status: Option<StatusCode>,
    response_size: u64,
    outcome: Outcome,
    flow: Flow,
}

impl Visit {
    pub(crate) fn open<B>(config: Arc<Config>, request: &Request<B>) -> Self {
        let method = request.method().clone();
        let route = Route::matched(request.extensions()).unwrap_or(Route::UNMATCHED);
        let request_size = content_length(request.headers());
        let span = Span::current();
        let arrival = config.in_flight.enter();
        let opened = config.resident.read();
        Self {
            config,
            arrival,
            opened,
            method,
            version: request.version(),
            route,
            span,
            request_size,
            status: None,
            response_size: 0,
            outcome: Outcome::Cancelled,
            flow: Flow::default(),
        }
    }

    /// There is a response: from here on, being dropped means that its body was.
    pub(crate) fn responded(&mut self, status: StatusCode) {
        self.status = Some(status);
        self.outcome = Outcome::BodyDropped;
    }

    /// Whether HTTP allows the response no body, so that no server will ever poll it.
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
    pub(crate) fn passed<D: Buf + 'static>(&mut self, data: &mut D) {
        self.response_size += data.remaining() as u64;
        self.flow.hand_off(heap::handed_off(data));
    }

    /// Whether the response body has passed its declared size, so that no server polls any further.
    /// Over HTTP/2 they do, for trailers.
    pub(crate) fn passed_all_of(&self, declared_size: Option<u64>) -> bool {
        self.version <= Version::HTTP_11
            && declared_size.is_some_and(|size| self.response_size >= size)
    }

    /// Closes the window, if it is open still. In place, because a visit is large.
    pub(crate) fn close(visit: &mut Option<Self>, outcome: Outcome) {
        if let Some(open) = visit {
            open.outcome = outcome;
        }
        *visit = None;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let closed = self.config.resident.read();
        let Departure { overlap, in_flight } = self.config.in_flight.leave(&self.arrival);
        let heap = self.heap_flow();
        let (before, after) = (self.opened.resident, closed.resident);
        let evidence = Evidence {
            before,
            after,
            live: self.opened.live().zip(closed.live()),
            overlap,
            heap: heap.as_ref(),
        };
        let report = Report {
            method: mem::take(&mut self.method),
            route: mem::replace(&mut self.route, Route::UNMATCHED),
            status: self.status,
            outcome: self.outcome,
            duration: closed.since(&self.opened),
            before,
            after,
            overlap,
            in_flight,
            request_size: self.request_size,
            response_size: self.response_size,
            live_before: self.opened.live(),
            live_after: closed.live(),
            verdict: verdict::judge(&evidence, &self.config.thresholds),
            heap,
            span: mem::replace(&mut self.span, Span::none()),
        };
        self.config.tell(|listener| listener.on_report(&report));
        // It may be the last handle of the span, and then the subscriber is told.
        let Report { span, .. } = report;
        shielded(|| drop(span));
    }
}

impl Visit {
    /// What the request allocated and freed, here and elsewhere. From here on, what is done for it
    /// elsewhere is late.
    fn heap_flow(&self) -> Option<HeapFlow> {
        let own = self.flow.so_far()?;
        let Some(account) = self.flow.account() else {
            return Some(own);
        };
        let elsewhere = account.end(|| {
            let config = Arc::clone(&self.config);
            let (method, route) = (self.method.clone(), self.route.clone());
            let span = self.span.clone();
            move |heap| {
                let evidence = Evidence {
                    heap: Some(&heap),
                    ..Evidence::default()
                };
                let verdict = match verdict::judge(&evidence, &config.thresholds) {
                    Verdict::Unreadable => Verdict::WithinThreshold,
                    retained => retained,
                };
                let work = LateWork {
                    method,
                    route,
                    heap,
                    verdict,
                    span,
                };
                config.tell(|listener| listener.on_late_work(&work));
                shielded(|| drop(work));
            }
        });
        Some(own.and(&elsewhere))
    }
}

/// Alive while code that isn't ours runs for the request whose window is open: the inner service,
/// its future or its body, or their destructors. What the thread does meanwhile is the request's.
/// Should it unwind, the request panicked.
///
/// The report follows when the future or body is dropped, which a catch-panic layer does only after
/// the unwind: that is why the unwinding is noted here. A guard and not a function around a
/// closure, because requests are large and a closure would move them once more.
#[must_use]
pub(crate) struct Watch<'a> {
    visit: &'a mut Option<Visit>,
    scope: Option<Scope>,
}

impl<'a> Watch<'a> {
    #[inline]
    pub(crate) fn over(visit: &'a mut Option<Visit>) -> Self {
        let scope = visit.as_mut().and_then(|visit| visit.flow.enter());
        Self { visit, scope }
    }

    pub(crate) fn name(&mut self, route: Route) {
        if let Some(visit) = self.visit {
            visit.route = route;
        }
    }

    /// Nothing unwound.
    #[inline]
    pub(crate) fn end(mut self) {
        self.leave();
        mem::forget(self);
    }

    #[inline]
    fn leave(&mut self) {
        if let (Some(visit), Some(scope)) = (self.visit.as_mut(), &mut self.scope) {
            visit.flow.leave(scope);
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
