//! A request that grows the process raises an alert, by way of mtail, Prometheus and Alertmanager as Debian has them, and
//! healthy requests raise none. The files are those of `examples/alerting`.
#![cfg(all(feature = "axum", target_os = "linux"))]

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    env,
    future::Future,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command as Spawn},
    time::{sleep, timeout},
};

// The tools.

/// Whether all of them are here. On CI they have to be.
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

/// Runs a tool in the folder; what it printed, once it succeeded.
fn run(tool: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(tool);
    let output = command.args(arguments).current_dir(folder()).output();
    let output = output.expect("it starts");
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{tool} {arguments:?}:\n{out}{err}");
    out
}

#[test]
fn the_rules_are_valid() {
    if has(&["promtool"]) {
        run("promtool", &["check", "rules", "limit.yml", "rules.yml"]);
    }
}

#[test]
fn the_rules_fire_and_stay_silent_as_their_tests_say() {
    if has(&["promtool"]) {
        run("promtool", &["test", "rules", "rules.test.yml"]);
    }
}

#[test]
fn the_configuration_of_prometheus_is_valid() {
    if has(&["promtool"]) {
        run("promtool", &["check", "config", "prometheus.yml"]);
    }
}

#[test]
fn the_configuration_of_alertmanager_is_valid() {
    if has(&["amtool"]) {
        run("amtool", &["check-config", "alertmanager.yml"]);
    }
}

#[test]
fn the_program_of_mtail_compiles() {
    if has(&["mtail"]) {
        run("mtail", &["--compile_only", "--progs", "."]);
    }
}

// What mtail makes of lines.

/// The metrics that mtail has after these lines.
struct Metrics(String);

impl Metrics {
    fn of(lines: &[String]) -> Option<Self> {
        static LOGS: AtomicU32 = AtomicU32::new(0);
        if !has(&["mtail"]) {
            return None;
        }
        let number = LOGS.fetch_add(1, Ordering::Relaxed);
        let name = format!("tower-memory-{}-{number}.log", std::process::id());
        let log = env::temp_dir().join(name);
        std::fs::write(&log, lines.join("\n") + "\n").expect("written");
        let path = log.to_str().expect("text");
        let arguments = "--one_shot --one_shot_format prometheus --progs . --logs";
        let arguments: Vec<_> = arguments.split(' ').chain([path]).collect();
        let metrics = run("mtail", &arguments);
        std::fs::remove_file(&log).expect("removed");
        Some(Self(metrics))
    }

