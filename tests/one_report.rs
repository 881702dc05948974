//! Whatever happens to a request, there is exactly one report, and it is right.
//!
//! Everything here goes over a real socket, from hyper's clients or a bare TCP stream to hyper's
//! server.

mod support;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version, response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, upgrade};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future, io, sync::Arc, time::Duration};
use support::{Pieces, Reports, Server, get, reports_of, request, within_reason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, mpsc},
};
use tower::{BoxError, ServiceBuilder};
use tower_http::{catch_panic::CatchPanicLayer, timeout::TimeoutLayer};
use tower_memory::{MemoryLayer, Outcome, Report};

/// Serves `handler` behind a layer.
async fn serve<F, A, B, E>(handler: F) -> (Server, Reports)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<B>, E>> + Send,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new().layer(layer).service_fn(handler);
    (Server::new(service).await, reports)
}

type Sender = http_body_util::channel::Sender<Bytes, BoxError>;

/// Serves `response` with a body sent by the test: each request gives the test a sender.
async fn serve_pieces(
    response: response::Builder,
) -> (Server, Reports, mpsc::UnboundedReceiver<Sender>) {
    let (senders, received) = mpsc::unbounded_channel();
    let head = response.body(()).expect("a valid response").into_parts().0;
    let (server, reports) = serve(move |_| {
        let (sender, body) = Pieces::new(1);
        senders.send(sender).expect("the test waits for it");
        future::ready(Ok::<_, Infallible>(Response::from_parts(
            head.clone(),
            body,
        )))
    })
    .await;
    (server, reports, received)
}

/// Sends `text` as it is and reads until the server closes the connection.
async fn ask(server: &Server, text: &str) -> String {
    let mut stream = server.connect().await;
    stream.write_all(text.as_bytes()).await.expect("it listens");
    let mut answer = String::new();
    within_reason(stream.read_to_string(&mut answer))
        .await
        .expect("it answers");
    answer
}

/// Sends `text` as it is and reads until the received text contains `until`.
async fn begin(server: &Server, text: &str, until: &str) -> TcpStream {
    let mut stream = server.connect().await;
    stream.write_all(text.as_bytes()).await.expect("it listens");
    read_until(&mut stream, until).await;
    stream
}

async fn read_until(stream: &mut TcpStream, until: &str) {
    let mut answer = Vec::new();
    while !String::from_utf8_lossy(&answer).contains(until) {
        let read = within_reason(stream.read_buf(&mut answer)).await;
        assert_ne!(read.expect("it answers"), 0, "it hung up");
    }
}

#[track_caller]
fn assert_ended(report: &Report, outcome: Outcome, status: impl Into<Option<u16>>, size: u64) {
    assert_eq!(report.outcome, outcome);
    assert_eq!(report.status.map(|status| status.as_u16()), status.into());
    assert_eq!(report.response_size, size);
    assert_eq!(report.overlap, 0);
}

const LAST_REQUEST: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

// Responses that end as they should.

#[tokio::test]
async fn a_body_with_a_content_length_completes() {
    let (server, reports) =
        serve(async |_| Ok::<_, Infallible>(Response::new("hello".to_owned()))).await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.contains("content-length: 5\r\n") && answer.ends_with("hello"));
    drop(server);
    let report = reports.only().await;
    assert_ended(&report, Outcome::Completed, 200, 5);
    assert_eq!(
        (report.method.as_str(), report.route.as_str()),
        ("GET", "unmatched")
    );
    assert_eq!(report.request_size, None);
    assert!(report.before.is_some() && report.after.is_some());
}

#[tokio::test]
async fn a_body_ends_where_its_content_length_says_although_it_could_go_on() {
    let (server, mut reports, mut senders) =
        serve_pieces(Response::builder().header("content-length", 5)).await;
    let mut client = begin(&server, LAST_REQUEST, "\r\n\r\n").await;
    let mut sender = senders.recv().await.expect("a request");
    sender.send_data("hello".into()).await.expect("it is read");
    assert_ended(&reports.next().await, Outcome::Completed, 200, 5);
    let mut body = String::new();
    let read = within_reason(client.read_to_string(&mut body)).await;
    assert_eq!((read.expect("it answers"), body.as_str()), (5, "hello"));
    drop((server, senders, sender));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_chunked_body_completes() {
    let (server, reports, mut senders) = serve_pieces(Response::builder()).await;
    let sending = tokio::spawn(async move {
        let mut sender = senders.recv().await.expect("a request");
        for piece in ["one", "two", "three"] {
            sender.send_data(piece.into()).await.expect("it is read");
        }
    });
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.contains("transfer-encoding: chunked\r\n"));
    assert!(answer.ends_with("3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n"));
    sending.await.expect("all is sent");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Completed, 200, 11);
}

