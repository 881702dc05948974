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
    /// A request body whose frames belong to the request.
    ///
    /// Frames lie in read buffers of the connection, which are nobody's: a request that keeps them
    /// keeps the whole buffers, of 8 KiB and more, and is not said to. In a `RequestBody` each frame is a copy,
    /// so that what is kept counts for the request, and no more than that is kept. Extractors that collect
    /// the whole body copy it anyway and don't need it.
    ///
    /// Where jemalloc's own counters are the meter nothing is copied, but followed until it is freed; without
    /// it [`HeapFlow::retained`](crate::HeapFlow::retained) is too low there by what the request freed of its
    /// body. With feature `axum` the layer does that by itself to every `axum::body::Body`.
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
    /// Costs an allocation and a copy for each frame, and does nothing where no heap meter counts.
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
#[cfg(all(feature = "axum", feature = "jemalloc"))]
pub(super) fn watch(body: &mut dyn Any) {
    use axum::body::Body as AxumBody;
    match body.downcast_mut::<AxumBody>() {
        Some(body) if !body.is_end_stream() && heap::watches_bodies() => {
            *body = AxumBody::new(RequestBody::new(std::mem::take(body)));
        }
        _ => {}
    }
}

#[cfg(not(all(feature = "axum", feature = "jemalloc")))]
pub(super) fn watch(_: &mut dyn Any) {}
