//! Services and bodies that fail, time out or panic.

use super::*;

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
