use crate::server::{Server, read_answer, system};
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream, time};

#[tokio::test]
async fn an_upload_that_has_begun_is_finished() {
    let server = Server::start().await;
    let address = server.address;
    let system = system("just in time").to_string();
    let mut stream = server.begin_upload(system.len()).await;
    let stopping = server.stop();
    // Once the listener is closed the server is known to be stopping.
    let closed = async { while TcpStream::connect(address).await.is_ok() {} };
    time::timeout(Duration::from_secs(60), closed)
        .await
        .expect("the listener stays open");
    stream.write_all(system.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(stopping.stored().await[0]["name"], "just in time");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_does_not_end_is_not_waited_for() {
    let server = Server::start().await;
    let _stream = server.begin_upload(100).await;
    let stopping = server.stop();
    let begun = time::Instant::now();
    while !stopping.serving.is_finished() {
        time::advance(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() >= Duration::from_secs(10));
    assert!(
        begun.elapsed() < Duration::from_secs(30),
        "the upload's own time-out ended it"
    );
}
