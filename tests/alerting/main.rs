//! A request that grows the process raises an alert, by way of mtail, Prometheus and Alertmanager as Debian has them, and
//! healthy requests raise none. The files are those of `examples/alerting`.
#![cfg(all(feature = "dashboard", target_os = "linux"))]

mod alertmanager;
mod mtail;
mod rules;
mod start;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{
    env,
    future::Future,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tokio::time::{sleep, timeout};

const DEADLINE: Duration = Duration::from_secs(90);

/// Whether all of them are installed. On CI they have to be.
fn has(tools: &[&str]) -> bool {
    let found = |tool: &str| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).any(|folder| folder.join(tool).is_file())
    };
    let missing: Vec<_> = tools.iter().filter(|tool| !found(tool)).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(
        env::var("CI").as_deref() != Ok("true"),
        "{missing:?} missing: apt install mtail prometheus prometheus-alertmanager"
    );
    eprintln!("skipped: {missing:?} missing");
    false
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/alerting")
}

/// Runs a tool in the folder and returns its output, once it succeeded.
fn run(tool: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(tool);
    let output = command.args(arguments).current_dir(folder()).output();
    let output = output.expect("it starts");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{tool} {arguments:?}:\n{out}{err}");
    out
}

async fn request(method: Method, port: u16, path: &str, body: Vec<u8>) -> String {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let uri = format!("http://127.0.0.1:{port}{path}");
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from(body))).expect("valid");
    let response = client.request(request).await.expect("an answer");
    assert!(
        response.status().is_success(),
        "{path}: {}",
        response.status()
    );
    let body = response.into_body().collect().await.expect("all of it");
    String::from_utf8_lossy(&body.to_bytes()).into_owned()
}

/// Asks until there is an answer, as long as the deadline allows.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let answer = timeout(DEADLINE, asking).await;
    answer.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}