#[tokio::test]
async fn a_body_that_ends_with_its_connection_completes() {
    let (server, reports, mut senders) = serve_pieces(Response::builder()).await;
    let sending = tokio::spawn(async move {
        let mut sender = senders.recv().await.expect("a request");
        sender.send_data("until".into()).await.expect("it is read");
        sender
            .send_data("the end".into())
            .await
            .expect("it is read");
    });
    let answer = ask(&server, "GET / HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nuntilthe end"), "{answer:?}");
    sending.await.expect("all is sent");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Completed, 200, 12);
}

#[tokio::test]
async fn an_empty_body_completes() {
    let (server, reports) =
        serve(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))).await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.contains("content-length: 0\r\n"), "{answer:?}");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Completed, 200, 0);
}

#[tokio::test]
async fn responses_to_which_http_allows_no_body_complete_although_theirs_never_ends() {
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 304)] {
        let response = Response::builder().status(status);
        let (server, reports, mut senders) = serve_pieces(response).await;
        let request = LAST_REQUEST.replace("GET", method);
        let answer = ask(&server, &request).await;
        assert!(
            answer.ends_with("\r\n\r\n"),
            "{method} {status}: {answer:?}"
        );
        let sender = senders.recv().await;
        drop((server, senders));
        assert_ended(&reports.only().await, Outcome::Completed, status, 0);
        drop(sender);
    }
}

#[tokio::test]
async fn a_head_with_the_length_of_the_body_it_omits_completes() {
    let (server, reports) =
        serve(async |_| Ok::<_, Infallible>(Response::new("hello".to_owned()))).await;
    let answer = ask(&server, &LAST_REQUEST.replace("GET", "HEAD")).await;
    assert!(answer.contains("content-length: 5\r\n") && answer.ends_with("\r\n\r\n"));
    drop(server);
    assert_ended(&reports.only().await, Outcome::Completed, 200, 0);
}

#[tokio::test]
async fn each_request_of_a_kept_connection_has_its_own_report() {
    let (server, mut reports) =
        serve(async |_| Ok::<_, Infallible>(Response::new("hello".to_owned()))).await;
    let mut client = server.http1().await;
    for _ in 0..3 {
        let response = client.send_request(get("/")).await.expect("it answers");
        response.into_body().collect().await.expect("all of it");
        assert_ended(&reports.next().await, Outcome::Completed, 200, 5);
    }
    drop((server, client));
    assert!(reports.all().await.is_empty());
}

// Request bodies.

#[tokio::test]
async fn the_request_size_is_the_declared_one() {
    let (server, reports) = serve(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Response::new(Full::new(body)))
    })
    .await;
    let upload =
        "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    assert!(ask(&server, upload).await.ends_with("hello"));
    drop(server);
    let report = reports.only().await;
    assert_ended(&report, Outcome::Completed, 200, 5);
    assert_eq!(
        (report.method.as_str(), report.request_size),
        ("POST", Some(5))
    );
}

#[tokio::test]
async fn a_chunked_request_declares_no_size() {
    let (server, reports) = serve(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Response::new(Full::new(body)))
    })
    .await;
    let upload = "POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n\
                  5\r\nhello\r\n0\r\n\r\n";
    assert!(ask(&server, upload).await.ends_with("hello"));
    drop(server);
    let report = reports.only().await;
    assert_ended(&report, Outcome::Completed, 200, 5);
    assert_eq!(report.request_size, None);
}

