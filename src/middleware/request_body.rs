use crate::heap;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    any::Any,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A request body whose bytes are known to come from outside, so that a request that frees them
    /// is not taken to have freed something else, nor one that keeps them to keep nothing.
    ///
    /// With feature `axum` the layer does this by itself to every `axum::body::Body`. Elsewhere it
    /// is your choice, because it changes the type of the request; without it
    /// [`HeapFlow::retained`](crate::HeapFlow::retained) is too low by what the request freed of its
    /// body:
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    /// use std::convert::Infallible;
    /// use tower::{ServiceBuilder, service_fn};
    /// use tower_memory::{MemoryLayer, RequestBody};
    ///
    /// async fn handle(
    ///     request: Request<RequestBody<Full<Bytes>>>,
    /// ) -> Result<Response<Full<Bytes>>, Infallible> {
    ///     Ok(Response::new(Full::default()))
    /// }
    ///
    /// let service = ServiceBuilder::new()
    ///     .layer(MemoryLayer::new())
    ///     .map_request(|request: Request<Full<Bytes>>| request.map(RequestBody::new))
    ///     .service_fn(handle);
    /// ```
    ///
    /// Costs an allocation for each frame, and does nothing where no heap meter counts.
    #[derive(Debug, Clone, Default)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B> RequestBody<B> {
    /// Around `inner`.
    pub fn new(inner: B) -> Self {
        Self { inner }
    }

    /// The inner body.
    pub fn get_ref(&self) -> &B {
        &self.inner
    }

    /// The inner body, to be changed.
    pub fn get_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// The inner body, no longer watched.
    pub fn into_inner(self) -> B {
        self.inner
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = self.project().inner.poll_frame(cx);
        polled.map_ok(|frame| frame.map_data(heap::received))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Puts a body whose type hides what it is made of into a [`RequestBody`] of its own.
#[cfg(feature = "axum")]
pub(super) fn watch(body: &mut dyn Any) {
    use axum::body::Body as AxumBody;
    if let Some(body) = body.downcast_mut::<AxumBody>()
        && !body.is_end_stream()
        && heap::is_metered()
    {
        *body = AxumBody::new(RequestBody::new(std::mem::take(body)));
    }
}

#[cfg(not(feature = "axum"))]
pub(super) fn watch(_: &mut dyn Any) {}
