//! The layer changes nothing: requests, responses, bodies, errors and back-pressure pass as they
//! are.

mod support;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use proptest::{collection::vec, option, prelude::*};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};
use support::{Pieces, finish, get, reports_of, request};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_memory::{MemoryLayer, MemoryService, Outcome, ResponseBody, ResponseFuture};

#[tokio::test]
async fn the_request_reaches_the_service_as_it_was_sent() {
    let service = MemoryLayer::new().layer(service_fn(async |request: Request<Full<Bytes>>| {
        assert_eq!(request.method(), "PATCH");
        assert_eq!(request.uri(), "/systems/7?full=yes");
        assert_eq!(request.version(), Version::HTTP_2);
        assert_eq!(request.headers()["x-name"], "value");
        assert_eq!(request.extensions().get(), Some(&"extension"));
        assert_eq!(request.into_body().collect().await?.to_bytes(), "hello");
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let request = Request::builder()
        .method("PATCH")
        .uri("/systems/7?full=yes")
        .version(Version::HTTP_2)
        .header("x-name", "value")
        .extension("extension")
        .body(Full::from("hello"))
        .expect("a valid request");
    service.oneshot(request).await.expect("it answers");
}

#[tokio::test]
async fn the_response_arrives_as_the_service_made_it() {
    let service = MemoryLayer::new().layer(service_fn(async |_| {
        Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .version(Version::HTTP_2)
            .header("x-name", "first")
            .header("x-name", "second")
            .extension("extension")
            .body("hello".to_owned())
    }));
    let response = service.oneshot(get("/")).await.expect("it answers");
    let (parts, body) = response.into_parts();
    assert_eq!(parts.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(parts.version, Version::HTTP_2);
    let values: Vec<_> = parts.headers.get_all("x-name").iter().collect();
    assert_eq!(values, ["first", "second"]);
    assert_eq!(parts.headers.len(), 2);
    assert_eq!(parts.extensions.get(), Some(&"extension"));
    assert_eq!(body.get_ref().map(String::as_str), Some("hello"));
    assert_eq!(body.collect().await.expect("all").to_bytes(), "hello");
}

#[tokio::test]
async fn an_error_of_the_service_keeps_its_type() {
    #[derive(Debug, PartialEq)]
    struct Refused(u8);
    let service =
        MemoryLayer::new().layer(service_fn(async |_| Err::<Response<String>, _>(Refused(3))));
    let error = service.oneshot(get("/")).await.expect_err("it refuses");
    assert_eq!(error, Refused(3));
}

#[tokio::test]
async fn a_body_that_no_server_would_read_can_still_be_read() {
    let service = MemoryLayer::new().layer(service_fn(async |_| {
        Ok::<_, Infallible>(Response::new("hello".to_owned()))
    }));
    let response = service.oneshot(request("HEAD", "/")).await;
    let body = response.expect("it answers").into_body();
    assert_eq!(body.collect().await.expect("all").to_bytes(), "hello");
}

/// Ready on demand; counts its polls.
#[derive(Clone, Default)]
struct Gated {
    ready: bool,
    asked: usize,
}

impl Service<Request<Full<Bytes>>> for Gated {
    type Response = Response<String>;
    type Error = &'static str;
    type Future = future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.asked += 1;
        match self.asked {
            _ if self.ready => Poll::Ready(Ok(())),
            3 => Poll::Ready(Err("closed")),
            _ => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        assert!(self.ready, "called without being ready");
        future::ready(Ok(Response::default()))
    }
}

#[test]
fn back_pressure_and_its_failure_pass_and_are_no_request() {
    let (layer, mut reports) = reports_of(MemoryLayer::new());
    let mut service = layer.layer(Gated::default());
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    assert_eq!(service.poll_ready(&mut cx), Poll::Pending);
    assert_eq!(service.poll_ready(&mut cx), Poll::Pending);
    assert_eq!(service.poll_ready(&mut cx), Poll::Ready(Err("closed")));
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
    assert!(reports.none_yet());
}

#[test]
fn the_instance_that_was_asked_is_the_one_that_is_called() {
    let mut service = MemoryLayer::new().layer(Gated::default());
    let clone = service.clone();
    service.get_mut().ready = true;
    let mut cx = Context::from_waker(Waker::noop());
    assert_eq!(service.poll_ready(&mut cx), Poll::Ready(Ok(())));
    finish(service.call(get("/"))).expect("it answers");
    assert_eq!((service.get_ref().asked, clone.get_ref().asked), (1, 0));
    assert_eq!(service.into_inner().asked, 1);
}

#[test]
fn futures_and_bodies_can_go_wherever_those_inside_can() {
    fn anywhere<T: Send + Sync + Unpin + 'static>() {}
    anywhere::<ResponseFuture<future::Ready<()>>>();
    anywhere::<ResponseBody<Full<Bytes>>>();
    anywhere::<MemoryService<()>>();
    anywhere::<MemoryLayer>();
}

#[test]
fn a_default_body_belongs_to_no_request() {
    let body = ResponseBody::<Full<Bytes>>::default();
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
}

#[test]
fn a_body_that_waits_wakes_the_task_that_polls_it() {
    let (mut sender, body) = Pieces::new(1);
    let mut body = Some(body);
    let service = service_fn(|_| {
        let body = body.take().expect("called once");
        future::ready(Ok::<_, Infallible>(Response::new(body)))
    });
    let response = finish(MemoryLayer::new().layer(service).call(get("/")));
    let mut body = pin!(response.expect("it answers").into_body());
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    assert!(body.as_mut().poll_frame(&mut cx).is_pending());
    let frame = Frame::data("hello".into());
    sender.try_send(frame).expect("there is room");
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(body.poll_frame(&mut cx).is_ready());
}

// Any body at all.

#[derive(Debug, Clone)]
enum Step {
    Pending,
    Data(usize),
    Trailers,
    Error,
}

#[derive(Debug, Clone)]
enum Hint {
    Unknown,
    Exact,
    AtMost(u64),
}

/// A body that follows a script, and starts it over for each clone.
#[derive(Debug, Clone)]
struct Scripted {
    steps: VecDeque<Step>,
    hint: Hint,
    tells_its_end: bool,
    polls: usize,
}

impl Scripted {
    fn bytes_left(&self) -> u64 {
        let sizes = self.steps.iter().map(|step| match step {
            Step::Data(size) => *size as u64,
            _ => 0,
        });
        sizes.sum()
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.polls += 1;
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Data(size)) => Some(Ok(Frame::data(vec![7; size].into()))),
            Some(Step::Trailers) => Some(Ok(Frame::trailers(trailers()))),
            Some(Step::Error) => Some(Err("as scripted")),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.tells_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.hint {
            Hint::Unknown => SizeHint::default(),
            Hint::Exact => SizeHint::with_exact(self.bytes_left()),
            Hint::AtMost(more) => {
                let mut hint = SizeHint::new();
                hint.set_upper(self.bytes_left() + more + 1);
                hint
            }
        }
    }
}

fn trailers() -> HeaderMap {
    let status = HeaderName::from_static("grpc-status");
    HeaderMap::from_iter([(status, HeaderValue::from_static("0"))])
}

fn steps() -> impl Strategy<Value = VecDeque<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Pending),
        5 => (0_usize..20).prop_map(Step::Data),
    ];
    let last = option::of(prop_oneof![Just(Step::Trailers), Just(Step::Error)]);
    (vec(step, 0..8), last).prop_map(|(steps, last)| steps.into_iter().chain(last).collect())
}

