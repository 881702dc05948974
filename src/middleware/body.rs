use super::{
    open::{Open, content_length},
    pieces,
    visit::{Visit, Watch},
};
use crate::{heap::BodyWithServer, report::Outcome};
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// The response body of [`MemoryService`](crate::MemoryService): the inner body, watched until it
    /// ends.
    ///
    /// Frames pass unchanged, except that [`Bytes`] of more than 256 KiB go on in pieces, which keeps
    /// the window open while a client reads them.
    #[project = BodyProjection]
    pub struct ResponseBody<B> {
        // Dropped before the window closes, so its memory doesn't count as retained.
        #[pin]
        inner: Inner<B>,
        visit: Visit,
        // Set if the window closed before the body ended; dropped after `inner`.
        with_server: Option<BodyWithServer>,
        // What of the last frame is still to be passed on. Large frames are rare, and all bodies are moved.
        rest: Option<Box<Bytes>>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            if !this.as_ref().visit.is_closed() {
                this.project().drop_watched();
            }
        }
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<B> {
        Alive {
            #[pin]
            body: B,
        },
        // With its last answers.
        Ended {
            is_end_stream: bool,
            size_hint: SizeHint,
        },
    }
}

impl<B> Inner<B> {
    fn ended() -> Self {
        Self::Ended {
            is_end_stream: true,
            size_hint: SizeHint::with_exact(0),
        }
    }

    fn body(&self) -> Option<&B> {
        match self {
            Self::Alive { body } => Some(body),
            Self::Ended { .. } => None,
        }
    }
}

/// The size a response declares for its body before anyone polls it.
#[derive(Clone, Copy, Default)]
pub(super) struct DeclaredSize {
    pub(super) exact: Option<u64>,
    pub(super) is_end_stream: bool,
}

impl DeclaredSize {
    /// Asks the body, which is foreign code.
    #[inline]
    pub(super) fn of<B: Body>(response: &Response<B>) -> Self {
        let body = response.body();
        Self {
            exact: content_length(response.headers()).or_else(|| body.size_hint().exact()),
            is_end_stream: body.is_end_stream(),
        }
    }
}

impl<B> ResponseBody<B> {
    #[inline]
    pub(super) fn new(inner: B, is_end_stream: bool, mut visit: Visit) -> Self {
        let ended = |open: &mut Open| is_end_stream || open.has_no_body() || open.passed_all();
        let mut with_server = None;
        if visit.get().is_some_and(ended) {
            with_server = visit.close_before_body();
        }
        Self {
            inner: Inner::Alive { body: inner },
            visit,
            with_server,
            rest: None,
        }
    }
}

impl<B> ResponseBody<B> {
    /// The inner body; `None` once it has ended.
    pub fn get_ref(&self) -> Option<&B> {
        self.inner.body()
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self {
            inner: Inner::Alive { body: B::default() },
            visit: Visit::default(),
            with_server: None,
            rest: None,
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
            this.pass(&data);
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let InnerProjection::Alive { mut body } = this.inner.as_mut().project() else {
            return Poll::Ready(None);
        };
        let mut watch = Watch::over(this.visit);
        watch.begin();
        let mut polled = body.as_mut().poll_frame(cx);
        // Servers stop polling after trailers, the last frame.
        let is_last = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(_))) => false,
            Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || body.is_end_stream(),
        };
        if is_last {
            let ended = Inner::Ended {
                is_end_stream: body.is_end_stream(),
                size_hint: body.size_hint(),
            };
            this.inner.set(ended);
            *this.with_server = None;
        }
        watch.end();
        mem::forget(watch);
        match &mut polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.visit.close(Outcome::Completed),
            Poll::Ready(Some(Err(_))) => this.visit.close(Outcome::BodyError),
            // In place, to move it no more often than a server does.
            Poll::Ready(Some(Ok(frame))) => match frame.data_mut() {
                Some(data) => {
                    if let Some(open) = this.visit.get() {
                        open.took(data);
                        if let Some(rest) = pieces::cut(data) {
                            *this.rest = Some(rest);
                        }
                        this.pass(data);
                    }
                }
                None => {
                    if let (Some(open), Some(trailers)) = (this.visit.get(), frame.trailers_ref()) {
                        open.saw(trailers);
                    }
                    if is_last {
                        this.visit.close(Outcome::Completed);
                    }
                }
            },
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        let is_end_stream = match &self.inner {
            Inner::Alive { body } => body.is_end_stream(),
            Inner::Ended { is_end_stream, .. } => *is_end_stream,
        };
        is_end_stream && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = match &self.inner {
            Inner::Alive { body } => body.size_hint(),
            Inner::Ended { size_hint, .. } => *size_hint,
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

impl<B> BodyProjection<'_, B> {
    #[inline(never)]
    fn drop_watched(mut self) {
        let mut watch = Watch::over(self.visit);
        watch.begin();
        self.inner.set(Inner::ended());
        *self.rest = None;
        watch.end();
        mem::forget(watch);
    }
}

impl<B> BodyProjection<'_, B>
where
    B: Body,
    B::Data: 'static,
{
    /// `data` goes on to the server. Closes the window if nothing follows.
    #[inline]
    fn pass(&mut self, data: &B::Data) {
        if let Some(open) = self.visit.get() {
            open.passed(data);
            let is_last = self.rest.is_none() && self.inner.body().is_none();
            if is_last {
                self.visit.close(Outcome::Completed);
            } else if open.passed_all() {
                *self.with_server = self.visit.close_before_body();
            }
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("inner", &self.get_ref())
            .finish_non_exhaustive()
    }
}
