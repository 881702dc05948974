//! Responses over HTTP/1.1 that end as they should.

use super::*;

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