fn bodies() -> impl Strategy<Value = Scripted> {
    let hint = prop_oneof![
        Just(Hint::Unknown),
        Just(Hint::Exact),
        (0_u64..30).prop_map(Hint::AtMost),
    ];
    (steps(), hint, any::<bool>()).prop_map(|(steps, hint, tells_its_end)| Scripted {
        steps,
        hint,
        tells_its_end,
        polls: 0,
    })
}

/// A message and whether HTTP allows it a body.
fn heads() -> impl Strategy<Value = (Method, StatusCode, bool)> {
    prop_oneof![
        6 => Just((Method::GET, StatusCode::OK, true)),
        1 => Just((Method::POST, StatusCode::INTERNAL_SERVER_ERROR, true)),
        1 => Just((Method::HEAD, StatusCode::OK, false)),
        1 => Just((Method::GET, StatusCode::SWITCHING_PROTOCOLS, false)),
        1 => Just((Method::GET, StatusCode::NO_CONTENT, false)),
        1 => Just((Method::GET, StatusCode::NOT_MODIFIED, false)),
        1 => Just((Method::CONNECT, StatusCode::OK, false)),
        1 => Just((Method::CONNECT, StatusCode::FORBIDDEN, true)),
    ]
}

/// The documented result for a body that is polled `polls` times and dropped: how it ended and the
/// bytes that passed until then.
fn expected(
    version: Version,
    body: &Scripted,
    declared: Option<u64>,
    polls: usize,
) -> (Outcome, u64) {
    let exact = match body.hint {
        Hint::Exact => Some(body.bytes_left()),
        Hint::Unknown | Hint::AtMost(_) => None,
    };
    // HTTP/2 servers go on polling, for trailers.
    let declared = declared.or(exact).filter(|_| version != Version::HTTP_2);
    let mut passed = 0;
    let ended = |passed, steps_left| {
        declared.is_some_and(|declared| passed >= declared)
            || (body.tells_its_end && steps_left == 0)
    };
    if ended(0, body.steps.len()) {
        return (Outcome::Completed, 0);
    }
    for poll in 0..polls {
        match body.steps.get(poll) {
            None | Some(Step::Trailers) => return (Outcome::Completed, passed),
            Some(Step::Error) => return (Outcome::BodyError, passed),
            Some(Step::Pending) => continue,
            Some(Step::Data(size)) => passed += *size as u64,
        }
        if ended(passed, body.steps.len() - poll - 1) {
            return (Outcome::Completed, passed);
        }
    }
    (Outcome::BodyDropped, passed)
}

