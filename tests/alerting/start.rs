//! All of it together: `examples/alerting/start`.

use super::{DEADLINE, folder, has, mtail::Metrics, request, run, until};
use http::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    collections::BTreeMap, env, net::TcpStream, path::PathBuf, process::Stdio, time::Instant,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command as Spawn},
    time::timeout,
};

/// `examples/alerting/start`, told to stop when it is dropped.
struct Started {
    script: Child,
    /// Of zoo, mtail, Prometheus and Alertmanager.
    ports: [u16; 4],
    log: PathBuf,
    /// Its output, by the name at the beginning of the line.
    said: BTreeMap<String, String>,
}

/// How `start` is started.
enum How {
    Foreground,
    /// Like a shell without job control: with SIGINT ignored.
    Background,
}

impl Started {
    async fn now(how: How) -> Self {
        let test = env::current_exe().expect("known");
        let zoo = test
            .ancestors()
            .nth(2)
            .expect("a profile")
            .join("examples/zoo");
        assert!(
            zoo.is_file(),
            "no {zoo:?}: cargo build --features dashboard --example zoo"
        );
        let start = folder().join("start");
        let mut script = match how {
            How::Foreground => Spawn::new(start),
            How::Background => {
                let mut shell = Spawn::new("env");
                // Tests may run under nohup.
                shell.args(["--ignore-signal=INT", "--default-signal=HUP"]);
                shell.arg(start);
                shell
            }
        };
        script.env("ZOO", zoo).env("INTERVAL", "1s");
        for name in ["ZOO", "MTAIL", "PROMETHEUS", "ALERTMANAGER"] {
            script.env(format!("{name}_PORT"), "0");
        }
        let mut script = script.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(script.stdout.take().expect("piped")).lines();
        let mut said = BTreeMap::new();
        let listen = async {
            loop {
                let line = lines.next_line().await.expect("text");
                let line = line.expect("it goes on until all are up");
                if line.starts_with("Ctrl-C") {
                    return;
                }
                let (name, what) = line.split_once(' ').expect("a name");
                said.insert(name.to_owned(), what.trim().to_owned());
            }
        };
        timeout(DEADLINE, listen).await.expect("up in time");
        let port = |name: &str| {
            let (_, rest) = said[name].split_once("127.0.0.1:").expect("an address");
            let end = rest.find(|c: char| !c.is_ascii_digit());
            let port = &rest[..end.unwrap_or(rest.len())];
            port.parse().expect("a port")
        };
        Self {
            script,
            ports: ["zoo", "metrics", "Prometheus", "Alertmanager"].map(port),
            log: PathBuf::from(&said["log"]),
            said,
        }
    }

    /// Sends this signal, and returns the exit code once nothing of it is left.
    async fn stop(mut self, signal: Signal) -> Option<i32> {
        let script = self.script.id().expect("it runs");
        kill_process(pid(script), signal).expect("told");
        let ended = timeout(DEADLINE, self.script.wait()).await;
        let ended = ended.expect("in time").expect("waited for");
        for port in self.ports {
            assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{port}");
        }
        let data = self.log.parent().expect("a folder");
        assert!(!data.exists(), "{data:?}");
        ended.code()
    }

    async fn request(&self, method: Method, service: usize, path: &str, body: Vec<u8>) -> String {
        request(method, self.ports[service], path, body).await
    }

    async fn get(&self, service: usize, path: &str) -> String {
        self.request(Method::GET, service, path, Vec::new()).await
    }

    /// Name, route and verdict of each alert that Alertmanager has.
    async fn alerts(&self) -> Vec<[String; 3]> {
        let alerts = self.get(ALERTMANAGER, "/api/v2/alerts").await;
        let alerts: Vec<Value> = serde_json::from_str(&alerts).expect("a list");
        let label = |alert: &Value, name: &str| {
            let label = alert["labels"][name].as_str();
            label.unwrap_or_default().to_owned()
        };
        let labels = |alert| ["alertname", "route", "verdict"].map(|name| label(alert, name));
        alerts.iter().map(labels).collect()
    }
}

const ZOO: usize = 0;
const MTAIL: usize = 1;
const PROMETHEUS: usize = 2;
const ALERTMANAGER: usize = 3;

