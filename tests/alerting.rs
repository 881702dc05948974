//! From a leaking route to an alert, through mtail, Prometheus and Alertmanager as Debian has them.
//!
//! The service is the zoo, which `cargo test` builds unless it is told of one test alone: then build it before,
//! with `cargo build --features axum --example zoo`.
#![cfg(all(feature = "axum", target_os = "linux"))]

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/alerting");

/// Runs `program`, and shows what it says when it doesn't agree.
fn agrees(program: &str, arguments: &[&str]) {
    let mut command = Command::new(program);
    let output = command
        .args(arguments)
        .current_dir(FOLDER)
        .output()
        .expect("it runs");
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
}

/// Whether all tools are here; in CI it is a failure if one isn't.
fn all_here(tools: &[&str]) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let here = |tool: &&&str| env::split_paths(&path).any(|folder| folder.join(tool).is_file());
    let Some(missing) = tools.iter().find(|tool| !here(tool)) else {
        return true;
    };
    assert!(env::var_os("CI").is_none(), "`{missing}` is not installed");
    println!("skipped: `{missing}` is not installed");
    false
}

#[test]
fn the_rules_fire_where_they_should_and_stay_silent_where_they_should() {
    if all_here(&["promtool"]) {
        agrees("promtool", &["check", "config", "prometheus.yml"]);
        agrees("promtool", &["test", "rules", "rules.test.yml"]);
    }
}

#[test]
fn alertmanager_and_mtail_take_their_files() {
    if all_here(&["amtool", "mtail"]) {
        agrees("amtool", &["check-config", "alertmanager.yml"]);
        agrees("mtail", &["-compile_only", "-progs", "tower_memory.mtail"]);
    }
}

/// The zoo and all that watches it, until it is dropped.
struct Watched {
    start: Child,
    zoo: u16,
    alertmanager: u16,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Watched {
    fn start() -> Self {
        // Held together, so that no two are the same.
        let held = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let ports = held
            .each_ref()
            .map(|held| held.local_addr().expect("bound").port());
        drop(held);
        let test = env::current_exe().expect("this test");
        let zoo = test
            .parent()
            .and_then(|deps| deps.parent())
            .expect("the target folder");
        let zoo: PathBuf = zoo.join("examples/zoo");
        assert!(zoo.is_file(), "{zoo:?} is not built");
        let names = [
            "ZOO_PORT",
            "MTAIL_PORT",
            "PROMETHEUS_PORT",
            "ALERTMANAGER_PORT",
        ];
        let ports_by_name = names.iter().zip(ports.map(|port| port.to_string()));
        let mut start = Command::new(format!("{FOLDER}/start"));
        let start = start
            .env("ZOO", zoo)
            .env("INTERVAL", "1s")
            .envs(ports_by_name);
        Self {
            start: start.spawn().expect("it starts"),
            zoo: ports[0],
            alertmanager: ports[3],
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    async fn get(&self, port: u16, path: &str) -> Option<Bytes> {
        let uri: Uri = format!("http://127.0.0.1:{port}{path}")
            .parse()
            .expect("a URI");
        let response = self.client.get(uri).await.ok()?;
        Some(response.into_body().collect().await.ok()?.to_bytes())
    }

    /// The labels of the alerts there are; none while Alertmanager isn't there.
    async fn alerts(&self) -> Vec<Value> {
        let alerts = self.get(self.alertmanager, "/api/v2/alerts").await;
        let alerts = alerts.and_then(|alerts| serde_json::from_slice::<Vec<Value>>(&alerts).ok());
        alerts
            .unwrap_or_default()
            .into_iter()
            .map(|mut alert| alert["labels"].take())
            .collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.start.id().cast_signed()) {
            // Asked, not killed: it has children to stop.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.start.wait();
    }
}

/// Asks again and again until `question` has an answer, for as long as a slow machine may need.
async fn eventually<T>(what: &str, question: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        if let Some(answer) = question().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("{what} within two minutes");
}

#[tokio::test]
async fn a_route_that_retains_raises_an_alert_with_its_name_and_healthy_routes_raise_none() {
    if !all_here(&["mtail", "prometheus", "prometheus-alertmanager", "bash"]) {
        return;
    }
    let watched = Watched::start();
    eventually("the zoo opens", async || {
        watched.get(watched.zoo, "/steady").await
    })
    .await;
    // A counter that appears with its first warning has not increased yet: one more each second.
    let began = Instant::now();
    for path in ["/steady", "/stream?mib=1&ms=1", "/leak?mib=110"] {
        let answer = watched.get(watched.zoo, path).await;
        assert!(answer.is_some(), "{path}");
    }
    let labels = eventually("an alert is raised", async || {
        let alerts = watched.alerts().await.into_iter();
        alerts
            .into_iter()
            .find(|labels| labels["alertname"] == "TowerMemoryRequestGrew")
    })
    .await;
    println!("from the first request to the alert: {:?}", began.elapsed());
    assert_eq!(labels["route"], "/leak");
    assert_eq!(labels["verdict"], "retained");
    for labels in watched.alerts().await {
        let route = labels.get("route").and_then(Value::as_str);
        assert!(route.is_none_or(|route| route == "/leak"), "{labels}");
    }
}