#[tokio::test]
async fn a_client_that_leaves_mid_upload_fails_its_request() {
    let (server, mut reports) = serve(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Response::new(Full::new(body)))
    })
    .await;
    let mut client = server.connect().await;
    let upload = "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhello";
    client
        .write_all(upload.as_bytes())
        .await
        .expect("it listens");
    drop(client);
    let report = reports.next().await;
    assert_ended(&report, Outcome::ServiceError, None, 0);
    assert_eq!(report.request_size, Some(1000));
    drop(server);
    assert!(reports.all().await.is_empty());
}

// HTTP/2.

#[tokio::test]
async fn a_body_over_http2_completes() {
    let (server, mut reports) = serve(async |request: Request<Incoming>| {
        assert_eq!(request.version(), Version::HTTP_2);
        Ok::<_, Infallible>(Response::new("hello".to_owned()))
    })
    .await;
    let mut client = server.http2().await;
    let response = client.send_request(get("http://localhost/")).await;
    let body = response.expect("it answers").into_body().collect().await;
    assert_eq!(body.expect("all of it").to_bytes(), "hello");
    assert_ended(&reports.next().await, Outcome::Completed, 200, 5);
    drop((client, server));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_head_over_http2_completes() {
    let (server, mut reports, mut senders) = serve_pieces(Response::builder()).await;
    let mut client = server.http2().await;
    let request = request("HEAD", "http://localhost/");
    let response = client.send_request(request).await.expect("it answers");
    assert_eq!(response.status(), StatusCode::OK);
    assert_ended(&reports.next().await, Outcome::Completed, 200, 0);
    drop((response, client, senders.recv().await, server, senders));
    assert!(reports.all().await.is_empty());
}

/// The messages of a gRPC service.
async fn send_message_and_trailers(mut senders: mpsc::UnboundedReceiver<Sender>) {
    let mut sender = senders.recv().await.expect("a request");
    let message = Bytes::from_static(b"\0\0\0\0\x05hello");
    sender.send_data(message).await.expect("it is read");
    let status = HeaderName::from_static("grpc-status");
    let trailers = HeaderMap::from_iter([(status, HeaderValue::from_static("0"))]);
    sender.send_trailers(trailers).await.expect("it is read");
}

#[tokio::test]
async fn trailers_pass_over_http2_and_are_not_counted() {
    let (server, mut reports, senders) = serve_pieces(Response::builder()).await;
    let sending = tokio::spawn(send_message_and_trailers(senders));
    let mut client = server.http2().await;
    let response = client.send_request(get("http://localhost/")).await;
    let body = response.expect("it answers").into_body().collect().await;
    let body = body.expect("all of it");
    let trailers = body.trailers().expect("there are trailers");
    assert_eq!(trailers["grpc-status"], "0");
    sending.await.expect("all is sent");
    assert_ended(&reports.next().await, Outcome::Completed, 200, 10);
    drop((client, server));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_body_over_http2_that_fails_after_its_last_byte_has_failed() {
    let response = Response::builder().header("content-length", 5);
    let (server, mut reports, mut senders) = serve_pieces(response).await;
    let mut client = server.http2().await;
    let response = client.send_request(get("http://localhost/")).await;
    let mut body = response.expect("it answers").into_body();
    let mut sender = senders.recv().await.expect("a request");
    sender.send_data("hello".into()).await.expect("it is read");
    let frame = body.frame().await.expect("a frame").expect("data");
    assert_eq!(frame.into_data().expect("data"), "hello");
    sender.abort("the trailers can't be told".into());
    assert_ended(&reports.next().await, Outcome::BodyError, 200, 5);
    drop((body, client, server, senders));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn trailers_pass_over_http1_and_are_not_counted() {
    let response = Response::builder().header("trailer", "grpc-status");
    let (server, reports, senders) = serve_pieces(response).await;
    let sending = tokio::spawn(send_message_and_trailers(senders));
    let request = LAST_REQUEST.replace("host:", "te: trailers\r\nhost:");
    let answer = ask(&server, &request).await;
    assert!(
        answer.ends_with("hello\r\n0\r\ngrpc-status: 0\r\n\r\n"),
        "{answer:?}"
    );
    sending.await.expect("all is sent");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Completed, 200, 10);
}

// Requests and responses that someone gives up.

/// Serves a handler that signals when it is entered and never answers.
async fn serve_never() -> (Server, Reports, Arc<Notify>) {
    let entered = Arc::new(Notify::new());
    let tell = Arc::clone(&entered);
    let (server, reports) = serve(move |_| {
        tell.notify_one();
        future::pending::<Result<Response<String>, Infallible>>()
    })
    .await;
    (server, reports, entered)
}

#[tokio::test]
async fn a_client_that_leaves_before_the_response_cancels_its_request() {
    let (server, mut reports, entered) = serve_never().await;
    let mut client = server.connect().await;
    let text = LAST_REQUEST.as_bytes();
    client.write_all(text).await.expect("it listens");
    within_reason(entered.notified()).await;
    drop(client);
    assert_ended(&reports.next().await, Outcome::Cancelled, None, 0);
    drop(server);
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_stream_reset_before_the_response_cancels_its_request() {
    let (server, mut reports, entered) = serve_never().await;
    let mut client = server.http2().await;
    let response = tokio::spawn(client.send_request(get("http://localhost/")));
    within_reason(entered.notified()).await;
    response.abort();
    assert_ended(&reports.next().await, Outcome::Cancelled, None, 0);
    drop((client, server));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_client_that_leaves_mid_body_drops_it() {
    let (server, mut reports, mut senders) = serve_pieces(Response::builder()).await;
    let mut client = begin(&server, LAST_REQUEST, "\r\n\r\n").await;
    let mut sender = senders.recv().await.expect("a request");
    sender.send_data("hello".into()).await.expect("it is read");
    read_until(&mut client, "hello").await;
    drop(client);
    assert_ended(&reports.next().await, Outcome::BodyDropped, 200, 5);
    drop((server, senders));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_stream_reset_mid_body_drops_it() {
    let (server, mut reports, mut senders) = serve_pieces(Response::builder()).await;
    let mut client = server.http2().await;
    let response = client.send_request(get("http://localhost/")).await;
    let mut body = response.expect("it answers").into_body();
    let mut sender = senders.recv().await.expect("a request");
    sender.send_data("hello".into()).await.expect("it is read");
    let frame = body.frame().await.expect("a frame").expect("no error");
    assert_eq!(frame.into_data().expect("data"), "hello");
    drop(body);
    assert_ended(&reports.next().await, Outcome::BodyDropped, 200, 5);
    drop((client, server, senders));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_server_that_is_torn_down_mid_request_still_reports_it() {
    let (server, reports, entered) = serve_never().await;
    let mut client = server.connect().await;
    let text = LAST_REQUEST.as_bytes();
    client.write_all(text).await.expect("it listens");
    within_reason(entered.notified()).await;
    drop(server);
    assert_ended(&reports.only().await, Outcome::Cancelled, None, 0);
}

#[tokio::test]
async fn a_timeout_outside_the_layer_cancels_its_request() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let timeout = Duration::from_millis(10);
    let service = ServiceBuilder::new()
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            timeout,
        ))
        .layer(layer)
        .service_fn(|_| future::pending::<Result<Response<String>, Infallible>>());
    let server = Server::new(service).await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer:?}");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Cancelled, None, 0);
}

#[tokio::test]
async fn a_timeout_inside_the_layer_is_a_response_like_any_other() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let timeout = Duration::from_millis(10);
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            timeout,
        ))
        .service_fn(|_| future::pending::<Result<Response<String>, Infallible>>());
    let server = Server::new(service).await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer:?}");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Completed, 504, 0);
}