    /// The value of `name{labels}`, with the labels in the order of their names.
    fn get(&self, name: &str) -> Option<f64> {
        let value = |line: &str| {
            let line = line.replace(r#"prog="tower_memory.mtail","#, "");
            let line = line.replace(r#"{prog="tower_memory.mtail"}"#, "");
            let value = line.strip_prefix("tower_memory_")?.strip_prefix(name)?;
            value.strip_prefix(' ')?.parse().ok()
        };
        self.0.lines().find_map(value)
    }

    #[track_caller]
    fn assert(&self, expected: &[(&str, f64)]) {
        for (name, value) in expected {
            assert_eq!(self.get(name), Some(*value), "{name} in\n{}", self.0);
        }
    }
}

/// A line, with what stands between its message and its target.
fn line(level: &str, fields: &str) -> String {
    format!(
        r#"{{"timestamp":"2026-01-02T03:04:05.678901Z","level":"{level}","message":"m",{fields},"target":"tower_memory"}}"#
    )
}

const LEAK: &str = r#""http.request.method":"GET","http.route":"/leak","http.response.status_code":200,"http.response.body.size":23,"outcome":"completed","duration_ms":104.082,"memory.before":100,"memory.after":350,"memory.growth":250,"memory.shrink":0,"memory.shared_growth":0,"heap.allocated":240,"heap.freed":20,"heap.allocations":13,"heap.peak":230,"heap.received":0,"heap.handed_off":20,"heap.retained":200,"heap.released":0,"heap.live":300,"requests.overlapping":0,"verdict":"retained""#;

#[test]
fn a_warning_becomes_metrics_of_its_route_and_verdict() {
    let warning = line("WARN", &format!(r#"{LEAK},"warnings.suppressed":3"#));
    let Some(metrics) = Metrics::of(&[warning]) else {
        return;
    };
    metrics.assert(&[
        (
            r#"warnings_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        (r#"warnings_suppressed_total{route="/leak"}"#, 3.0),
        (
            r#"growth_bytes_total{route="/leak",verdict="retained"}"#,
            250.0,
        ),
        (
            r#"shrink_bytes_total{route="/leak",verdict="retained"}"#,
            0.0,
        ),
        (
            r#"retained_bytes_total{route="/leak",verdict="retained"}"#,
            200.0,
        ),
        (
            r#"last_warning_bytes{route="/leak",verdict="retained"}"#,
            200.0,
        ),
        (
            r#"last_warning_timestamp_seconds{route="/leak",verdict="retained"}"#,
            1_767_323_045.0,
        ),
        (r#"heap_peak_bytes_sum{route="/leak"}"#, 230.0),
        ("rss_bytes", 350.0),
        ("heap_live_bytes", 300.0),
        ("lines_total", 1.0),
        ("lines_unparsed_total", 0.0),
    ]);
}

#[test]
fn a_request_with_a_debug_event_and_a_warning_counts_once() {
    let warning = line("WARN", &format!(r#"{LEAK},"warnings.suppressed":0"#));
    let Some(metrics) = Metrics::of(&[line("DEBUG", LEAK), warning]) else {
        return;
    };
    metrics.assert(&[
        (
            r#"warnings_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        (
            r#"requests_total{method="GET",route="/leak",verdict="retained"}"#,
            1.0,
        ),
        (
            r#"growth_bytes_total{route="/leak",verdict="retained"}"#,
            250.0,
        ),
        (r#"heap_peak_bytes_count{route="/leak"}"#, 1.0),
        ("lines_total", 2.0),
    ]);
}

#[test]
fn fields_without_a_value_leave_their_metrics_as_they_are() {
    let bare = r#""http.request.method":"GET","http.route":"unmatched","outcome":"cancelled","duration_ms":6.8,"requests.overlapping":0,"verdict":"unreadable""#;
    let Some(metrics) = Metrics::of(&[line("DEBUG", LEAK), line("DEBUG", bare)]) else {
        return;
    };
    metrics.assert(&[
        ("rss_bytes", 350.0),
        ("heap_live_bytes", 300.0),
        ("readings_unreadable_total", 1.0),
        (
            r#"requests_total{method="GET",route="unmatched",verdict="unreadable"}"#,
            1.0,
        ),
        ("lines_unparsed_total", 0.0),
    ]);
    let growth = r#"growth_bytes_total{route="unmatched",verdict="unreadable"}"#;
    assert_eq!(metrics.get(growth), None);
}

#[test]
fn quotes_and_braces_of_a_route_and_the_fields_of_spans_do_not_confuse_it() {
    let fields = LEAK.replace("/leak", r#"/q\"{x}\\"#);
    let fields = fields.replace(r#""heap.live":300,"#, "");
    let line = line("DEBUG", &fields).replace(
        r#""message":"m""#,
        r#""message":"on /q\"{x}\\: \"heap.live\":7""#,
    );
    let span = r#"{"heap.live":999,"memory.after":999,"name":"request"}"#;
    let line = line.strip_suffix('}').expect("closed").to_owned()
        + &format!(r#","span":{span},"spans":[{span}]}}"#);
    let Some(metrics) = Metrics::of(&[line]) else {
        return;
    };
    metrics.assert(&[
        // Each backslash of the JSON, escaped once more by Prometheus.
        (
            r#"retained_bytes_total{route="/q\\\"{x}\\\\",verdict="retained"}"#,
            200.0,
        ),
        ("rss_bytes", 350.0),
    ]);
    assert_eq!(metrics.get("heap_live_bytes"), None);
}

#[test]
fn methods_that_clients_make_up_share_one_label() {
    let lines = ["A", "B", "C"].map(|m| line("DEBUG", &LEAK.replace("GET", m)));
    let Some(metrics) = Metrics::of(&lines) else {
        return;
    };
    let name = r#"requests_total{method="_OTHER",route="/leak",verdict="retained"}"#;
    metrics.assert(&[(name, 3.0)]);
}

#[test]
fn work_that_outlives_its_request_is_counted_apart() {
    let late = r#""http.request.method":"GET","http.route":"/spawn","heap.allocated":9,"heap.freed":2,"heap.allocations":1,"heap.peak":9,"heap.retained":7,"heap.released":0,"verdict":"retained""#;
    let warning = format!(r#"{late},"warnings.suppressed":0"#);
    let Some(metrics) = Metrics::of(&[line("DEBUG", late), line("WARN", &warning)]) else {
        return;
    };
    metrics.assert(&[
        (r#"late_work_total{route="/spawn",verdict="retained"}"#, 1.0),
        (
            r#"retained_bytes_total{route="/spawn",verdict="retained"}"#,
            7.0,
        ),
        (
            r#"last_warning_bytes{route="/spawn",verdict="retained"}"#,
            7.0,
        ),
    ]);
}

#[test]
fn the_monitor_counts_what_it_can_not_read() {
    let lines = [
        line("WARN", r#""error":"the \"sensor\" is broken""#)
            .replace(r#""m""#, r#""resident memory can't be read, reports""#),
        line("INFO", r#""reclaim.bytes":64,"reclaim.duration_ms":15.6,"memory.before":90,"memory.after":26"#),
        // Not flattened, not JSON, of another crate, and cut short.
        r#"{"timestamp":"2026-01-02T03:04:05Z","level":"WARN","fields":{"message":"m"},"target":"tower_memory"}"#.to_owned(),
        "2026-01-02T03:04:05Z  WARN tower_memory: memory grew".to_owned(),
        line("WARN", LEAK).replace("tower_memory", "app"),
        line("WARN", LEAK)[..200].to_owned(),
    ];
    let Some(metrics) = Metrics::of(&lines) else {
        return;
    };
    metrics.assert(&[
        ("readings_unreadable_total", 1.0),
        ("reclaimed_bytes_total", 64.0),
        ("rss_bytes", 26.0),
        ("lines_total", 2.0),
        ("lines_unparsed_total", 2.0),
    ]);
}

#[test]
fn lines_whose_time_is_not_of_rfc_3339_are_counted_as_unparsed() {
    let at = |time: &str| line("DEBUG", LEAK).replace("2026-01-02T03:04:05.678901Z", time);
    let unread = [
        "1767323045.678",
        "2026-01-02 03:04:05",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+0200",
        "   0.001234567s",
        "",
    ];
    let reclaimed = line("INFO", r#""reclaim.bytes":64,"memory.after":26"#);
    let reclaimed = reclaimed.replace("2026-01-02T", "yesterday ");
    let lines: Vec<_> = unread.map(at).into_iter().chain([reclaimed]).collect();
    let Some(metrics) = Metrics::of(&lines) else {
        return;
    };
    metrics.assert(&[("lines_total", 0.0), ("lines_unparsed_total", 7.0)]);

    let read = ["2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05Z"];
    let Some(metrics) = Metrics::of(&read.map(at)) else {
        return;
    };
    metrics.assert(&[
        ("lines_total", 2.0),
        ("lines_unparsed_total", 0.0),
        ("last_reading_timestamp_seconds", 1_767_323_045.0),
    ]);
}

// What Alertmanager keeps back.

/// Alertmanager with nothing but its configuration, killed when it is dropped.
struct Alertmanager {
    _process: Child,
    _data: TempDir,
    port: u16,
}

impl Alertmanager {
    async fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let data = tempfile::tempdir().expect("a folder");
        let mut command = Spawn::new("prometheus-alertmanager");
        command.args([
            "--config.file=alertmanager.yml",
            "--cluster.listen-address=",
        ]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        command.arg(format!("--storage.path={}", data.path().display()));
        command.stderr(Stdio::null()).current_dir(folder());
        let process = command.kill_on_drop(true).spawn().expect("it starts");
        until("Alertmanager", || async {
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        Self {
            _process: process,
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

    /// Instances whose alerts are kept back.
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
    // All that are watched, then one of two whose monitor is down.
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

// All of it together.

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

const DEADLINE: Duration = Duration::from_secs(90);

/// `examples/alerting/start`, told to stop when it is dropped.
struct Started {
    script: Child,
    /// Of zoo, mtail, Prometheus and Alertmanager.
    ports: [u16; 4],
    log: PathBuf,
}

impl Started {
    async fn now() -> Self {
        let test = env::current_exe().expect("known");
        let zoo = test
            .ancestors()
            .nth(2)
            .expect("a profile")
            .join("examples/zoo");
        assert!(
            zoo.is_file(),
            "no {zoo:?}: cargo build --features axum --example zoo"
        );
        let free = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let ports = free.map(|socket| socket.local_addr().expect("bound").port());
        let mut script = Spawn::new(folder().join("start"));
        script.env("ZOO", zoo).env("INTERVAL", "1s");
        let names = ["ZOO", "MTAIL", "PROMETHEUS", "ALERTMANAGER"];
        for (name, port) in names.iter().zip(ports) {
            script.env(format!("{name}_PORT"), port.to_string());
        }
        let mut script = script.stdout(Stdio::piped()).spawn().expect("it starts");
        let mut said = BufReader::new(script.stdout.take().expect("piped")).lines();
        let mut started = Self {
            script,
            ports,
            log: PathBuf::new(),
        };
        let listen = async {
            loop {
                let line = said.next_line().await.expect("text");
                let line = line.expect("it goes on until all are up");
                if let Some(log) = line.strip_prefix("log ") {
                    started.log = PathBuf::from(log.trim());
                }
                if line.starts_with("Ctrl-C") {
                    return;
                }
            }
        };
        timeout(DEADLINE, listen).await.expect("up in time");
        started
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
    Pid::from_raw(id.cast_signed()).expect("not zero")
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

#[tokio::test]
async fn a_request_that_leaks_raises_an_alert_and_healthy_ones_none() {
    if !has(&["mtail", "prometheus", "prometheus-alertmanager"]) {
        return;
    }
    let mut started = Started::now().await;

    for _ in 0..20 {
        started.get(ZOO, "/steady").await;
    }
    started.get(ZOO, "/stream?mib=4&ms=1").await;
    let body = vec![b'x'; 1 << 20];
    started.request(Method::POST, ZOO, "/upload", body).await;
    // After the others: who has heard of this one has heard of them.
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
    let script = started.script.id().expect("it runs");
    kill_process(pid(script), Signal::INT).expect("told");
    let ended = timeout(DEADLINE, started.script.wait()).await;
    let ended = ended.expect("in time").expect("waited for");
    assert_eq!(ended.code(), Some(130));
    for port in started.ports {
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "{port}");
    }
    let data = started.log.parent().expect("a folder");
    assert!(!data.exists(), "{data:?}");
}
