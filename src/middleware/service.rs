use super::{
    body::ResponseBody,
    config::Config,
    future::ResponseFuture,
    request_body,
    visit::{Visit, Watch},
};
use crate::{
    heap,
    route::{Route, grpc},
};
use http::{Method, Request, Response};
use http_body::Body;
use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll},
};
use tower_service::Service;

/// The service created by [`MemoryLayer`](crate::MemoryLayer).
#[derive(Clone)]
pub struct MemoryService<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> MemoryService<S> {
    pub(crate) fn new(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }

    /// A reference to the inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// A mutable reference to the inner service.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the inner service, without the layer.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for MemoryService<S>
where
    ReqBody: 'static,
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body,
    ResBody::Data: 'static,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if self.config.route_with.is_some() {
            return self.call_labelled(request);
        }
        let visit = Visit::open_named(&self.config, &request, route_of(&request));
        self.call_watched(request, visit)
    }
}

impl<S> MemoryService<S> {
    // Inlined, because a request is moved into a function.
    #[inline(always)]
    fn call_watched<ReqBody: 'static>(
        &mut self,
        mut request: Request<ReqBody>,
        mut visit: Visit,
    ) -> ResponseFuture<S::Future>
    where
        S: Service<Request<ReqBody>>,
    {
        let mut watch = Watch::over(&mut visit);
        watch.begin_service();
        request_body::watch(request.body_mut());
        let future = self.inner.call(request);
        watch.end();
        mem::forget(watch);
        ResponseFuture::new(future, visit)
    }

    /// The same after the user's function has labelled the request. Taking it apart moves all of it twice, so it is
    /// done only here.
    #[inline(never)]
    fn call_labelled<ReqBody: 'static>(
        &mut self,
        request: Request<ReqBody>,
    ) -> ResponseFuture<S::Future>
    where
        S: Service<Request<ReqBody>>,
    {
        let mut visit = Visit::open(&self.config, &request);
        let mut watch = Watch::over(&mut visit);
        watch.begin();
        let (parts, body) = request.into_parts();
        let route_with = self.config.route_with.as_ref();
        let route = route_with.and_then(|route_with| route_with(&parts));
        let request = Request::from_parts(parts, body);
        watch.end();
        mem::forget(watch);
        if let Some(open) = visit.get() {
            open.name(route.or_else(|| route_of(&request)));
        }
        self.call_watched(request, visit)
    }
}

/// The label that the router or a gRPC call gives a request.
#[inline]
fn route_of<B>(request: &Request<B>) -> Option<Route> {
    let matched = Route::matched(request);
    match *request.method() == Method::POST {
        true => route_of_call(request, matched),
        false => matched,
    }
}

/// The same, given the router's label, where it may be a gRPC call.
#[inline(never)]
fn route_of_call<B>(request: &Request<B>, matched: Option<Route>) -> Option<Route> {
    // A whole prefix is how tonic's router has services, whose methods it doesn't know.
    let is_exact = |route: &Route| !route.as_str().contains("/{*");
    if matched.as_ref().is_some_and(is_exact) || !grpc::is_call(request) {
        return matched;
    }
    // The table of methods is nobody's, whichever request it is that comes first.
    Some(heap::as_nobody(|| grpc::method(request)))
}

impl<S: fmt::Debug> fmt::Debug for MemoryService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryService")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