// Failures.

#[tokio::test]
async fn a_service_error_is_reported_and_closes_the_connection() {
    let (server, reports) = serve(async |_| {
        let error = io::Error::other("the handler failed");
        Err::<Response<String>, io::Error>(error)
    })
    .await;
    assert_eq!(ask(&server, LAST_REQUEST).await, "");
    drop(server);
    assert_ended(&reports.only().await, Outcome::ServiceError, None, 0);
}

#[tokio::test]
async fn a_body_that_fails_is_reported_with_what_it_sent() {
    let (server, reports, mut senders) = serve_pieces(Response::builder()).await;
    let _client = begin(&server, LAST_REQUEST, "\r\n\r\n").await;
    let mut sender = senders.recv().await.expect("a request");
    sender.send_data("hello".into()).await.expect("it is read");
    sender.abort("the database went away".into());
    let mut reports = reports;
    assert_ended(&reports.next().await, Outcome::BodyError, 200, 5);
    drop((server, senders));
    assert!(reports.all().await.is_empty());
}

/// A handler that panics in its future.
async fn panics(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    panic!("the handler panicked, as planned");
}

#[tokio::test]
async fn a_panic_that_nobody_catches_is_reported() {
    let (server, reports) = serve(panics).await;
    assert_eq!(ask(&server, LAST_REQUEST).await, "");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Panicked, None, 0);
}

