use super::{
    body::ResponseBody,
    visit::{Visit, watch},
};
use crate::report::Outcome;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response future of [`MemoryService`](crate::MemoryService).
    pub struct ResponseFuture<F> {
        // Dropped before the visit, so that what the future frees counts.
        #[pin]
        inner: F,
        visit: Option<Visit>,
    }
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, visit: Option<Visit>) -> Self {
        Self { inner, visit }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(watch(this.visit, || this.inner.poll(cx)));
        let visit = this.visit.take();
        Poll::Ready(match result {
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let body = ResponseBody::new(body, &parts, visit);
                Ok(Response::from_parts(parts, body))
            }
            Err(error) => {
                if let Some(visit) = visit {
                    visit.close(Outcome::ServiceError);
                }
                Err(error)
            }
        })
    }
}

impl<F: fmt::Debug> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
