//! Connections that become something else.

use super::*;

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
