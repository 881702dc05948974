//! A hundred million allocations of requests that end in every possible way, on eight threads and over
//! sockets. Whatever is live, each route has the bytes its requests allocated, nobody has the rest,
//! and together they are the live heap, to the byte.
//!
//! The random seed is new each time. A failure prints it, and `CHAOS_SEED` repeats it, except for the
//! interplay of threads.

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/oracle.rs"]
mod oracle;
mod owned;
mod request;
mod sockets;

use fastrand::Rng;
use http::{Request, Response};
use http_body_util::BodyExt;
use oracle::{Oracle, allocations};
use request::{
    EXPECTED, Handler, INNER_ROUTES, KEPT, Middle, ROUTES, WORK, lock, owners, route_of, take_work,
};
use std::{
    convert::Infallible,
    env,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Waker},
    thread,
    time::{Duration, Instant},
};
use tower::{Layer, Service};
use tower_memory::{
    MemoryLayer, OnReport, Report, Route,
    heap::{TrackingAllocator, live_by_route, live_bytes},
};

#[global_allocator]
static ALLOCATOR: Oracle<TrackingAllocator> = Oracle(TrackingAllocator::system());

const THREADS: usize = 8;

/// Generations of threads, each replaced by a new one when it ends.
const GENERATIONS: u64 = 10;

const ALLOCATIONS: u64 = 90_000_000;

const OVER_SOCKETS: u64 = 10_000_000;

static REPORTS: AtomicU64 = AtomicU64::new(0);

/// False statements in reports of requests.
static WRONG: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Reports;

impl OnReport for Reports {
    fn on_report(&self, report: &Report) {
        REPORTS.fetch_add(1, Ordering::Relaxed);
        let heap = report.heap.expect("it counts");
        let keeps = !report.route.as_str().ends_with('0');
        let is_right = heap.retained() >= 0 && (keeps || heap.retained() == 0);
        if !is_right || (!keeps && heap.running + heap.unsent != 0) {
            lock(&WRONG).push(format!("{} {:?} {heap:?}", report.route, report.outcome));
        }
    }
}

