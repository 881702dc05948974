//! The server under test, and what was noted of its answers.

// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use crate::binary::{Binary, command};
use axum::body::Body;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    env, fs,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

pub(crate) struct Server {
    pub(crate) binary: Binary,
    client: Client<HttpConnector, Body>,
    errors: PathBuf,
    accepted: AtomicUsize,
    longest: Mutex<Duration>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: Vec<u8>,
}

impl Server {
    pub(crate) async fn start(flags: &[&str]) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Relaxed);
        let errors = env::temp_dir().join(format!("fuzz-{}-{number}.err", std::process::id()));
        let mut start = command();
        start.args(["--listen", "127.0.0.1:0", "--log-format", "json"]);
        start.args(flags);
        start.env("RUST_LOG", "info,tower_memory=debug");
        start.stderr(fs::File::create(&errors).unwrap());
        Self {
            binary: Binary::start(&mut start).await,
            client: Client::builder(TokioExecutor::new()).build_http(),
            errors,
            accepted: AtomicUsize::new(0),
            longest: Mutex::default(),
        }
    }

    /// Uploads a mutant. If it is accepted, asks for all there is of it, and loads it again from
    /// what comes back.
    pub(crate) async fn put_through(&self, mutant: &[u8], number: u64) -> Result<(), String> {
        let created = self.ask("POST", "/api/systems", mutant).await?;
        if created.status != 201 {
            return Ok(());
        }
        self.accepted.fetch_add(1, Relaxed);
        let system = &created.location;
        let step = ["hour", "day", "month", "year"][number as usize % 4];
        let back = self.ask("GET", system, b"").await?;
        let over_time = format!("/footprint?step={step}");
        for path in [
            "/objects",
            &over_time,
            "/footprint?format=csv",
            "/sankey",
            "/computed",
        ] {
            self.ask("GET", &format!("{system}{path}"), b"").await?;
        }
        self.ask("DELETE", system, b"").await?;
        let again = self.ask("POST", "/api/systems", &back.body).await?;
        if again.status != 201 {
            let answer = String::from_utf8_lossy(&again.body).into_owned();
            return Err(format!("what came back is refused: {answer}"));
        }
        self.ask("DELETE", &again.location, b"").await?;
        Ok(())
    }

    /// # Errors
    ///
    /// Where the server fails, or says that it did.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> Result<Answer, String> {
        let began = Instant::now();
        let request = hyper::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.binary.address))
            .header("content-type", "application/json")
            .body(Body::from(body.to_vec()))
            .unwrap();
        let failed = |error: &dyn std::fmt::Debug| format!("{method} {path}: {error:?}");
        let response = self.client.request(request).await;
        let (parts, body) = response.map_err(|error| failed(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| failed(&error))?;
        let took = began.elapsed();
        let mut longest = self.longest.lock().unwrap();
        *longest = longest.max(took);
        let answer = Answer {
            status: parts.status.as_u16(),
            location: parts
                .headers
                .get("location")
                .map_or(String::new(), |value| value.to_str().unwrap().to_owned()),
            body: body.to_bytes().into(),
        };
        if parts.status.is_server_error() {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("{method} {path}: {}: {body}", answer.status));
        }
        Ok(answer)
    }

    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Relaxed)
    }

    pub(crate) fn longest(&self) -> Duration {
        *self.longest.lock().unwrap()
    }

    /// The most that the process ever had resident, in MiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.binary.id()));
        let status = status.expect("Linux tells what a process has");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
        kilobytes.parse::<u64>().unwrap() >> 10
    }

    pub(crate) async fn stop_without_panics(self) {
        self.binary.signal("TERM").await;
        assert!(self.binary.exit().await.success());
        let errors = fs::read_to_string(&self.errors).unwrap();
        let _ = fs::remove_file(&self.errors);
        assert!(!errors.contains("panicked"), "{errors}");
    }
}
