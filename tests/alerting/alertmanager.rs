//! The alerts that Alertmanager inhibits.

use super::{DEADLINE, folder, has, request, until};
use http::Method;
use serde_json::{Value, json};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, Command as Spawn},
    time::timeout,
};

/// Alertmanager with nothing but its configuration, killed when it is dropped.
struct Alertmanager {
    _process: Child,
    /// Open, or else it could not write.
    _log: Lines<BufReader<ChildStderr>>,
    _data: TempDir,
    port: u16,
}

impl Alertmanager {
    async fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Spawn::new("prometheus-alertmanager");
        command.args([
            "--config.file=alertmanager.yml",
            "--cluster.listen-address=",
            "--web.listen-address=127.0.0.1:0",
        ]);
        command.arg(format!("--storage.path={}", data.path().display()));
        command.stderr(Stdio::piped()).current_dir(folder());
        let mut process = command.kill_on_drop(true).spawn().expect("it starts");
        let mut log = BufReader::new(process.stderr.take().expect("piped")).lines();
        let port = loop {
            let line = timeout(DEADLINE, log.next_line()).await.expect("in time");
            let line = line.expect("text").expect("it goes on");
            if let Some((_, port)) = line.split_once(r#""Listening on" address=127.0.0.1:"#) {
                break port.trim().parse().expect("a port");
            }
        };
        Self {
            _process: process,
            _log: log,
            _data: data,
            port,
        }
    }

    /// Fires alerts of these names and instances.
    async fn fire(&self, alerts: &[[&str; 2]]) {
        let alerts = alerts.iter().map(|[name, instance]| {
            let labels = json!({ "alertname": name, "job": "tower-memory", "instance": instance });
            json!({ "labels": labels })
        });
        let body = Value::from_iter(alerts).to_string().into_bytes();
        request(Method::POST, self.port, "/api/v2/alerts", body).await;
    }

    /// Instances whose alerts are inhibited.
    async fn inhibited(&self) -> Vec<String> {
        let path = "/api/v2/alerts?active=false";
        let alerts = request(Method::GET, self.port, path, Vec::new()).await;
        let alerts: Vec<Value> = serde_json::from_str(&alerts).expect("a list");
        let instance = |alert: &Value| alert["labels"]["instance"].as_str().map(str::to_owned);
        let mut instances: Vec<_> = alerts.iter().filter_map(instance).collect();
        instances.sort();
        instances
    }
}

#[tokio::test]
async fn while_nobody_looks_at_a_process_what_was_seen_of_it_last_is_kept_back() {
    if !has(&["prometheus-alertmanager"]) {
        return;
    }
    // All watched instances, then one of two whose monitor is down.
    for (monitor, kept_back) in [("", vec!["a", "b"]), ("a", vec!["a"])] {
        let alertmanager = Alertmanager::start().await;
        alertmanager
            .fire(&[["TowerMemoryMonitorDown", monitor]])
            .await;
        let grew = "TowerMemoryRequestGrew";
        alertmanager.fire(&[[grew, "a"], [grew, "b"]]).await;
        until("what is kept back", || async {
            (alertmanager.inhibited().await == kept_back).then_some(())
        })
        .await;
    }
}
