//! The real binary, started for a test.

// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use std::{
    io,
    net::SocketAddr,
    process::{ExitStatus, Stdio},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
};

pub(crate) struct Binary {
    pub(crate) address: SocketAddr,
    pub(crate) log: Lines<BufReader<ChildStdout>>,
    child: Child,
}

/// The command, free of settings that the environment of the tests may have.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_system-builder"));
    for variable in [
        "LISTEN",
        "DASHBOARD",
        "WARN_ABOVE",
        "WARN_PEAK_ABOVE",
        "RECLAIM",
        "BODY_LIMIT",
        "STORE_LIMIT",
        "COMPUTE_AT_ONCE",
        "RESULTS_LIMIT",
        "LOG_FORMAT",
        "HOST",
        "METRICS",
        "CONNECTIONS",
        "SILENCE",
        "SLOWEST",
        "WORK_LIMIT",
    ] {
        command.env_remove(format!("SYSTEM_BUILDER_{variable}"));
    }
    command.env_remove("RUST_LOG").kill_on_drop(true);
    command
}

impl Binary {
    /// Starts the binary and waits for the line that tells its address.
    pub(crate) async fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = log.next_line().await.unwrap().unwrap();
            if let Some((_, rest)) = line.split_once("serving on http://") {
                let end = rest.find([' ', '"']).unwrap_or(rest.len());
                break rest[..end].parse().unwrap();
            }
        };
        Self {
            address,
            log,
            child,
        }
    }

    /// Starts the binary on a free port, with these flags.
    pub(crate) async fn with_flags(flags: &[&str]) -> Self {
        Self::start(command().args(["--listen", "127.0.0.1:0"]).args(flags)).await
    }
}

// Only some of the tests that start the binary look at more of it.
#[allow(dead_code)]
impl Binary {
    pub(crate) async fn on_free_port() -> Self {
        Self::with_flags(&[]).await
    }

    /// Sends one request by hand and reads the whole answer.
    pub(crate) async fn request(&self, head: &str, body: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address).await?;
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    /// Reads the log up to the first line that contains `text`, and returns that line.
    pub(crate) async fn log_line(&mut self, text: &str) -> String {
        loop {
            let line = self.log.next_line().await.unwrap();
            let line = line.unwrap_or_else(|| panic!("the log ended without `{text}`"));
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &id])
                .status()
                .await
                .unwrap()
                .success()
        );
    }

    /// Of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) async fn exit(mut self) -> ExitStatus {
        self.child.wait().await.unwrap()
    }
}
