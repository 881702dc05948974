#[cfg(feature = "jemalloc")]
use super::by_difference;
use super::{
    account::Account,
    request::{Flow, Scope},
    scope, slots,
};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// The request being served, to carry into work that is done elsewhere.
///
/// A request owns the allocations of the thread that polls it, while it is polled. Spawned work is attributed to the
/// request if you wrap it. One call does it, for a future or a closure:
///
/// ```
/// use tower_memory::heap::CurrentRequest;
///
/// async fn handler() {
///     tokio::spawn(CurrentRequest::carry(async { /* counts for the request */ }));
///     tokio::task::spawn_blocking(CurrentRequest::carry_fn(|| { /* so does this */ }));
/// }
/// ```
///
/// Work may go on after its request has ended. Until the last clone of this is dropped, memory that the request owns is
/// *running* ([`HeapFlow::running`](super::HeapFlow::running)), with its age in
/// [`live_by_route`](super::live_by_route). Then a second report follows
/// ([`OnReport::on_late_work`](crate::OnReport::on_late_work)). So don't keep one for longer than the work takes.
///
/// Getting the first one of a request allocates. Entering one takes a lock, which is rarely contended. If one layer is
/// inside another, this is the request of the inner one.
pub struct CurrentRequest(Arc<Account>);

impl CurrentRequest {
    /// The request that this thread works for. `None` outside of any request or without a heap meter.
    pub fn get() -> Option<Self> {
        current_account().map(Self::new)
    }

    /// Calls `f`. Its allocations belong to this request, and to no other that this thread may be serving.
    ///
    /// ```
    /// use std::thread;
    /// use tower_memory::heap::CurrentRequest;
    ///
    /// fn handler() {
    ///     let request = CurrentRequest::get();
    ///     thread::spawn(move || match request {
    ///         Some(request) => request.in_scope(work),
    ///         None => work(),
    ///     });
    /// }
    /// # fn work() {}
    /// ```
    pub fn in_scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = Entered::new(&self.0);
        f()
    }

    /// Wraps `future` to be polled and dropped in the scope of this request.
    pub fn instrument<F>(self, future: F) -> Instrumented<F> {
        Instrumented {
            request: Some(self),
            inner: Some(future),
        }
    }

    /// Wraps `future` to be polled and dropped in the scope of the request being served here, if there is one.
    pub fn carry<F>(future: F) -> Instrumented<F> {
        Instrumented {
            request: Self::get(),
            inner: Some(future),
        }
    }

    /// Wraps `f` to be called in the scope of the request being served here, if there is one.
    ///
    /// `f` itself is dropped in that scope, too.
    pub fn carry_fn<F, R>(f: F) -> impl FnOnce() -> R + use<F, R>
    where
        F: FnOnce() -> R,
    {
        let request = Self::get();
        move || in_scope(request.as_ref(), f)
    }

    fn new(account: Arc<Account>) -> Self {
        account.carry();
        Self(account)
    }
}

fn current_account() -> Option<Arc<Account>> {
    #[cfg(feature = "jemalloc")]
    if !slots::are_counting() {
        return by_difference::current_account();
    }
    #[cfg(not(feature = "jemalloc"))]
    if !slots::are_counting() {
        return None;
    }
    scope::current_account()
}

fn in_scope<R>(request: Option<&CurrentRequest>, f: impl FnOnce() -> R) -> R {
    match request {
        Some(request) => request.in_scope(f),
        None => f(),
    }
}

impl Clone for CurrentRequest {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for CurrentRequest {
    fn drop(&mut self) {
        self.0.put_down();
    }
}

impl fmt::Debug for CurrentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentRequest").finish_non_exhaustive()
    }
}

/// A scope of carried work. Left when dropped, even by an unwinding stack.
struct Entered<'a> {
    account: &'a Account,
    flow: Flow,
    scope: Scope,
}

impl<'a> Entered<'a> {
    fn new(account: &'a Arc<Account>) -> Self {
        let mut flow = Flow::carrying(Arc::clone(account));
        let mut scope = Scope::default();
        flow.enter(&mut scope);
        Self {
            account,
            flow,
            scope,
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let done = self.flow.leave_elsewhere(&mut self.scope);
        self.account.add(&done);
    }
}

pin_project! {
    /// A future in the scope of a request: see [`CurrentRequest::carry`].
    pub struct Instrumented<F> {
        request: Option<CurrentRequest>,
        // `None` once it is done.
        #[pin]
        inner: Option<F>,
    }

    impl<F> PinnedDrop for Instrumented<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            in_scope(this.request.as_ref(), || this.inner.set(None));
        }
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        in_scope(this.request.as_ref(), || {
            let Some(inner) = this.inner.as_mut().as_pin_mut() else {
                panic!("`Instrumented` was polled after it was done");
            };
            let polled = inner.poll(cx);
            if polled.is_ready() {
                this.inner.set(None);
            }
            polled
        })
    }
}

impl<F: fmt::Debug> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
