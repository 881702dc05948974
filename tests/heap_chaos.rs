//! A hundred million allocations of requests that end in every way there is, on eight threads: what
//! the reports say, with what was late and what was no request's, is what lives, to the byte.
//!
//! Chance is seeded anew each time; a failure prints the seed, and `CHAOS_SEED` repeats it, but for
//! what the threads do to each other.

#![allow(unsafe_code)] // To be an allocator.

use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use http_body::{Body, Frame};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    convert::Infallible,
    env,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    thread,
};
use tower::{Layer, Service, service_fn};
use tower_memory::{
    LateWork, MemoryLayer, OnReport, Report,
    heap::{CurrentRequest, TrackingAllocator, live_bytes},
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator<Oracle> = TrackingAllocator::new(Oracle);

const THREADS: usize = 8;

/// Generations of threads, each of which ends and is followed by a new one.
const GENERATIONS: usize = 10;

const ALLOCATIONS: u64 = 100_000_000;

// The oracle: it counts by what the test says it is doing, and knows nothing of the layer.

struct Oracle;

static ALL: AtomicI64 = AtomicI64::new(0);
static REQUESTS: AtomicI64 = AtomicI64::new(0);
static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static FOR_A_REQUEST: Cell<bool> = const { Cell::new(false) };
}

impl Oracle {
    fn count(&self, bytes: i64) {
        ALL.fetch_add(bytes, Ordering::Relaxed);
        if FOR_A_REQUEST.get() {
            REQUESTS.fetch_add(bytes, Ordering::Relaxed);
        }
        if bytes > 0 {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// SAFETY: every call goes to `System` as it is.
unsafe impl GlobalAlloc for Oracle {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size() as i64);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(layout.size() as i64);
        // SAFETY: as the caller promised.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, allocation: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.count(new_size as i64 - layout.size() as i64);
        // SAFETY: as the caller promised.
        unsafe { System.realloc(allocation, layout, new_size) }
    }

    unsafe fn dealloc(&self, allocation: *mut u8, layout: Layout) {
        self.count(-(layout.size() as i64));
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(allocation, layout) }
    }
}

/// What `f` does is for a request.
fn for_a_request<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            FOR_A_REQUEST.set(self.0);
        }
    }
    let _restore = Restore(FOR_A_REQUEST.replace(true));
    f()
}

// The layer's own account.

static REPORTED: AtomicI64 = AtomicI64::new(0);
static LATE: AtomicI64 = AtomicI64::new(0);
static REPORTS: AtomicU64 = AtomicU64::new(0);

/// Allocates nothing.
struct Sums;

impl OnReport for Sums {
    fn on_report(&self, report: &Report) {
        let heap = report.heap.expect("it counts");
        REPORTED.fetch_add(heap.net(), Ordering::Relaxed);
        REPORTS.fetch_add(1, Ordering::Relaxed);
        assert!(i128::from(heap.peak) >= i128::from(heap.net()), "{heap:?}");
    }

    fn on_late_work(&self, work: &LateWork) {
        LATE.fetch_add(work.heap.net(), Ordering::Relaxed);
    }
}

// What requests share: memory that outlives them, and work that they leave to others.

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
static WORK: Mutex<Vec<Work>> = Mutex::new(Vec::new());

type Work = Box<dyn FnOnce() + Send>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Some memory comes, goes, grows and changes hands.
fn churn(held: &mut Vec<Vec<u8>>, rng: &mut Rng) {
    for _ in 0..rng.u8(1..20) {
        match rng.u8(0..8) {
            0 | 1 => held.push(Vec::with_capacity(rng.usize(0..2_000))),
            2 => held.push(vec![0; rng.usize(0..2_000)]),
            3 => drop(held.pop()),
            4 => held.iter_mut().for_each(|vec| {
                let more = rng.usize(0..500);
                vec.reserve_exact(vec.capacity() + more);
            }),
            5 => held.iter_mut().for_each(|vec| vec.shrink_to(100)),
            6 => {
                let kept = held.pop();
                lock(&KEPT).extend(kept);
            }
            _ => {
                let mut kept = lock(&KEPT);
                let freed = if kept.len() > 500 { kept.pop() } else { None };
                drop(kept);
                drop(freed);
            }
        }
        held.truncate(8);
    }
}

/// Leaves some work of this request to whoever takes it, if anybody ever does.
fn leave_work(rng: &mut Rng) {
    let mut rng = rng.fork();
    let mut held = vec![Vec::with_capacity(rng.usize(0..2_000))];
    let work = CurrentRequest::carry_fn(move || {
        for_a_request(|| {
            churn(&mut held, &mut rng);
            drop(held);
        });
    });
    let boxed: Work = Box::new(work);
    lock(&WORK).push(boxed);
}

fn take_work(rng: &mut Rng) {
    let work = lock(&WORK).pop();
    let Some(work) = work else { return };
    match rng.u8(0..4) {
        0 => drop(work),
        _ => work(),
    }
}

/// A request: a future that ends in any way, and then a body that does.
struct Chaos {
    rng: Rng,
    held: Vec<Vec<u8>>,
}

