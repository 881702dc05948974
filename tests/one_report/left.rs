//! Clients that leave, and servers that are torn down.

use super::*;

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
