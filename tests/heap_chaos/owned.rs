//! Work whose owner the oracle knows, whenever it is polled and when it is dropped.

use crate::oracle::{Owner, owned_by};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A future or a body that works for `owner`.
    pub(crate) struct Owned<T> {
        owner: Owner,
        // `None` once it is dropped.
        #[pin]
        inner: Option<T>,
    }

    impl<T> PinnedDrop for Owned<T> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            owned_by(*this.owner, || this.inner.set(None));
        }
    }
}

impl<T> Owned<T> {
    pub(crate) fn new(owner: Owner, inner: T) -> Self {
        Self {
            owner,
            inner: Some(inner),
        }
    }

    fn inner(self: Pin<&mut Self>) -> (Owner, Pin<&mut T>) {
        let this = self.project();
        (*this.owner, this.inner.as_pin_mut().expect("it is alive"))
    }

    fn get_ref(&self) -> &T {
        self.inner.as_ref().expect("it is alive")
    }
}

impl<F: Future> Future for Owned<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (owner, inner) = self.inner();
        owned_by(owner, || inner.poll(cx))
    }
}

impl<B: Body> Body for Owned<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let (owner, inner) = self.inner();
        owned_by(owner, || inner.poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.get_ref().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.get_ref().size_hint()
    }
}
