//! Responses over HTTP/2 that end as they should, and trailers.

use super::*;

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
