//! The zoo as a user starts it.
#![cfg(all(feature = "dashboard", target_os = "linux"))]

#[path = "support/built.rs"]
mod built;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{net::TcpListener, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

const DEADLINE: Duration = Duration::from_secs(120);

fn zoo() -> PathBuf {
    let zoo = built::path("zoo");
    let how = "cargo build --all-features --example zoo";
    assert!(zoo.is_file(), "no {zoo:?}: {how}");
    zoo
}

/// The zoo on a free port, killed when it is dropped.
struct Zoo {
    process: Child,
    log: Lines<BufReader<ChildStdout>>,
    address: String,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Zoo {
    async fn open(levels: &str) -> Self {
        let mut command = Command::new(zoo());
        command.args(["--listen", "127.0.0.1:0"]);
        command.env("RUST_LOG", levels).kill_on_drop(true);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let mut log = BufReader::new(process.stdout.take().expect("piped")).lines();
        let first = log.next_line().await.expect("text").expect("a line");
        let (_, address) = first.split_once("http://").expect("an address");
        Self {
            process,
            log,
            address: address.trim().to_owned(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The status and text of a response, over one kept connection.
    async fn get(&self, path: &str) -> (u16, String) {
        let uri = format!("http://{}{path}", self.address);
        let request = Request::get(uri).body(Empty::new()).expect("a request");
        let asking = async {
            let response = self.client.request(request).await.expect("an answer");
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.expect("all of it");
            let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
            (status, body)
        };
        let answer = timeout(DEADLINE, asking).await;
        answer.unwrap_or_else(|_| panic!("{path}: no answer"))
    }

    /// Sends this signal, and returns the exit code, the rest of the log and standard error.
    async fn end(mut self, signal: Signal) -> (Option<i32>, Vec<String>, String) {
        let id = self.process.id().expect("it runs") as i32;
        kill_process(Pid::from_raw(id).expect("not zero"), signal).expect("told");
        let mut log = Vec::new();
        while let Some(line) = self.log.next_line().await.expect("text") {
            log.push(line);
        }
        let mut said = String::new();
        let mut stderr = self.process.stderr.take().expect("piped");
        stderr.read_to_string(&mut said).await.expect("text");
        let ended = self.process.wait().await.expect("it ended");
        (ended.code(), log, said)
    }
}

#[tokio::test]
async fn a_zoo_whose_address_is_taken_says_which_and_what_to_do() {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = socket.local_addr().expect("bound").to_string();
    let mut command = Command::new(zoo());
    let output = command.args(["--listen", &taken]).output().await;
    let output = output.expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&taken), "{said}");
    assert!(said.contains("--listen 127.0.0.1:0"), "{said}");
}

#[tokio::test]
async fn the_zoo_lists_all_of_its_routes() {
    let zoo = Zoo::open("off").await;
    let (status, page) = zoo.get("/").await;
    assert_eq!(status, 200);
    let source = [
        include_str!("../examples/zoo/routes.rs"),
        include_str!("../examples/zoo/shapes.rs"),
    ]
    .concat();
    let routes = source.split(".route(\"").skip(1);
    let routes: Vec<_> = routes.filter_map(|rest| rest.split('"').next()).collect();
    assert!(routes.len() > 10, "{routes:?}");
    for route in routes {
        assert!(page.contains(route), "{route} in {page}");
    }
    let links = page.split("href=\"").skip(1);
    for link in links.filter_map(|rest| rest.split('"').next()) {
        let expected = if link == "/panic" { 500 } else { 200 };
        // Those without a size of their own take long.
        let link = match link.contains('?') {
            true => link.to_owned(),
            false => format!("{link}?kib=4&ms=1"),
        };
        assert_eq!(zoo.get(&link).await.0, expected, "{link}");
    }
}

#[tokio::test]
async fn the_zoo_leaks_as_little_as_it_is_asked_to() {
    let zoo = Zoo::open("off").await;
    for (path, bytes) in [
        ("/leak?bytes=64", 64),
        ("/leak?kib=4", 4096),
        ("/leak?mib=1", 1 << 20),
    ] {
        let leaked = format!("leaked {bytes} bytes\n");
        assert_eq!(zoo.get(path).await, (200, leaked));
    }
    let (_, stream) = zoo.get("/stream?bytes=1100000&ms=0").await;
    assert_eq!(stream.len(), 1_100_000);
}

#[tokio::test]
async fn a_log_that_nobody_reads_holds_no_request_up_and_what_was_dropped_is_counted() {
    const REQUESTS: usize = 2000;
    let mut zoo = Zoo::open("tower_memory=debug").await;
    for _ in 0..REQUESTS {
        assert_eq!(zoo.get("/steady?bytes=64").await.0, 200);
    }
    // Now somebody reads.
    let (mut written, mut dropped) = (0, None);
    while dropped.is_none() {
        let line = timeout(DEADLINE, zoo.log.next_line()).await;
        let line = line.expect("in time").expect("text").expect("it goes on");
        if line.contains("GET /steady") {
            written += 1;
        } else if let Some((_, count)) = line.split_once("dropped=") {
            assert!(line.contains("WARN"), "{line}");
            dropped = count.trim().parse().ok();
        }
    }
    let dropped: usize = dropped.expect("a count");
    assert!(dropped > 0);
    assert_eq!(written + dropped, REQUESTS);
    let (code, _, said) = zoo.end(Signal::TERM).await;
    assert_eq!(code, Some(0), "{said}");
    let told = format!("{dropped} log lines were dropped");
    assert!(said.contains(&told), "{said}");
}

#[tokio::test]
async fn the_zoo_writes_the_last_lines_of_its_log_before_it_ends() {
    for signal in [Signal::INT, Signal::TERM] {
        let zoo = Zoo::open("tower_memory=debug").await;
        for _ in 0..100 {
            zoo.get("/steady?bytes=64").await;
        }
        let (code, log, said) = zoo.end(signal).await;
        assert_eq!((code, said.as_str()), (Some(0), ""));
        // The last response may arrive before its log line.
        assert!((99..=100).contains(&log.len()), "{}", log.len());
    }
}

#[tokio::test]
async fn the_zoo_ends_although_nobody_reads_its_log() {
    let mut zoo = Zoo::open("tower_memory=debug").await;
    for _ in 0..2000 {
        zoo.get("/steady?bytes=64").await;
    }
    let id = zoo.process.id().expect("it runs") as i32;
    kill_process(Pid::from_raw(id).expect("not zero"), Signal::TERM).expect("told");
    let ended = timeout(DEADLINE, zoo.process.wait()).await;
    assert_eq!(ended.expect("in time").expect("it ended").code(), Some(0));
}
