//! Ten thousand requests at once that end in every possible way: one report each, none left over.
//!
//! The random seed is new each time. A failure prints it, and `CHAOS_SEED` repeats it.

mod support;

use bytes::Bytes;
use fastrand::Rng;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::{
    collections::HashMap,
    env,
    error::Error,
    fmt,
    future::{self, Future},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};
use support::{Reports, Server, get, reports_of, within_reason};
use tokio::task::{JoinSet, yield_now};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_memory::{MemoryLayer, Outcome, Report, Route};

const REQUESTS: usize = 10_000;
const SOCKET_REQUESTS: usize = 400;

/// How a request is to end. Numbers are the polls or frames before that.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered {
        frames: u8,
        tells_its_end: bool,
    },
    Refused,
    PanicsInCall,
    PanicsInFuture,
    BodyFails(u8),
    BodyPanics(u8),
    LeavesBeforePolling,
    LeavesWaiting(u8),
    LeavesReading(u8),
    /// Its task is aborted from another thread, wherever it is by then.
    Aborted {
        frames: u8,
    },
}

impl Fate {
    fn any(rng: &mut Rng) -> Self {
        let n = rng.u8(0..6);
        match rng.u8(0..10) {
            0 => Self::Refused,
            1 => Self::PanicsInCall,
            2 => Self::PanicsInFuture,
            3 => Self::BodyFails(n),
            4 => Self::BodyPanics(n),
            5 => Self::LeavesBeforePolling,
            6 => Self::LeavesWaiting(n),
            7 => Self::LeavesReading(n),
            8 => Self::Aborted { frames: n },
            _ => Self::Answered {
                frames: n,
                tells_its_end: rng.bool(),
            },
        }
    }

    /// Outcome and response size; `None` if they depend on timing.
    fn expected(self) -> Option<(Outcome, u64)> {
        let bytes = |frames| u64::from(frames) * FRAME.len() as u64;
        Some(match self {
            Self::Answered { frames, .. } => (Outcome::Completed, bytes(frames)),
            Self::Refused => (Outcome::ServiceError, 0),
            Self::PanicsInCall | Self::PanicsInFuture => (Outcome::Panicked, 0),
            Self::BodyFails(frames) => (Outcome::BodyError, bytes(frames)),
            Self::BodyPanics(frames) => (Outcome::Panicked, bytes(frames)),
            Self::LeavesBeforePolling | Self::LeavesWaiting(_) => (Outcome::Cancelled, 0),
            Self::LeavesReading(frames) => (Outcome::BodyDropped, bytes(frames)),
            Self::Aborted { .. } => return None,
        })
    }
}

const FRAME: &[u8] = b"0123456789";

#[derive(Debug)]
struct Planned;

impl fmt::Display for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("as planned")
    }
}

impl Error for Planned {}

/// Unwinds like a panic, without printing anything.
fn panic_as_planned() -> ! {
    resume_unwind(Box::new(Planned))
}

/// Frames of [`FRAME`], each after a pause, and then the fate's ending.
struct FatedBody {
    fate: Fate,
    frames_left: u8,
    paused: bool,
}

impl FatedBody {
    fn new(fate: Fate) -> Self {
        let frames_left = match fate {
            Fate::Answered { frames, .. } | Fate::Aborted { frames } => frames,
            Fate::BodyFails(frames) | Fate::BodyPanics(frames) => frames,
            _ => u8::MAX,
        };
        Self {
            fate,
            frames_left,
            paused: false,
        }
    }
}

