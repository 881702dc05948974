use super::{config::Config, nesting::Outer, open::Open, spare};
use crate::{
    heap::{BodyWithServer, Scope},
    report::Outcome,
    route::Route,
};
use http::Request;
use std::{mem::ManuallyDrop, sync::Arc};

/// One request's window: opened in `call`, closed exactly once, by being dropped.
///
/// Its holder sets beforehand what being dropped would mean ([`Open::set_outcome`]), so an early end (an
/// unwinding stack, a client that left) needs no code of its own.
#[derive(Default)]
pub(super) struct Visit(
    /// Ended by hand, so that where one is moved nothing is left to be dropped.
    Option<ManuallyDrop<Box<Open>>>,
);

impl Visit {
    #[inline]
    pub(super) fn open<B>(config: &Arc<Config>, request: &Request<B>) -> Self {
        let mut open = spare::take();
        open.open(config, request);
        Self(Some(ManuallyDrop::new(open)))
    }

    /// The same if the route is known by now.
    #[inline]
    pub(super) fn open_named<B>(
        config: &Arc<Config>,
        request: &Request<B>,
        route: Option<Route>,
    ) -> Self {
        let mut open = spare::take();
        open.open(config, request);
        open.name(route);
        Self(Some(ManuallyDrop::new(open)))
    }

    /// `None` once the window has closed.
    #[inline]
    pub(super) fn get(&mut self) -> Option<&mut Open> {
        self.0.as_mut().map(|open| &mut ***open)
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.0.is_none()
    }

    /// Closes the window when no more of the body will be read but the server has yet to drop it. Drop the
    /// result after the body.
    pub(super) fn close_before_body(&mut self) -> Option<BodyWithServer> {
        let body = self.get().and_then(|open| open.before_body());
        self.close(Outcome::Completed);
        body
    }

    /// Closes the window if it is still open.
    #[inline]
    pub(super) fn close(&mut self, outcome: Outcome) {
        if let Some(open) = self.get() {
            open.set_outcome(outcome);
            self.end();
        }
    }

    #[inline(never)]
    fn end(&mut self) {
        if let Some(open) = self.0.take() {
            let mut open = ManuallyDrop::into_inner(open);
            open.close();
            spare::give_back(open);
        }
    }
}

impl Drop for Visit {
    #[inline]
    fn drop(&mut self) {
        if !self.is_closed() {
            self.end();
        }
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
pub(super) struct Watch<'a> {
    visit: &'a mut Visit,
    // Initialized and ended in place. Moving them costs more than all the rest: the processor can't load in
    // one piece what it has just stored in several.
    scope: Scope,
    outer: Option<Outer>,
}

impl<'a> Watch<'a> {
    /// Watches nothing until it begins.
    #[inline(always)]
    pub(super) fn over(visit: &'a mut Visit) -> Self {
        Self {
            visit,
            scope: Scope::default(),
            outer: None,
        }
    }

    #[inline(always)]
    pub(super) fn begin(&mut self) {
        if let Some(open) = self.visit.get() {
            open.flow.enter(&mut self.scope);
        }
    }

    /// For code that may call a clone of the layer: see [`nesting`](super::nesting).
    #[inline(always)]
    pub(super) fn begin_service(&mut self) {
        if let Some(open) = self.visit.get() {
            self.outer = open.enter_service();
            open.flow.enter(&mut self.scope);
        }
    }

    /// Ends the watch. If nothing unwinds, forget it afterwards.
    #[inline(always)]
    pub(super) fn end(&mut self) {
        let Some(open) = self.visit.get() else { return };
        open.flow.leave(&mut self.scope);
        if let Some(outer) = &self.outer {
            open.leave_service(outer);
        }
    }
}

impl Drop for Watch<'_> {
    #[cold]
    fn drop(&mut self) {
        self.end();
        if let Some(open) = self.visit.get() {
            open.set_outcome(Outcome::Panicked);
        }
    }
}
