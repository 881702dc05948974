//! What the layer costs a server under `wrk`: axum's hello world bare, with the layer, and with a
//! heap meter too. As yardsticks, with tower-http's `TraceLayer` without a subscriber, and with a
//! layer that passes bodies on and does nothing else. Then the same for a handler that parses 100 KB
//! of JSON and so allocates as handlers do.
//!
//! ```text
//! apt install wrk
//! cargo bench --features axum --bench end_to_end
//! ```
//!
//! The servers run all the time, each as a process of its own, and take turns under load. If there is
//! `taskset`, they keep to one core and `wrk` to another. Takes about five minutes; skips if `wrk` is
//! missing.
//!
//! Requests per second are reliable only on a machine that does nothing else. The processor time per
//! request is printed too, because it hardly changes when others need the cores as well.

mod metered;

use axum::{Router, response::Response, routing::get};
use bytes::Bytes;
use http_body_util::BodyExt;
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::LazyLock,
};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::{net::TcpListener, runtime::Runtime};
use tower::{BoxError, util::MapResponseLayer};
use tower_http::trace::TraceLayer;
use tower_memory::MemoryLayer;

/// Turns of each server, one second each.
const ROUNDS: usize = 32;

const SERVER_CORE: &str = "0";
const WRK_CORE: &str = "1";

/// The first is the baseline.
const NAMES: [&str; 5] = [
    "bare",
    "with the layer",
    "and a heap meter",
    "with TraceLayer",
    "with an idle layer",
];

/// What to request, and from how many of the servers.
const TABLES: [(&str, &str, usize); 2] = [
    ("axum hello world", "", NAMES.len()),
    ("100 KB of JSON", "json", 3),
];

fn main() -> Result<(), BoxError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let hello = Router::new()
        .route("/", get(|| async { "Hello, World!" }))
        .route("/json", get(parse));
    let name = arguments.first().map_or("", String::as_str);
    match NAMES.iter().position(|known| *known == name) {
        Some(0) => serve(hello),
        Some(1) => serve(hello.layer(MemoryLayer::new())),
        Some(2) => {
            metered::begin();
            serve(hello.layer(MemoryLayer::new()))
        }
        Some(3) => serve(hello.layer(TraceLayer::new_for_http())),
        Some(_) => serve(hello.layer(MapResponseLayer::new(idle))),
        None if !arguments.iter().any(|argument| argument == "--bench") => {
            println!("skipped: takes five minutes, for which only `cargo bench` asks");
            Ok(())
        }
        None if !is_installed("wrk") => {
            println!("skipped: `wrk` is not installed");
            Ok(())
        }
        None => compare(),
    }
}

/// Parses and drops a possible upload.
async fn parse() -> Result<String, String> {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let object = r#"{"id":"1234567","tags":["a","b"]}"#;
        format!("[{}]", vec![object; 3_000].join(","))
    });
    let values: Vec<serde_json::Value> =
        serde_json::from_str(&TEXT).map_err(|error| error.to_string())?;
    Ok(values.len().to_string())
}

/// Wraps the body, like layers that watch it.
fn idle(response: Response) -> Response<impl http_body::Body<Data = Bytes, Error = axum::Error>> {
    response.map(|body| body.map_frame(|frame| frame))
}

/// Serves `app` until the process is killed. Prints its address on standard output.
fn serve(app: Router) -> Result<(), BoxError> {
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        Ok(axum::serve(listener, app).await?)
    })
}

fn compare() -> Result<(), BoxError> {
    let servers = NAMES.map(Server::start);
    let servers = servers.into_iter().collect::<Result<Vec<_>, _>>()?;
    for (title, path, asked) in TABLES {
        print(title, &turns(&servers[..asked], path)?);
    }
    println!("\ntarget: with the layer at least 98 % of the requests, median of {ROUNDS} rounds");
    Ok(())
}

/// The turns of each server.
fn turns(servers: &[Server], path: &str) -> Result<Vec<Vec<Turn>>, BoxError> {
    // One-time work happens in a turn that doesn't count.
    servers
        .iter()
        .try_for_each(|server| server.turn(path).map(drop))?;
    let mut turns: Vec<_> = servers.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        // The first in one round is the last in the next.
        for place in 0..servers.len() {
            let place = (place + round) % servers.len();
            turns[place].push(servers[place].turn(path)?);
        }
    }
    Ok(turns)
}

