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
        let declared_size = content_length(&response.headers).or_else(|| inner.size_hint().exact());
        let mut body = Self {
            inner,
            visit,
            declared_size,
        };
        if let Some(visit) = &mut body.visit {
            visit.responded(response);
            if visit.has_no_body() || is_at_end(&body.inner, visit, declared_size) {
                close(&mut body.visit, Outcome::Completed);
            }
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
        let frame = ready!(watch(this.visit, || this.inner.as_mut().poll_frame(cx)));
        if let Some(visit) = this.visit {
            let end = match &frame {
                Some(Ok(frame)) => {
                    visit.passed(frame.data_ref().map_or(0, Buf::remaining));
                    is_at_end(&*this.inner, visit, *this.declared_size)
                        .then_some(Outcome::Completed)
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

/// Whether no server would poll any further.
fn is_at_end<B: Body>(inner: &B, visit: &Visit, declared_size: Option<u64>) -> bool {
    inner.is_end_stream() || declared_size.is_some_and(|size| visit.response_size() >= size)
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
