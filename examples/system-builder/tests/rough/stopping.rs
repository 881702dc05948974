// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use crate::{
    binary::Binary,
    client::{begin_upload, connect, in_time, rest},
};

#[tokio::test]
async fn half_a_head_does_not_hold_the_exit() {
    let mut server = Binary::with_flags(&["--silence", "3600"]).await;
    let mut half = connect(server.address, "GET / HTTP/1.1\r\nhost: lo").await;
    server.signal("TERM").await;
    in_time(server.log_line("stopping")).await;
    assert_eq!(rest(&mut half).await, "");
    let mut log = String::new();
    while let Some(line) = in_time(server.log.next_line()).await.unwrap() {
        log.push_str(&line);
    }
    assert!(!log.contains("still running"), "{log}");
    assert!(in_time(server.exit()).await.success());
}

#[tokio::test]
async fn a_second_signal_ends_at_once_what_the_first_one_waits_for() {
    let mut server = Binary::on_free_port().await;
    let _upload = begin_upload(server.address).await;
    server.signal("TERM").await;
    in_time(server.log_line("stopping")).await;
    server.signal("TERM").await;
    in_time(server.log_line("a second time")).await;
    assert!(in_time(server.exit()).await.success());
}