#[tokio::test]
async fn a_panic_that_is_caught_outside_the_layer_is_no_cancellation() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new()
        .layer(CatchPanicLayer::new())
        .layer(layer)
        .service_fn(panics);
    let server = Server::new(service).await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer:?}");
    drop(server);
    assert_ended(&reports.only().await, Outcome::Panicked, None, 0);
}

#[tokio::test]
async fn a_panic_that_is_caught_inside_the_layer_is_a_response_like_any_other() {
    let (layer, reports) = reports_of(MemoryLayer::new());
    let service = ServiceBuilder::new()
        .layer(layer)
        .layer(CatchPanicLayer::new())
        .service_fn(panics);
    let server = Server::new(service).await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer:?}");
    drop(server);
    let size = answer.split_once("\r\n\r\n").expect("a body").1.len();
    assert_ended(&reports.only().await, Outcome::Completed, 500, size as u64);
}

#[tokio::test]
async fn a_body_that_panics_is_reported_with_what_it_sent() {
    let (server, reports) = serve(async |_| {
        let (mut sender, body) = Pieces::new(2);
        for piece in ["hello", "panic"] {
            let frame = http_body::Frame::data(piece.into());
            sender.try_send(frame).expect("there is room");
        }
        let body = body.map_frame(|frame| {
            let panics = frame.data_ref().is_some_and(|data| data == "panic");
            assert!(!panics, "the body panicked, as planned");
            frame
        });
        Ok::<_, Infallible>(Response::new(body))
    })
    .await;
    let answer = ask(&server, LAST_REQUEST).await;
    assert!(
        !answer.ends_with("0\r\n\r\n"),
        "the body was cut off: {answer:?}"
    );
    drop(server);
    assert_ended(&reports.only().await, Outcome::Panicked, 200, 5);
}

// Connections that stop being HTTP.

#[tokio::test]
async fn an_upgraded_connection_is_reported_at_the_upgrade_and_goes_on() {
    let (server, mut reports) = serve(async |request: Request<Incoming>| {
        tokio::spawn(async {
            let mut stream = TokioIo::new(upgrade::on(request).await.expect("an upgrade"));
            let mut word = [0; 5];
            stream.read_exact(&mut word).await.expect("a word");
            word.reverse();
            stream.write_all(&word).await.expect("it listens");
        });
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "backwards")
            .body(Pieces::new(1).1)
    })
    .await;
    let upgrade =
        "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: backwards\r\n\r\n";
    let mut stream = begin(&server, upgrade, "\r\n\r\n").await;
    assert_ended(&reports.next().await, Outcome::Completed, 101, 0);
    stream.write_all(b"hello").await.expect("it listens");
    let mut answer = [0; 5];
    within_reason(stream.read_exact(&mut answer))
        .await
        .expect("it answers");
    assert_eq!(&answer, b"olleh");
    drop((server, stream));
    assert!(reports.all().await.is_empty());
}

#[tokio::test]
async fn a_tunnel_is_reported_when_it_is_opened() {
    let (server, mut reports) = serve(async |request: Request<Incoming>| {
        tokio::spawn(async {
            let mut stream = TokioIo::new(upgrade::on(request).await.expect("a tunnel"));
            stream.write_all(b"hello").await.expect("it listens");
        });
        Ok::<_, Infallible>(Response::new(Pieces::new(1).1))
    })
    .await;
    let connect = "CONNECT localhost:443 HTTP/1.1\r\nhost: localhost:443\r\n\r\n";
    let stream = begin(&server, connect, "\r\n\r\n").await;
    assert_ended(&reports.next().await, Outcome::Completed, 200, 0);
    drop((server, stream));
    assert!(reports.all().await.is_empty());
}
