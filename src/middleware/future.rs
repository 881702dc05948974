use super::{
    body::{DeclaredSize, ResponseBody},
    visit::{Visit, Watch},
};
use crate::report::Outcome;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response future of [`MemoryService`](crate::MemoryService).
    #[project = FutureProjection]
    pub struct ResponseFuture<F> {
        // `None` once it is done, so the memory it frees still counts.
        #[pin]
        inner: Option<F>,
        visit: Visit,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            if !this.as_ref().visit.is_closed() {
                this.project().drop_watched();
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    #[inline]
    pub(super) fn new(inner: F, visit: Visit) -> Self {
        Self {
            inner: Some(inner),
            visit,
        }
    }
}

impl<F> FutureProjection<'_, F> {
    #[inline(never)]
    fn drop_watched(mut self) {
        let mut watch = Watch::over(self.visit);
        watch.begin();
        self.inner.set(None);
        watch.end();
        mem::forget(watch);
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    B::Data: 'static,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            panic!("`ResponseFuture` was polled after it was done");
        };
        let mut watch = Watch::over(this.visit);
        watch.begin_service();
        let polled = inner.poll(cx);
        let size = match &polled {
            Poll::Ready(Ok(response)) => DeclaredSize::of(response),
            _ => DeclaredSize::default(),
        };
        if polled.is_ready() {
            this.inner.set(None);
        }
        watch.end();
        mem::forget(watch);
        let result = ready!(polled);
        Poll::Ready(match result {
            Ok(response) => {
                if let Some(open) = this.visit.get() {
                    open.responded(response.status(), size.exact);
                    open.saw(response.headers());
                }
                let visit = mem::take(this.visit);
                let (parts, body) = response.into_parts();
                let body = ResponseBody::new(body, size.is_end_stream, visit);
                Ok(Response::from_parts(parts, body))
            }
            Err(error) => {
                this.visit.close(Outcome::ServiceError);
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
