use super::visit::{Visit, content_length, watch};
use crate::report::Outcome;
use bytes::Buf;
use http::response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response body of [`MemoryService`](crate::MemoryService): the inner body, watched until
    /// its end.
    #[derive(Default)]
    pub struct ResponseBody<B> {
        // Dropped before the visit, so that what the body frees counts.
        #[pin]
        inner: B,
        visit: Option<Visit>,
        // Servers stop polling here, be there more or not.
        declared_size: Option<u64>,
    }
}

impl<B: Body> ResponseBody<B> {
    pub(crate) fn new(inner: B, response: &response::Parts, visit: Option<Visit>) -> Self {
        let mut body = Self {
            inner,
            visit,
            declared_size: content_length(&response.headers),
        };
        if let Some(visit) = &mut body.visit {
            visit.responded(response);
        }
        let (exact_size, is_end_stream) = watch(&mut body.visit, || {
            (body.inner.size_hint().exact(), body.inner.is_end_stream())
        });
        body.declared_size = body.declared_size.or(exact_size);
        let ended = |visit: &Visit| {
            visit.has_no_body() || is_end_stream || visit.passed_all_of(body.declared_size)
        };
        if body.visit.as_ref().is_some_and(ended) {
            close(&mut body.visit, Outcome::Completed);
        }
        body
    }
}

impl<B> ResponseBody<B> {
    /// The inner body.
    pub fn get_ref(&self) -> &B {
        &self.inner
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let (frame, is_end_stream) = ready!(watch(this.visit, || {
            let frame = this.inner.as_mut().poll_frame(cx);
            frame.map(|frame| (frame, this.inner.is_end_stream()))
        }));
        if let Some(visit) = this.visit {
            let end = match &frame {
                Some(Ok(frame)) => {
                    visit.passed(frame.data_ref().map_or(0, Buf::remaining));
                    // Servers stop polling at trailers, which are the last frame.
                    let ended = frame.is_trailers()
                        || is_end_stream
                        || visit.passed_all_of(*this.declared_size);
                    ended.then_some(Outcome::Completed)
                }
                Some(Err(_)) => Some(Outcome::BodyError),
                None => Some(Outcome::Completed),
            };
            if let Some(outcome) = end {
                close(this.visit, outcome);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn close(visit: &mut Option<Visit>, outcome: Outcome) {
    if let Some(visit) = visit.take() {
        visit.close(outcome);
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
