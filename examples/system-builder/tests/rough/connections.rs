// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use crate::{
    binary::{Binary, command},
    client::{
        SMALL, ask, begin_upload, connect, connect_from, get, in_time, is_open, large, location,
        post, post_head, rest,
    },
};
use std::net::SocketAddr;
use tokio::net::TcpStream;

async fn connect_all(count: usize, server: SocketAddr, text: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(connect(server, text).await);
    }
    streams
}

const HALF_A_HEAD: &str = "GET /api/systems HTTP/1.1\r\nhost: local";

#[tokio::test]
async fn silent_connections_and_heads_without_an_end_are_closed() {
    let patient = Binary::with_flags(&["--silence", "3600"]).await;
    let server = Binary::with_flags(&["--silence", "1"]).await;
    for text in ["", HALF_A_HEAD] {
        let kept = connect_all(20, patient.address, text).await;
        for mut stream in connect_all(20, server.address, text).await {
            assert!(!rest(&mut stream).await.contains("HTTP/1.1 200"));
        }
        // The option does it.
        assert!(kept.iter().all(is_open));
    }
}

#[tokio::test]
async fn a_connection_between_two_requests_is_closed() {
    let server = Binary::with_flags(&["--silence", "1"]).await;
    let request = "GET /api/systems HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answer = ask(server.address, request).await;
    assert!(answer.ends_with("[]\r\n0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn an_upload_that_trickles_is_ended() {
    let server = Binary::with_flags(&["--silence", "1", "--slowest", "1MiB"]).await;
    let mut stream = connect(server.address, &post_head(100_000)).await;
    let trickling = async {
        use tokio::io::AsyncWriteExt;
        let (mut reader, mut writer) = stream.split();
        let mut answer = String::new();
        let reading = tokio::io::AsyncReadExt::read_to_string(&mut reader, &mut answer);
        let writing = async {
            while writer.write_all(b" ").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            _ = reading => {}
            () = writing => {}
        }
        answer
    };
    let answer = in_time(trickling).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

async fn upload(server: &Binary, file: &str) -> String {
    let answer = ask(server.address, &post(file)).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    location(&answer).to_owned()
}

/// Larger than what the buffers of a connection take.
const BEYOND_BUFFERS: usize = 20 << 20;

#[tokio::test]
async fn an_answer_that_nobody_reads_is_broken_off() {
    let mut start = command();
    start.args([
        "--listen",
        "127.0.0.1:0",
        "--silence",
        "1",
        "--work-limit",
        "1GiB",
    ]);
    start.env("RUST_LOG", "info,system_builder=debug");
    let mut server = Binary::start(&mut start).await;
    for _ in 0..5 {
        upload(&server, &large(BEYOND_BUFFERS / 4)).await;
    }
    let list = get("/api/systems");
    let whole = ask(server.address, &list).await;
    assert!(whole.len() > BEYOND_BUFFERS, "{}", whole.len());
    let mut unread = connect(server.address, &list).await;
    in_time(server.log_line("a client reads too slowly")).await;
    assert!(rest(&mut unread).await.len() < whole.len());
}

#[tokio::test]
async fn eight_clients_that_send_and_read_nothing_keep_no_other_from_it() {
    let server = Binary::with_flags(&["--work-limit", "1GiB"]).await;
    for _ in 0..4 {
        upload(&server, &large(BEYOND_BUFFERS / 4)).await;
    }
    let _uploads = connect_all(8, server.address, &post_head(1000)).await;
    let _lists = connect_all(8, server.address, &get("/api/systems")).await;
    let system = upload(&server, SMALL).await;
    let answer = ask(server.address, &get(&format!("{system}/objects"))).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let list = ask(server.address, &get("/api/systems")).await;
    assert!(list.len() > BEYOND_BUFFERS / 2);
}

#[tokio::test]
async fn one_client_has_half_of_the_connections_and_others_the_rest() {
    let mut server = Binary::with_flags(&["--connections", "8"]).await;
    let mut busy = Vec::new();
    for _ in 0..4 {
        busy.push(begin_upload(server.address).await);
    }
    let refused = ask(server.address, &get("/api/systems")).await;
    assert!(refused.contains("Too many connections"), "{refused}");
    let warning = in_time(server.log_line("refused a connection")).await;
    assert!(
        warning.contains("127.0.0.1") && warning.contains("--connections"),
        "{warning}"
    );
    let mut other = connect_from([127, 0, 0, 2], server.address, &get("/api/systems")).await;
    assert!(rest(&mut other).await.starts_with("HTTP/1.1 200 "));
    busy.pop();
    // A place is free once the server has noticed.
    while !ask(server.address, &get("/api/systems"))
        .await
        .starts_with("HTTP/1.1 200 ")
    {}
}

#[tokio::test]
async fn idle_connections_make_room_for_the_next_request() {
    let server = Binary::with_flags(&["--connections", "8"]).await;
    let _idle = connect_all(50, server.address, HALF_A_HEAD).await;
    let answer = ask(server.address, &get("/api/systems")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn a_server_out_of_descriptors_says_so_and_serves_on() {
    // Some of them are its own, so that fewer are left than it reckons with.
    let mut start = command();
    start.args(["--listen", "127.0.0.1:0"]);
    let start = start.as_std();
    let mut limited = tokio::process::Command::new("sh");
    limited
        .args(["-c", "ulimit -n 24 && exec \"$0\" \"$@\""])
        .arg(start.get_program())
        .args(start.get_args())
        .kill_on_drop(true);
    let mut server = Binary::start(&mut limited).await;
    let idle = connect_all(60, server.address, HALF_A_HEAD).await;
    let reason = in_time(server.log_line("a connection can't be taken")).await;
    assert!(reason.contains("ulimit -n"), "{reason}");
    let answer = ask(server.address, &get("/api/systems")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(idle);
}