/// This program once more, as a server.
struct Server {
    process: Child,
    address: String,
}

/// The figures of one server in one turn.
struct Turn {
    requests: f64,
    per_second: f64,
    p99_ms: f64,
    processor_ms: f64,
}

impl Server {
    fn start(name: &str) -> Result<Self, BoxError> {
        let program = env::current_exe()?;
        let mut process = pinned(SERVER_CORE, &program.to_string_lossy())
            .arg(name)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        let address = address.trim_end().to_owned();
        Ok(Self { process, address })
    }

    /// Has `wrk` send as many requests as it can for a second.
    fn turn(&self, path: &str) -> Result<Turn, BoxError> {
        let before = self.processor_ms()?;
        let wrk = pinned(WRK_CORE, "wrk")
            .args([
                "--threads=1",
                "--connections=32",
                "--duration=1s",
                "--latency",
            ])
            .arg(format!("http://{}/{path}", self.address))
            .output()?;
        let processor_ms = self.processor_ms()? - before;
        let said = String::from_utf8_lossy(&wrk.stdout);
        Turn::parse(&said, processor_ms).ok_or_else(|| {
            format!("`wrk` said {said:?}, expected its latencies and requests").into()
        })
    }

    fn processor_ms(&self) -> Result<f64, BoxError> {
        let pid = Pid::from_u32(self.process.id());
        let mut system = System::new()?;
        let only_time = ProcessRefreshKind::nothing().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, only_time);
        let process = system.process(pid).ok_or("a server has ended")?;
        Ok(process.accumulated_cpu_time() as f64)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Turn {
    fn parse(said: &str, processor_ms: f64) -> Option<Self> {
        let after = |label| {
            said.lines()
                .find_map(|line| line.trim().strip_prefix(label))
        };
        let requests = said
            .lines()
            .find_map(|line| line.split_once(" requests in "))?
            .0;
        Some(Self {
            requests: requests.trim().parse().ok()?,
            per_second: after("Requests/sec:")?.trim().parse().ok()?,
            p99_ms: milliseconds(after("99%")?.trim())?,
            processor_ms,
        })
    }
}

fn milliseconds(time: &str) -> Option<f64> {
    let (number, factor) = [("us", 1e-3), ("ms", 1.0), ("s", 1e3)]
        .into_iter()
        .find_map(|(unit, factor)| Some((time.strip_suffix(unit)?, factor)))?;
    Some(number.parse::<f64>().ok()? * factor)
}

fn print(title: &str, servers: &[Vec<Turn>]) {
    println!("\n| {title:<18} | requests/s | of bare |      p99 | processor time | of bare |");
    println!(
        "|{:-<20}|-----------:|--------:|---------:|---------------:|--------:|",
        ""
    );
    let bare = &servers[0];
    for (name, turns) in NAMES.iter().zip(servers) {
        let rounds = turns.iter().zip(bare);
        println!(
            "| {name:<18} | {:>10.0} | {:>5.1} % | {:>5.2} ms | {:>11.2} µs | {:>5.1} % |",
            median(turns.iter().map(|turn| turn.per_second)),
            median(rounds.map(|(turn, bare)| 100.0 * turn.per_second / bare.per_second)),
            median(turns.iter().map(|turn| turn.p99_ms)),
            processor_us(turns),
            100.0 * processor_us(turns) / processor_us(bare),
        );
    }
}

/// Microseconds per request.
fn processor_us(turns: &[Turn]) -> f64 {
    let total = |of: fn(&Turn) -> f64| turns.iter().map(of).sum::<f64>();
    1e3 * total(|turn| turn.processor_ms) / total(|turn| turn.requests)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// `program` on one core, if possible.
fn pinned(core: &str, program: &str) -> Command {
    if !is_installed("taskset") {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core, program]);
    command
}

fn is_installed(program: &str) -> bool {
    let mut version = Command::new(program);
    version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok()
}
