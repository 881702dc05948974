//! What the heap meter costs the demo: the same server with and without it, under the same load.
//!
//! ```text
//! cargo bench -p system-builder --bench meter
//! ```
//!
//! Each is a process of its own. They take turns; in a turn a client uploads the large system, lists
//! its objects, downloads it and removes it, again and again. What counts is the processor time that
//! the server needs for a visit: how long one takes is mostly how long threads take to wake up.
//! Skips under `cargo test`.

#[path = "../../../benches/metered/mod.rs"]
mod metered;

use axum::body::{Body, Bytes};
use clap::Parser;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    env,
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use system_builder::Config;
use tokio::{net::TcpListener, runtime::Runtime};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 40;
const TURN: Duration = Duration::from_millis(500);
const SYSTEM: &str = include_str!("../../efootprint/tests/systems/big_system.json");

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.first().map_or("", String::as_str) {
        "bare" => Runtime::new()?.block_on(serve()),
        "metered" => {
            metered::begin();
            Runtime::new()?.block_on(serve())
        }
        _ if arguments.iter().any(|argument| argument == "--bench") => {
            Runtime::new()?.block_on(compare())
        }
        _ => {
            println!("skipped: only `cargo bench` asks for it");
            Ok(())
        }
    }
}

async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let config = Config::parse_from(["system-builder"]);
    let app = system_builder::app(&config)?;
    Ok(system_builder::serve(listener, app, &config, std::future::pending()).await?)
}

async fn compare() -> Result<()> {
    let servers = [Server::start("bare")?, Server::start("metered")?];
    // What is done only once is done in a turn that doesn't count.
    for server in &servers {
        server.turn().await?;
    }
    let before = [servers[0].processor_ms()?, servers[1].processor_ms()?];
    let mut visits = [0.0; 2];
    for round in 0..ROUNDS {
        // Whoever is first in one round is second in the next.
        for place in [round % 2, 1 - round % 2] {
            visits[place] += servers[place].turn().await?;
        }
    }
    let mut cost = [0.0; 2];
    for (place, server) in servers.iter().enumerate() {
        cost[place] = (server.processor_ms()? - before[place]) / visits[place];
    }
    let [bare, metered] = cost;
    println!("processor time of a visit: {bare:.2} ms without a meter, {metered:.2} ms with one");
    println!(
        "that leaves {:.1} % of what a busy processor serves without (target: 99 %)",
        100.0 * bare / metered
    );
    Ok(())
}

struct Server {
    process: Child,
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Server {
    fn start(name: &str) -> Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .arg(name)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut address)?;
        }
        Ok(Self {
            process,
            url: format!("http://{}", address.trim_end()),
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    fn processor_ms(&self) -> Result<f64> {
        let pid = Pid::from_u32(self.process.id());
        let mut system = System::new()?;
        let only_time = ProcessRefreshKind::nothing().with_cpu();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, only_time);
        let process = system.process(pid).ok_or("a server has ended")?;
        Ok(process.accumulated_cpu_time() as f64)
    }

    /// Visits that a turn had time for.
    async fn turn(&self) -> Result<f64> {
        let started = Instant::now();
        let mut visits = 0.0;
        while started.elapsed() < TURN {
            self.visit().await?;
            visits += 1.0;
        }
        Ok(visits)
    }

    async fn visit(&self) -> Result<()> {
        let system = self.ask("POST", "/api/systems", SYSTEM).await?;
        let objects = format!("{system}/objects");
        for (method, path) in [("GET", &objects), ("GET", &system), ("DELETE", &system)] {
            self.ask(method, path, "").await?;
        }
        Ok(())
    }

    /// Reads the answer to its end; returns what it is the location of.
    async fn ask(&self, method: &str, path: &str, body: &'static str) -> Result<String> {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(Full::from(body))?;
        let response = self.client.request(request).await?.map(Body::new);
        if !response.status().is_success() {
            return Err(format!("{method} {path}: {}", response.status()).into());
        }
        let location = response.headers().get("location");
        let location = location.map(|url| url.to_str().map(str::to_owned));
        let location = location.transpose()?.unwrap_or_default();
        response.into_body().collect().await?;
        Ok(location)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
