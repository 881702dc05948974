use super::{
    pieces,
    visit::{Visit, Watch, content_length},
};
use crate::{heap::BodyWithServer, report::Outcome};
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response body of [`MemoryService`](crate::MemoryService): the inner body, watched until it
    /// ends.
    ///
    /// Frames pass unchanged, except that [`Bytes`] of more than 256 KiB go on in pieces, which keeps
    /// the window open while a client reads them.
    #[project = BodyProjection]
    pub struct ResponseBody<B> {
        // `None` once the body has ended. Dropped before the window closes, so its memory doesn't count
        // as retained.
        #[pin]
        inner: Option<B>,
        // Its answers when it ended.
        last_words: LastWords,
        visit: Option<Visit>,
        // Set if the window closed before the body ended; dropped after `inner`.
        with_server: Option<BodyWithServer>,
        // What of the last frame is still to be passed on.
        rest: Option<Bytes>,
        // Servers of HTTP/1 stop polling here, whether or not more follows.
        declared_size: Option<u64>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let mut watch = Watch::over(this.visit);
            watch.begin();
            this.inner.set(None);
            *this.rest = None;
            watch.end();
        }
    }
}

/// The answers of a body that has ended.
#[derive(Clone)]
struct LastWords {
    is_end_stream: bool,
    size_hint: SizeHint,
}

impl Default for LastWords {
    fn default() -> Self {
        Self {
            is_end_stream: true,
            size_hint: SizeHint::with_exact(0),
        }
    }
}

/// The size a response declares for its body before anyone polls it.
#[derive(Clone, Copy, Default)]
pub(crate) struct DeclaredSize {
    exact: Option<u64>,
    is_end_stream: bool,
}

impl DeclaredSize {
    /// Asks the body, which is foreign code.
    pub(crate) fn of<B: Body>(response: &Response<B>) -> Self {
        let body = response.body();
        Self {
            exact: content_length(response.headers()).or_else(|| body.size_hint().exact()),
            is_end_stream: body.is_end_stream(),
        }
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn new(inner: B, size: DeclaredSize, visit: &mut Option<Visit>) -> Self {
        let ended = |visit: &Visit| {
            size.is_end_stream || visit.has_no_body() || visit.passed_all_of(size.exact)
        };
        let mut with_server = None;
        if visit.as_ref().is_some_and(ended) {
            with_server = Visit::close_before_body(visit);
        }
        Self {
            inner: Some(inner),
            last_words: LastWords::default(),
            visit: visit.take(),
            with_server,
            rest: None,
            declared_size: size.exact,
        }
    }
}

impl<B> ResponseBody<B> {
    /// The inner body; `None` once it has ended.
    pub fn get_ref(&self) -> Option<&B> {
        self.inner.as_ref()
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: Some(B::default()),
            last_words: LastWords::default(),
            visit: None,
            with_server: None,
            rest: None,
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
        if let Some(data) = pieces::next(this.rest) {
            return Poll::Ready(Some(Ok(this.pass(data))));
        }
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let mut watch = Watch::over(this.visit);
        watch.begin();
        let polled = inner.as_mut().poll_frame(cx);
        // Servers stop polling after trailers, the last frame.
        let is_last = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) => false,
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || inner.is_end_stream(),
        };
        if is_last {
            *this.last_words = LastWords {
                is_end_stream: inner.is_end_stream(),
                size_hint: inner.size_hint(),
            };
            this.inner.set(None);
            *this.with_server = None;
        }
        watch.end();
        Poll::Ready(match ready!(polled) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(mut data) => {
                    if let Some(visit) = this.visit {
                        visit.took(&mut data);
                        *this.rest = pieces::cut(&mut data);
                    }
                    Some(Ok(this.pass(data)))
                }
                Err(frame) => {
                    if let (Some(visit), Some(trailers)) =
                        (this.visit.as_mut(), frame.trailers_ref())
                    {
                        visit.saw(trailers);
                    }
                    if is_last {
                        Visit::close(this.visit, Outcome::Completed);
                    }
                    Some(Ok(frame))
                }
            },
            Some(Err(error)) => {
                Visit::close(this.visit, Outcome::BodyError);
                Some(Err(error))
            }
            None => {
                Visit::close(this.visit, Outcome::Completed);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        let is_end_stream = match &self.inner {
            Some(inner) => inner.is_end_stream(),
            None => self.last_words.is_end_stream,
        };
        is_end_stream && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = match &self.inner {
            Some(inner) => inner.size_hint(),
            None => self.last_words.size_hint,
        };
        let Some(rest) = &self.rest else {
            return inner;
        };
        let rest = rest.len() as u64;
        let mut hint = SizeHint::new();
        if let Some(upper) = inner.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint.set_lower(inner.lower().saturating_add(rest));
        hint
    }
}

impl<B> BodyProjection<'_, B>
where
    B: Body,
    B::Data: 'static,
{
    /// Passes `data` on to the server, and closes the window if nothing follows.
    fn pass(&mut self, data: B::Data) -> Frame<B::Data> {
        if let Some(visit) = self.visit {
            visit.passed(&data);
            let is_last = self.rest.is_none() && self.inner.is_none();
            if is_last {
                Visit::close(self.visit, Outcome::Completed);
            } else if visit.passed_all_of(*self.declared_size) {
                *self.with_server = Visit::close_before_body(self.visit);
            }
        }
        Frame::data(data)
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