impl Body for FatedBody {
    type Data = Bytes;
    type Error = Planned;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Planned>>> {
        self.paused = !self.paused;
        if self.paused {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.frames_left > 0 {
            self.frames_left -= 1;
            let frame = Frame::data(Bytes::from_static(FRAME));
            return Poll::Ready(Some(Ok(frame)));
        }
        match self.fate {
            Fate::BodyFails(_) => Poll::Ready(Some(Err(Planned))),
            Fate::BodyPanics(_) => panic_as_planned(),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let tells = matches!(self.fate, Fate::Answered { tells_its_end, .. } if tells_its_end);
        tells && self.frames_left == 0
    }
}

async fn answer(fate: Fate) -> Result<Response<FatedBody>, Planned> {
    yield_now().await;
    match fate {
        Fate::Refused => Err(Planned),
        Fate::PanicsInFuture => panic_as_planned(),
        Fate::LeavesWaiting(_) => future::pending().await,
        _ => Ok(Response::new(FatedBody::new(fate))),
    }
}

/// The client: it polls, reads and leaves according to its fate.
async fn attend<B, E>(call: impl Future<Output = Result<Response<B>, E>>, fate: Fate)
where
    B: Body,
{
    let mut call = pin!(call);
    match fate {
        Fate::LeavesBeforePolling => return,
        Fate::LeavesWaiting(polls) => {
            for _ in 0..polls {
                let poll = future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx)));
                if poll.await.is_ready() {
                    break;
                }
                yield_now().await;
            }
            return;
        }
        _ => {}
    }
    let Ok(response) = call.await else { return };
    let mut body = pin!(response.into_body());
    let mut frames = 0;
    while !matches!(fate, Fate::LeavesReading(enough) if enough == frames) {
        let Some(Ok(_)) = body.frame().await else {
            break;
        };
        frames += 1;
    }
}

fn seeded() -> Rng {
    let seed = env::var("CHAOS_SEED").map_or_else(
        |_| fastrand::u64(..),
        |seed| seed.parse().expect("CHAOS_SEED is a whole number"),
    );
    // Shown when the test fails.
    println!("CHAOS_SEED={seed}");
    Rng::with_seed(seed)
}

/// A layer whose routes are the numbers of the requests, to tell their reports apart.
fn numbered(layer: &MemoryLayer) -> (MemoryLayer, Reports) {
    let number = |request: &http::request::Parts| {
        let number = request.uri.path().trim_start_matches('/');
        Some(Route::from(Arc::from(number)))
    };
    reports_of(layer.clone().route_with(number))
}

/// The reports by request, each of which has one at most.
async fn by_number(reports: Reports) -> HashMap<usize, Report> {
    let mut by_number = HashMap::new();
    for report in reports.all().await {
        let number = report.route.as_str().parse().expect("a number");
        let twin = by_number.insert(number, report);
        assert!(twin.is_none(), "two reports: {twin:?}");
    }
    by_number
}

