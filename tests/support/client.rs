//! An HTTP client in a process of its own, so its allocations aren't in the heap of the server that a test measures.
//!
//! The process is the test's own binary, started once more: `mod client` brings the test `client_process`, which passes
//! at once unless [`Client::start`] started it. It reads one JSON [`Batch`] a line from standard input and writes one JSON
//! [`Answer`] a line when the batch is finished, so the test waits for that and never sleeps.
//!
//! ```no_run
//! let mut client = Client::start();
//! let answer = client.run(&Batch { path: "/leak".into(), count: 1000, connections: 8, ..Batch::get(address) }).await;
//! assert_eq!(answer.ok, 1000);
//! client.close().await; // Connections that `hold` kept open.
//! ```

// Each file of tests is a crate of its own and uses its part.
#![allow(dead_code, unreachable_pub)]

#[path = "client/connections.rs"]
mod connections;
#[path = "client/http1.rs"]
mod http1;
#[path = "client/http2.rs"]
mod http2;

use serde::{Deserialize, Serialize};
use std::{
    env,
    io::{self, BufRead},
    net::SocketAddr,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Set in the client's process.
const ASKED: &str = "TOWER_MEMORY_TEST_CLIENT";

/// How long clients wait that don't read their response.
const PATIENCE: Duration = Duration::from_millis(100);

/// Requests of one shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    pub address: SocketAddr,
    pub method: String,
    pub path: String,
    /// All requests of the batch, shared evenly among the connections.
    pub count: usize,
    /// How many connections there are at once.
    pub connections: usize,
    /// HTTP/2: how many requests of a connection are open at once.
    pub streams: usize,
    /// Headers beside the necessary ones, of some 40 bytes each.
    pub headers: usize,
    /// Further headers with these names and values.
    pub with: Vec<(String, String)>,
    /// Bytes of the request body; 0 is none.
    pub body: usize,
    /// The file that the body is read from; `body` is then its size.
    pub file: Option<PathBuf>,
    /// Whether to leave the body's length undeclared.
    pub chunked: bool,
    pub mode: Mode,
    pub reading: Reading,
    /// Leaves connections open until [`Client::close`], idle or with responses that are not read; else the batch closes
    /// them.
    pub hold: bool,
}

/// How connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// HTTP/1.1, one request after the other.
    Kept,
    /// HTTP/1.1, 16 requests at once, then their responses.
    Pipelined,
    /// HTTP/1.1, a connection for each request, which says `connection: close`.
    Close,
    /// HTTP/1.1, a connection for each request, closed by the client.
    Churn,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// How responses are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    All,
    /// In small pieces, with a millisecond between them.
    Slow,
    /// The head only. Held, it is a client that doesn't read; otherwise one that leaves within the response. Takes a
    /// connection for each request.
    Head,
    /// Nothing: gives up a tenth of a second after the request was sent, as clients with a timeout do. Takes a connection
    /// for each request.
    Nothing,
}

/// The result of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Responses read as far as intended.
    pub responses: u64,
    /// How many of those have status 200 to 299.
    pub ok: u64,
    /// Bytes of response bodies that were read.
    pub bytes: u64,
    /// Requests without such a response, and the reason of the first.
    pub failed: u64,
    pub failure: Option<String>,
}

impl Batch {
    /// One GET of `/` without headers and body, over one kept connection.
    pub fn get(address: SocketAddr) -> Self {
        Self {
            address,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            count: 1,
            connections: 1,
            streams: 1,
            headers: 0,
            with: Vec::new(),
            body: 0,
            file: None,
            chunked: false,
            mode: Mode::Kept,
            reading: Reading::All,
            hold: false,
        }
    }
}

impl Batch {
    fn content(&self) -> Vec<u8> {
        match &self.file {
            Some(file) => std::fs::read(file).expect("a file to send"),
            None => vec![b'x'; self.body],
        }
    }
}

impl Answer {
    /// This many requests, with one reason.
    fn failed(requests: u64, failure: impl ToString) -> Self {
        Self {
            failed: requests,
            failure: Some(failure.to_string()),
            ..Self::default()
        }
    }

    fn add(&mut self, more: Self) {
        self.responses += more.responses;
        self.ok += more.ok;
        self.bytes += more.bytes;
        self.failed += more.failed;
        self.failure = self.failure.take().or(more.failure);
    }
}

/// The other process, killed when this is dropped.
pub struct Client {
    process: Child,
    batches: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Client {
    /// Starts it. Requires a runtime with IO enabled.
    pub fn start() -> Self {
        let (_, module) = module_path!().split_once("::").expect("a module of a test");
        let test = env::current_exe().expect("known");
        let mut process = Command::new(test)
            .args(["--exact", "--nocapture", "--test-threads=1"])
            .arg(format!("{module}::client_process"))
            .env(ASKED, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it starts");
        let batches = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped")).lines();
        Self {
            process,
            batches,
            answers,
        }
    }

    /// Sends the batch and waits until it is finished.
    pub async fn run(&mut self, batch: &Batch) -> Answer {
        self.ask(Some(batch)).await
    }

    /// Runs the batch, every request of which has to succeed, and returns its answer.
    pub async fn succeed(&mut self, batch: &Batch) -> Answer {
        let answer = self.run(batch).await;
        let is_good = answer.failed == 0 && answer.ok == batch.count as u64;
        assert!(is_good, "{answer:?} to {batch:?}");
        answer
    }

    /// Closes the connections that are held.
    pub async fn close(&mut self) {
        self.ask(None).await;
    }

    async fn ask(&mut self, batch: Option<&Batch>) -> Answer {
        let line = serde_json::to_string(&batch).expect("JSON") + "\n";
        let sent = self.batches.write_all(line.as_bytes()).await;
        sent.expect("the client is there");
        // The test harness writes there, too.
        while let Some(line) = self.answers.next_line().await.expect("text") {
            if line.starts_with('{') {
                return serde_json::from_str(&line).expect("an answer");
            }
        }
        panic!("the client ended: {:?}", self.process.try_wait());
    }
}

/// The client's process, if [`Client::start`] started it; otherwise passes at once.
#[test]
fn client_process() {
    if env::var_os(ASKED).is_none() {
        return;
    }
    // With a thread of its own, connections end while the next batch is waited for.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut held = connections::Held::default();
    for line in io::stdin().lock().lines() {
        let line = line.expect("text");
        let answer = match serde_json::from_str::<Option<Batch>>(&line).expect("a batch") {
            Some(batch) => runtime.block_on(connections::run(batch, &mut held)),
            None => {
                runtime.block_on(held.close());
                Answer::default()
            }
        };
        // The harness may be in the middle of a line.
        println!("\n{}", serde_json::to_string(&answer).expect("JSON"));
    }
}