fn layer(routes: [&'static str; 8]) -> MemoryLayer {
    MemoryLayer::new()
        .warn_above(u64::MAX)
        .without_log()
        .on_report(Reports)
        .route_with(move |request| Some(Route::from(routes[route_of(request.uri.path())])))
}

/// A request at any stage. Any thread polls it next, or drops it.
type Open = Pin<Box<dyn Future<Output = ()> + Send>>;

static OPEN: Mutex<Vec<Open>> = Mutex::new(Vec::new());

/// Sends a request, reads some of the response, and leaves.
async fn exchange<S, B>(mut service: S, path: &'static str, rng: Rng)
where
    S: Service<Request<Rng>, Response = Response<B>>,
    B: http_body::Body,
{
    let mut patience = rng.clone();
    let request = Request::builder().uri(path).body(rng);
    EXPECTED.fetch_add(1, Ordering::Relaxed);
    let Ok(response) = service.call(request.expect("a request")).await else {
        return;
    };
    let mut body = Box::pin(response.into_body());
    while patience.u8(0..10) > 0 {
        match body.frame().await {
            Some(Ok(frame)) => drop(frame),
            _ => return,
        }
    }
}

/// The layer alone, around a clone of its own, and around another.
#[derive(Clone)]
struct Layers {
    outer: MemoryLayer,
    inner: MemoryLayer,
}

impl Layers {
    fn new() -> Self {
        Self {
            outer: layer(ROUTES),
            inner: layer(INNER_ROUTES),
        }
    }

    fn request(&self, rng: &mut Rng) -> Open {
        let path = ROUTES[rng.usize(0..ROUTES.len())];
        let Self { outer, inner } = self;
        let handler = |is_inner| Handler { is_inner };
        let around = rng.u8(0..8);
        let rng = rng.fork();
        match around {
            0 => {
                let clone = outer.layer(handler(false));
                Box::pin(exchange(outer.layer(Middle(clone)), path, rng))
            }
            1 => {
                let other = inner.layer(handler(true));
                Box::pin(exchange(outer.layer(Middle(other)), path, rng))
            }
            _ => Box::pin(exchange(outer.layer(handler(false)), path, rng)),
        }
    }
}

fn drive(layers: &Layers, rng: &mut Rng, ended: &AtomicBool) {
    let mut cx = Context::from_waker(Waker::noop());
    while !ended.load(Ordering::Relaxed) {
        let taken = lock(&OPEN).pop();
        let mut open = match taken {
            Some(open) if rng.u8(0..20) > 0 => open,
            _ => layers.request(rng),
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

/// By how much the figures differ from the oracle's, if they do.
fn difference() -> Option<String> {
    let live = live_by_route().expect("it counts");
    let route = |route: &str| {
        let mut routes = live.routes.iter();
        let found = routes.find(|live| live.route.as_str() == route);
        found.map_or(0, |found| found.live as i64)
    };
    let (all, all_said) = (oracle::live(), live_bytes().unwrap_or(0) as i64);
    let nobody = live.nobody as i64;
    let figures = owners().map(|(name, owner)| (name, oracle::live_of(owner), route(name)));
    let figures = figures.chain([
        ("nobody", oracle::live_of(0), nobody),
        ("all", all, all_said),
    ]);
    let wrong = figures.filter(|(_, right, said)| right != said);
    let wrong: Vec<_> = wrong.collect();
    (!wrong.is_empty()).then(|| format!("{wrong:?}"))
}

/// Compares at rest: the test runner and the reporting thread may be about to allocate or free
/// something, but a byte that was lost or counted twice would stay so for ever.
fn assert_exact(seed: u64) {
    let is_exact = (0..10_000).any(|_| {
        difference().is_none() || {
            thread::yield_now();
            false
        }
    });
    assert!(is_exact, "CHAOS_SEED={seed}: {:?}", difference());
}

/// Nothing is open any more, and nobody carries anything. Then every request is reported, and no
/// report was wrong.
fn end(seed: u64) {
    loop {
        let open = std::mem::take(&mut *lock(&OPEN));
        let work = std::mem::take(&mut *lock(&WORK));
        if open.is_empty() && work.is_empty() {
            break;
        }
        drop((open, work));
    }
    let expected = EXPECTED.load(Ordering::Relaxed);
    let are_told = || REPORTS.load(Ordering::Relaxed) >= expected;
    let is_open = || {
        let live = live_by_route().expect("it counts");
        live.routes.iter().any(|route| route.open_requests > 0)
    };
    let began = Instant::now();
    while !are_told() || is_open() {
        let hangs = began.elapsed() > Duration::from_secs(60);
        assert!(!hangs, "CHAOS_SEED={seed}: {:?}", live_by_route());
        thread::yield_now();
    }
    assert_exact(seed);
    assert_eq!(REPORTS.load(Ordering::Relaxed), expected);
    let wrong = lock(&WRONG);
    assert!(wrong.is_empty(), "CHAOS_SEED={seed}: {wrong:#?}");
    let kept: u64 = lock(&KEPT).iter().map(|kept| kept.capacity() as u64).sum();
    let live = live_by_route().expect("it counts");
    let nobody = live.nobody;
    println!("{expected} requests: {kept} bytes kept, {nobody} of nobody");
    assert!(kept > 0);
}

fn seed() -> u64 {
    let seed = env::var("CHAOS_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("a number"),
    );
    println!("CHAOS_SEED={seed}");
    seed
}

/// Memory that grows with the number of requests is not set-up by the first ones.
fn warm_up(layers: &Layers) {
    for list in [ROUTES, INNER_ROUTES] {
        for route in list {
            let layer = layers.outer.clone();
            let layer = layer.route_with(move |_| Some(Route::from(route)));
            let service = layer.layer(tower::service_fn(|_: Request<Rng>| async {
                Ok::<_, Infallible>(Response::new(
                    http_body_util::Full::<bytes::Bytes>::default(),
                ))
            }));
            support::finish(exchange(service, ROUTES[0], Rng::with_seed(0)));
        }
    }
    lock(&KEPT).reserve(100_000);
    lock(&WORK).reserve(100_000);
}

// One after the other, because live heap belongs to the process.
#[test]
fn each_route_has_what_its_requests_allocated_and_nobody_has_the_rest() {
    let seed = seed();
    let mut rng = Rng::with_seed(seed);
    let layers = Layers::new();
    warm_up(&layers);
    assert_exact(seed);
    for generation in 1..=GENERATIONS {
        let enough = ALLOCATIONS * generation / GENERATIONS;
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (layers, ended, mut rng) = (&layers, &ended, rng.fork());
                scope.spawn(move || drive(layers, &mut rng, ended));
            }
            while allocations() < enough {
                thread::yield_now();
            }
            ended.store(true, Ordering::Relaxed);
        });
        // Requests and work are at any stage.
        assert_exact(seed);
    }
    end(seed);
    sockets::drive(&layers.outer, &mut rng, allocations() + OVER_SOCKETS, seed);
    end(seed);
    assert!(allocations() >= ALLOCATIONS + OVER_SOCKETS);
}