/// A request after all others are over overlaps none of them.
async fn assert_none_in_flight(layer: MemoryLayer) {
    let (layer, reports) = reports_of(layer);
    let service = layer.layer(service_fn(|_| answer(Fate::Refused)));
    drop(service.oneshot(get("/")).await);
    drop(layer);
    assert_eq!(reports.only().await.overlap, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_concurrent_requests_that_end_in_any_way_have_one_report_each() {
    let mut rng = seeded();
    let fates: Arc<[Fate]> = (0..REQUESTS).map(|_| Fate::any(&mut rng)).collect();
    let origin = MemoryLayer::new();
    let (layer, reports) = numbered(&origin);
    let service = layer.layer(service_fn(|request: Request<Fate>| {
        let fate = request.into_body();
        if matches!(fate, Fate::PanicsInCall) {
            panic_as_planned();
        }
        answer(fate)
    }));

    // All windows open before one closes, except those of the calls that panic at once.
    let mut calls = Vec::new();
    let mut overlaps = Vec::new();
    for (number, &fate) in fates.iter().enumerate() {
        let request = get(&format!("/{number}")).map(|_| fate);
        let before = calls.len();
        match catch_unwind(AssertUnwindSafe(|| service.clone().call(request))) {
            Ok(call) => {
                calls.push((fate, call));
                overlaps.push(before + REQUESTS - number - 1);
            }
            Err(payload) => {
                assert!(payload.is::<Planned>());
                overlaps.push(before);
            }
        }
    }
    drop((layer, service));

    rng.shuffle(&mut calls);
    let mut tasks = JoinSet::new();
    let mut doomed = Vec::new();
    for (fate, call) in calls {
        let task = tasks.spawn(attend(call, fate));
        if matches!(fate, Fate::Aborted { .. }) {
            doomed.push(task);
        }
        if !doomed.is_empty() && rng.u8(0..10) == 0 {
            doomed.swap_remove(rng.usize(0..doomed.len())).abort();
        }
    }
    drop(doomed);
    expect_only_planned_panics(tasks).await;

    let reports = by_number(reports).await;
    assert_eq!(reports.len(), REQUESTS);
    for (number, fate) in fates.iter().enumerate() {
        let report = &reports[&number];
        if let Some(expected) = fate.expected() {
            let ended = (report.outcome, report.response_size);
            assert_eq!(ended, expected, "request {number}: {fate:?}");
        }
        let overlap = report.overlap as usize;
        assert_eq!(overlap, overlaps[number], "request {number}: {fate:?}");
    }
    assert_none_in_flight(origin).await;
}

async fn expect_only_planned_panics(mut tasks: JoinSet<()>) {
    while let Some(ended) = within_reason(tasks.join_next()).await {
        if let Err(error) = ended
            && error.is_panic()
            && let Err(payload) = error.into_panic().downcast::<Planned>()
        {
            resume_unwind(payload);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hundreds_of_requests_over_sockets_that_end_in_any_way_have_one_report_each() {
    let mut rng = seeded();
    let fates: Arc<[Fate]> = (0..SOCKET_REQUESTS).map(|_| Fate::any(&mut rng)).collect();
    let origin = MemoryLayer::new();
    let (layer, reports) = numbered(&origin);
    let called = Arc::new(Mutex::new(Vec::new()));
    let service = {
        let (fates, called) = (Arc::clone(&fates), Arc::clone(&called));
        layer.layer(service_fn(move |request: Request<Incoming>| {
            let number: usize = request.uri().path()[1..].parse().expect("a number");
            called.lock().expect("not poisoned").push(number);
            let fate: Fate = fates[number];
            if matches!(fate, Fate::PanicsInCall) {
                panic_as_planned();
            }
            answer(fate)
        }))
    };
    let server = Server::new(service).await;
    drop(layer);

    // Half of the requests have an HTTP/1.1 connection each, the others share a few of HTTP/2.
    let mut tasks = JoinSet::new();
    let mut doomed = Vec::new();
    let mut shared = server.http2().await;
    for (number, &fate) in fates.iter().enumerate() {
        let task = if rng.bool() {
            let mut client = server.http1().await;
            tasks.spawn(async move {
                let call = client.send_request(get(&format!("/{number}")));
                attend(call, fate).await;
            })
        } else {
            if shared.is_closed() || rng.u8(0..20) == 0 {
                shared = server.http2().await;
            }
            let mut client = shared.clone();
            tasks.spawn(async move {
                let call = client.send_request(get(&format!("http://localhost/{number}")));
                attend(call, fate).await;
            })
        };
        if matches!(fate, Fate::Aborted { .. } | Fate::PanicsInFuture) {
            doomed.push(task);
        }
        if !doomed.is_empty() && rng.u8(0..4) == 0 {
            doomed.swap_remove(rng.usize(0..doomed.len())).abort();
        }
    }
    drop((doomed, shared));
    expect_only_planned_panics(tasks).await;
    drop(server);

    let reports = by_number(reports).await;
    let mut called = called.lock().expect("not poisoned").clone();
    called.sort_unstable();
    let mut reported: Vec<_> = reports.keys().copied().collect();
    reported.sort_unstable();
    assert_eq!(called, reported);
    assert!(called.len() > SOCKET_REQUESTS / 3, "too few got through");
    assert_none_in_flight(origin).await;
}