impl Chaos {
    fn step(&mut self) -> Fate {
        churn(&mut self.held, &mut self.rng);
        match self.rng.u8(0..40) {
            0 | 1 => resume_unwind(Box::new([0_u8; 100])),
            2..=4 => leave_work(&mut self.rng),
            // Of another request, most often, while this one is polled.
            5..=7 => take_work(&mut self.rng),
            8..=12 => return Fate::Over,
            _ => {}
        }
        Fate::GoesOn
    }
}

enum Fate {
    GoesOn,
    Over,
}

impl Drop for Chaos {
    fn drop(&mut self) {
        for_a_request(|| self.held = Vec::new());
    }
}

impl Future for Chaos {
    type Output = Result<Response<Chaos>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        for_a_request(|| match self.step() {
            Fate::GoesOn => Poll::Pending,
            Fate::Over => Poll::Ready(Ok(Response::new(Self {
                rng: self.rng.fork(),
                held: std::mem::take(&mut self.held),
            }))),
        })
    }
}

impl Body for Chaos {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        for_a_request(|| match self.step() {
            Fate::GoesOn => {
                let frame = Bytes::from(vec![7; self.rng.usize(0..10_000)]);
                Poll::Ready(Some(Ok(Frame::data(frame))))
            }
            Fate::Over => {
                // The window closes now: what the body freed later would be nobody's.
                self.held = Vec::new();
                Poll::Ready(None)
            }
        })
    }
}

/// A request wherever it is by now. Any thread polls it next, or drops it.
type Open = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Sends a request, reads some of the response, and leaves.
async fn exchange<S>(mut service: S, rng: Rng)
where
    S: Service<Request<Rng>, Response = Response<tower_memory::ResponseBody<Chaos>>>,
{
    use http_body_util::BodyExt;
    let mut patience = rng.clone();
    let Ok(response) = service.call(Request::new(rng)).await else {
        return;
    };
    let mut body = response.into_body();
    while patience.u8(0..10) > 0 {
        match body.frame().await {
            Some(Ok(frame)) => drop(frame),
            _ => return,
        }
    }
}

static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

fn drive(layer: &MemoryLayer, rng: &mut Rng, ended: &AtomicBool) {
    let service = layer.layer(service_fn(|request: Request<Rng>| Chaos {
        rng: request.into_body(),
        held: Vec::new(),
    }));
    let mut cx = Context::from_waker(Waker::noop());
    while !ended.load(Ordering::Relaxed) {
        let taken = lock(&OPEN).pop();
        let mut open = match taken {
            Some(open) if rng.u8(0..20) > 0 => open,
            _ => Box::pin(exchange(service.clone(), rng.fork())),
        };
        let polls = rng.u8(0..10);
        let done = catch_unwind(AssertUnwindSafe(|| {
            (0..polls).any(|_| open.as_mut().poll(&mut cx).is_ready())
        }));
        match (done, rng.u8(0..10)) {
            // A client that left.
            (Ok(false), 0) => drop(open),
            (Ok(false), _) => lock(&OPEN).push(open),
            _ => {}
        }
        take_work(rng);
    }
}

#[test]
fn reports_late_work_and_the_rest_add_up_to_what_lives() {
    let seed = env::var("CHAOS_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a number"),
    );
    println!("CHAOS_SEED={seed}");
    let layer = MemoryLayer::new()
        .warn_above(u64::MAX)
        .without_log()
        .on_report(Sums);
    let mut rng = Rng::with_seed(seed);
    for generation in 1..=GENERATIONS {
        let enough = ALLOCATIONS * generation as u64 / GENERATIONS as u64;
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (layer, ended, mut rng) = (&layer, &ended, rng.fork());
                scope.spawn(move || drive(layer, &mut rng, ended));
            }
            while COUNT.load(Ordering::Relaxed) < enough {
                thread::yield_now();
            }
            ended.store(true, Ordering::Relaxed);
        });
    }
    // Nothing is open any more, and nobody carries anything.
    loop {
        let open = std::mem::take(&mut *lock(&OPEN));
        let work = std::mem::take(&mut *lock(&WORK));
        if open.is_empty() && work.is_empty() {
            break;
        }
        drop((open, work));
    }
    let allocations = COUNT.load(Ordering::Relaxed);
    let requests = REQUESTS.load(Ordering::Relaxed);
    let reported = REPORTED.load(Ordering::Relaxed);
    let late = LATE.load(Ordering::Relaxed);
    println!(
        "{allocations} allocations, {} requests: {reported} bytes reported, {late} late",
        REPORTS.load(Ordering::Relaxed)
    );
    assert!(allocations >= ALLOCATIONS);
    assert!(requests != 0 && late != 0, "{requests} {late}");
    assert_eq!(reported + late, requests, "CHAOS_SEED={seed}");
    let (live, all) = (live_bytes(), ALL.load(Ordering::Relaxed));
    assert_eq!(live.map(u64::cast_signed), Some(all), "CHAOS_SEED={seed}");
}
