use super::visit::{Visit, Watch};
use crate::report::Outcome;
use http::StatusCode;
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
    pub struct ResponseBody<B> {
        // `None` only while it is dropped, so that what it frees counts.
        #[pin]
        inner: Option<B>,
        visit: Option<Visit>,
        // Servers of HTTP/1 stop polling here, be there more or not.
        declared_size: Option<u64>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let watch = Watch::over(this.visit);
            this.inner.set(None);
            watch.end();
        }
    }
}

impl<B: Body> ResponseBody<B> {
    pub(crate) fn new(
        inner: B,
        status: StatusCode,
        declared_size: Option<u64>,
        visit: &mut Option<Visit>,
    ) -> Self {
        if let Some(visit) = visit {
            visit.responded(status);
        }
        let watch = Watch::over(visit);
        let (exact_size, is_end_stream) = (inner.size_hint().exact(), inner.is_end_stream());
        watch.end();
        let declared_size = declared_size.or(exact_size);
        let ended = |visit: &Visit| {
            visit.has_no_body() || is_end_stream || visit.passed_all_of(declared_size)
        };
        if visit.as_ref().is_some_and(ended) {
            Visit::close(visit, Outcome::Completed);
        }
        Self {
            inner: Some(inner),
            visit: visit.take(),
            declared_size,
        }
    }
}

impl<B> ResponseBody<B> {
    /// The inner body.
    pub fn get_ref(&self) -> &B {
        let Some(inner) = &self.inner else {
            unreachable!("it is there until it is dropped");
        };
        inner
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: Some(B::default()),
            visit: None,
            declared_size: None,
        }
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Data: 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let watch = Watch::over(this.visit);
        let polled = inner.as_mut().poll_frame(cx);
        let is_end_stream = polled.is_ready() && inner.is_end_stream();
        watch.end();
        let mut frame = ready!(polled);
        if let Some(visit) = this.visit {
            let end = match &mut frame {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_mut() {
                        visit.passed(data);
                    }
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
                Visit::close(this.visit, outcome);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.get_ref().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.get_ref().size_hint()
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", self.get_ref())
            .finish_non_exhaustive()
    }
}
