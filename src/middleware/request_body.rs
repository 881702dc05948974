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
    /// Frames lie in the connection's read buffers, which no request owns. A request that keeps a frame keeps
    /// the whole buffer, 8 KiB or more, and none of it counts for the request. A `RequestBody` copies each
    /// frame, so kept data counts for the request, and only that data is kept. Extractors that collect the
    /// whole body copy it anyway and don't need this.
    ///
    /// With jemalloc's own counters as the meter, frames are not copied but followed until they are freed.
    /// Without a `RequestBody`, [`HeapFlow::retained`](crate::HeapFlow::retained) is too low there by the part
    /// of its body that the request freed. With feature `axum` the layer wraps every `axum::body::Body` itself.
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
    /// Costs an allocation and a copy for each frame. Does nothing without a heap meter.
    #[derive(Debug, Clone, Default)]
    pub struct RequestBody<B> {
        #[pin]
        inner: B,
    }
}

impl<B> RequestBody<B> {
    /// Wraps `inner`.
    pub fn new(inner: B) -> Self {
        Self { inner }
    }

    /// A reference to the inner body.
    pub fn get_ref(&self) -> &B {
        &self.inner
    }

    /// A mutable reference to the inner body.
    pub fn get_mut(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Returns the inner body, no longer watched.
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

/// Wraps the contents of a type-erased body in a [`RequestBody`].
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
#[inline(always)]
pub(super) fn watch(_: &mut dyn Any) {}
