//! Requests that do everything that requests do to a heap, at random.

use crate::{
    oracle::{Owner, for_nobody, owned_by},
    owned::Owned,
};
use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use http_body::{Body, Frame};
use std::{
    array::from_fn,
    convert::Infallible,
    future::Future,
    mem,
    panic::resume_unwind,
    pin::Pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tower::Service;
use tower_memory::heap::CurrentRequest;

/// Routes of a layer. Requests to the first one keep nothing.
pub(crate) const ROUTES: [&str; 8] = ["/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7"];

/// Routes of another, inner layer.
pub(crate) const INNER_ROUTES: [&str; 8] = [
    "/inner/0", "/inner/1", "/inner/2", "/inner/3", "/inner/4", "/inner/5", "/inner/6", "/inner/7",
];

/// All routes with their owners.
pub(crate) fn owners() -> impl Iterator<Item = (&'static str, Owner)> {
    ROUTES.into_iter().chain(INNER_ROUTES).zip(1..)
}

/// The layer's route with this path.
pub(crate) fn route_of(path: &str) -> usize {
    let found = ROUTES.iter().position(|route| *route == path);
    found.expect("a path of the test")
}

/// The owner of allocations by the `route`th route of the outer layer, or of the inner one.
fn owner_of(route: usize, is_inner: bool) -> Owner {
    let first = if is_inner { ROUTES.len() } else { 0 };
    (1 + first + route) as Owner
}

// Shared by requests: memory that outlives them, and work that they leave to others.

pub(crate) static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
pub(crate) static WORK: Mutex<Vec<Work>> = Mutex::new(Vec::new());

pub(crate) type Work = Box<dyn FnOnce() + Send>;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request's memory, and its plan for it.
pub(crate) struct Heap {
    pub(crate) rng: Rng,
    pub(crate) owner: Owner,
    keeps: bool,
    held: Vec<Vec<u8>>,
}

impl Heap {
    fn new(rng: Rng, route: usize, is_inner: bool) -> Self {
        Self {
            rng,
            owner: owner_of(route, is_inner),
            keeps: route != 0,
            held: Vec::new(),
        }
    }

    /// Keeps `bytes` in hand.
    pub(crate) fn hold(&mut self, bytes: Bytes) {
        self.held.push(bytes.into());
    }

    /// Another part of the same request.
    fn part(&mut self) -> Self {
        Self {
            rng: self.rng.fork(),
            held: mem::take(&mut self.held),
            ..*self
        }
    }

    /// Allocates, frees, grows and passes on some memory.
    pub(crate) fn churn(&mut self) {
        let Self { rng, held, .. } = self;
        for _ in 0..rng.u8(1..20) {
            match rng.u8(0..10) {
                0 | 1 => held.push(Vec::with_capacity(rng.usize(0..2_000))),
                2 => held.push(vec![0; rng.usize(0..2_000)]),
                3 => drop(held.pop()),
                4 => held.iter_mut().for_each(|vec| {
                    let more = rng.usize(0..500);
                    vec.reserve_exact(vec.capacity() + more);
                }),
                5 => held.iter_mut().for_each(|vec| vec.shrink_to(100)),
                6 | 7 if self.keeps => {
                    let kept = held.pop();
                    lock(&KEPT).extend(kept);
                }
                8 => {
                    // Another's block grows and stays another's; an empty one would be new.
                    let taken = lock(&KEPT).pop();
                    if let Some(mut taken) = taken {
                        if taken.capacity() > 0 {
                            taken.reserve(rng.usize(0..1_000));
                        }
                        lock(&KEPT).push(taken);
                    }
                }
                _ => {
                    let mut kept = lock(&KEPT);
                    let surplus = kept.len().saturating_sub(500).min(4);
                    let freed: [_; 4] = from_fn(|n| if n < surplus { kept.pop() } else { None });
                    drop(kept);
                    drop(freed);
                }
            }
            held.truncate(8);
        }
    }

    /// Leaves some work of this request to anyone who takes it, if anybody ever does.
    fn leave_work(&mut self) {
        if !self.keeps {
            return;
        }
        let mut work = self.part();
        let owner = self.owner;
        let work = move || {
            owned_by(owner, || {
                work.churn();
                drop(work);
            });
        };
        let work: Work = Box::new(for_nobody(|| CurrentRequest::carry_fn(work)));
        lock(&WORK).push(work);
    }

    /// The same as a future, polled by the test's runtime.
    pub(crate) fn spawn_work(&mut self) {
        let mut work = self.part();
        let work = Owned::new(self.owner, async move {
            work.churn();
            tokio::task::yield_now().await;
            work.churn();
        });
        let work = for_nobody(|| CurrentRequest::carry(work));
        if self.keeps {
            tokio::spawn(work);
        }
    }

    fn step(&mut self) -> Fate {
        self.churn();
        match self.rng.u8(..) {
            0 => resume_unwind(Box::new([0_u8; 100])),
            1..=12 => self.leave_work(),
            // Usually of another request, while this one is polled.
            13..=30 => take_work(&mut self.rng),
            31..=64 => return Fate::Over,
            _ => {}
        }
        Fate::GoesOn
    }
}

pub(crate) fn take_work(rng: &mut Rng) {
    for_nobody(|| {
        let work = lock(&WORK).pop();
        let Some(work) = work else { return };
        match rng.u8(0..4) {
            0 => drop(work),
            _ => work(),
        }
    });
}

enum Fate {
    GoesOn,
    Over,
}

/// A request: a future that ends in any way, followed by a body that does.
pub(crate) struct Chaos(pub(crate) Heap);

impl Future for Chaos {
    type Output = Result<Response<Owned<Chaos>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.0.step() {
            Fate::GoesOn => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Fate::Over => {
                let body = Owned::new(self.0.owner, Self(self.0.part()));
                Poll::Ready(Ok(Response::new(body)))
            }
        }
    }
}