impl Drop for Started {
    fn drop(&mut self) {
        // Not SIGKILL, which would leave its children behind.
        if let Some(id) = self.script.id() {
            let _ = kill_process(pid(id), Signal::TERM);
        }
    }
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(id as i32).expect("not zero")
}

#[tokio::test]
async fn a_request_that_leaks_raises_an_alert_and_healthy_ones_none() {
    if !has(&["mtail", "prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let started = Started::now(How::Foreground).await;

    for _ in 0..20 {
        started.get(ZOO, "/steady").await;
    }
    started.get(ZOO, "/stream?mib=4&ms=1").await;
    let body = vec![b'x'; 1 << 20];
    started.request(Method::POST, ZOO, "/upload", body).await;
    // After the others: once this one has arrived, so have they.
    let sent = Instant::now();
    started.get(ZOO, "/leak?mib=128").await;

    let alerts = until("an alert", || async {
        let alerts = started.alerts().await;
        (!alerts.is_empty()).then_some(alerts)
    })
    .await;
    eprintln!("alert after {:.1} s", sent.elapsed().as_secs_f64());
    let expected = ["TowerMemoryRequestGrew", "/leak", "retained"];
    assert_eq!(alerts, [expected.map(str::to_owned)]);

    let metrics = Metrics(started.get(MTAIL, "/metrics").await);
    metrics.assert(&[
        (
            r#"requests_total{method="GET",route="/steady",verdict="within_threshold"}"#,
            20.0,
        ),
        (
            r#"requests_total{method="GET",route="/stream",verdict="within_threshold"}"#,
            1.0,
        ),
        (
            r#"requests_total{method="POST",route="/upload",verdict="within_threshold"}"#,
            1.0,
        ),
        (
            r#"warnings_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        ("lines_unparsed_total", 0.0),
    ]);

    // Ctrl-C leaves nothing behind.
    assert_eq!(started.stop(Signal::INT).await, Some(130));
}

/// Another mtail on the machine, at the default port.
struct OtherMtail {
    _process: Child,
    _data: TempDir,
}

impl OtherMtail {
    /// If the port is taken already, somebody else's mtail is there.
    async fn start() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Spawn::new("mtail");
        command.args(["--address", "127.0.0.1", "--logs", "/dev/null", "--progs"]);
        command.arg(data.path()).env("TMPDIR", data.path());
        let command = command.stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().expect("it starts");
        until("another mtail", || async {
            TcpStream::connect(("127.0.0.1", 3903)).ok()
        })
        .await;
        Self {
            _process: process,
            _data: data,
        }
    }
}

#[tokio::test]
async fn it_runs_beside_another_mtail_and_ends_on_a_signal_in_the_background_as_well() {
    if !has(&["mtail", "prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let _other = OtherMtail::start().await;
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let started = Started::now(How::Background).await;
        assert_ne!(started.ports[MTAIL], 3903);
        assert_eq!(started.stop(signal).await, Some(code));
    }
}

#[tokio::test]
async fn what_it_prints_works() {
    if !has(&["mtail", "prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let started = Started::now(How::Foreground).await;
    for (service, name) in [(ZOO, "zoo"), (MTAIL, "metrics"), (PROMETHEUS, "Prometheus")] {
        let said = started.said[name].as_str();
        let address = said.split_once("http://127.0.0.1:").expect("an address").1;
        let path = address
            .find([' ', '/'])
            .filter(|at| address[*at..].starts_with('/'));
        let path = path.map_or("/", |at| &address[at..]);
        started.get(service, path).await;
    }
    let alerts = started.get(PROMETHEUS, "/classic/alerts").await;
    for rule in ["TowerMemoryRouteKeepsRetaining", "TowerMemoryRequestGrew"] {
        assert!(alerts.contains(rule), "{rule}");
    }
    started.get(ZOO, "/leak?mib=128").await;
    let command = started.said["Alertmanager"].as_str();
    let (tool, arguments) = command.split_once(' ').expect("a command");
    until("an alert", || async {
        let arguments: Vec<_> = arguments.split(' ').collect();
        run(tool, &arguments)
            .contains("TowerMemoryRequestGrew")
            .then_some(())
    })
    .await;
}