proptest! {
    #[test]
    fn any_body_passes_frame_by_frame_and_is_reported_once(
        body in bodies(),
        (method, status, may_have_a_body) in heads(),
        version in prop_oneof![Just(Version::HTTP_10), Just(Version::HTTP_11), Just(Version::HTTP_2)],
        content_length in option::weighted(0.3, 0_u64..60),
        polls in 0_usize..14,
    ) {
        let (layer, mut reports) = reports_of(MemoryLayer::new());
        let mut response = Response::new(body.clone());
        *response.status_mut() = status;
        if let Some(length) = content_length {
            response.headers_mut().insert("content-length", length.into());
        }
        let mut service = layer.layer(service_fn(|_| {
            future::ready(Ok::<_, Infallible>(response.clone()))
        }));
        let mut request = request(method.as_str(), "/");
        *request.version_mut() = version;
        let response = finish(service.call(request)).expect("it answers");

        let mut watched = pin!(response.into_body());
        let mut bare = pin!(body.clone());
        let wakes = [Arc::new(Wakes::default()), Arc::new(Wakes::default())];
        let wakers = wakes.clone().map(Waker::from);
        for _ in 0..polls {
            prop_assert_eq!(watched.is_end_stream(), bare.is_end_stream());
            prop_assert_eq!(bounds(&watched.size_hint()), bounds(&bare.size_hint()));
            let seen = watched.as_mut().poll_frame(&mut Context::from_waker(&wakers[0]));
            let meant = bare.as_mut().poll_frame(&mut Context::from_waker(&wakers[1]));
            prop_assert_eq!(comparable(seen), comparable(meant));
        }
        // Once it has ended it is dropped, even if somebody polls on.
        if let Some(inner) = watched.get_ref() {
            prop_assert_eq!(inner.polls, polls);
        }
        let [woken, meant] = wakes.map(|wakes| wakes.0.load(Ordering::Relaxed));
        prop_assert_eq!(woken, meant);
        watched.set(ResponseBody::default());

        let report = reports.now();
        let meant = match may_have_a_body {
            true => expected(version, &body, content_length, polls),
            false => (Outcome::Completed, 0),
        };
        prop_assert_eq!((report.outcome, report.response_size), meant);
        prop_assert_eq!((report.method, report.status), (method, Some(status)));
        prop_assert_eq!(report.overlap, 0);
    }
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            steps: VecDeque::new(),
            hint: Hint::Exact,
            tells_its_end: true,
            polls: 0,
        }
    }
}

type Seen = Poll<Option<Result<Result<Bytes, HeaderMap>, &'static str>>>;

/// `Frame` has no equality.
fn comparable(frame: Poll<Option<Result<Frame<Bytes>, &'static str>>>) -> Seen {
    frame.map_ok(|frame| {
        frame
            .into_data()
            .map_err(|frame| frame.into_trailers().expect("data or trailers"))
    })
}

fn bounds(hint: &SizeHint) -> (u64, Option<u64>) {
    (hint.lower(), hint.upper())
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