impl Body for Chaos {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.step() {
            Fate::GoesOn => {
                let frame = Bytes::from(vec![7; self.0.rng.usize(0..10_000)]);
                Poll::Ready(Some(Ok(Frame::data(frame))))
            }
            Fate::Over => Poll::Ready(None),
        }
    }
}

/// Requests still to be reported.
pub(crate) static EXPECTED: AtomicU64 = AtomicU64::new(0);

/// Answers requests, of the outer layer's routes or of the inner one's.
#[derive(Clone)]
pub(crate) struct Handler {
    pub(crate) is_inner: bool,
}

impl Handler {
    /// The work of a request to `path`.
    pub(crate) fn work(&self, path: &str, rng: Rng) -> Heap {
        if self.is_inner {
            EXPECTED.fetch_add(1, Ordering::Relaxed);
        }
        Heap::new(rng, route_of(path), self.is_inner)
    }
}

impl Service<Request<Rng>> for Handler {
    type Response = Response<Owned<Chaos>>;
    type Error = Infallible;
    type Future = Owned<Chaos>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Rng>) -> Self::Future {
        let heap = self.work(request.uri().path(), request.body().clone());
        Owned::new(heap.owner, Chaos(heap))
    }
}

/// Between two layers: works for the request of the outer one.
#[derive(Clone)]
pub(crate) struct Middle<S>(pub(crate) S);

impl<S> Service<Request<Rng>> for Middle<S>
where
    S: Service<Request<Rng>, Future: Unpin>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = MiddleFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Rng>) -> Self::Future {
        let route = route_of(request.uri().path());
        let mut heap = Heap::new(request.body().clone(), route, false);
        owned_by(heap.owner, || {
            heap.churn();
            if heap.rng.u8(0..4) == 0 {
                heap.leave_work();
            }
        });
        MiddleFuture {
            heap,
            inner: self.0.call(request),
        }
    }
}

pub(crate) struct MiddleFuture<F> {
    heap: Heap,
    inner: F,
}

impl<F: Future + Unpin> Future for MiddleFuture<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        owned_by(self.heap.owner, || self.heap.churn());
        Pin::new(&mut self.inner).poll(cx)
    }
}
