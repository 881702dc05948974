//! Whether a running service keeps memory per request.
//!
//! ```sh
//! cargo run --release --example zoo --features dashboard &
//! cargo run --release -p tower-memory-soak -- --url 'http://127.0.0.1:3000/leak?bytes=64'
//! ```
//!
//! Figures are those of the dashboard of tower-memory, at `/memory` of the same server. Without one, `--pid` watches the
//! resident memory of the process; that takes more requests and sees less.

mod page;
mod routes;

use self::routes::Line;
use clap::Parser;
use std::{
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tempfile::NamedTempFile;
use tower_memory::soak::{Judgement, Remote, Round, Soak};

/// Tell whether a running service keeps memory per request
#[derive(Parser)]
#[command(after_help = "\
Exit status: 0 settled, 1 memory grows, 2 the run doesn't count or can't begin, 3 inconclusive.

A file of routes has one line for each kind of request: how often it comes among all, its method and
path, and for a body its file and type. Empty lines and those that begin with # don't count.

    9 GET /steady?kib=1
    1 POST /api/systems system.json application/json")]
struct Arguments {
    /// The server, or the one path to request: http://127.0.0.1:3000/upload
    #[arg(long)]
    url: String,

    /// Where its figures are, if not at /memory/figures.json of the same server
    #[arg(long, value_name = "URL", conflicts_with = "pid")]
    figures: Option<String>,

    /// Watch the resident memory of this process instead, on this machine
    #[arg(long)]
    pid: Option<u32>,

    /// Requests to send, instead of a GET of the URL
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,

    /// Print the judgement with the raw series as JSON
    #[arg(long)]
    json: bool,

    /// Write the judgement as a page
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Requests in flight at once
    #[arg(long, value_name = "NUMBER", default_value_t = 16)]
    at_once: usize,

    /// Requests between two looks at memory
    #[arg(long, value_name = "NUMBER", default_value_t = 250)]
    round: u64,

    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    at_most: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match judged(&arguments).await {
        Ok(judgement) => status(&judgement),
        Err(error) => {
            eprintln!("tower-memory-soak: {error}");
            ExitCode::from(2)
        }
    }
}

fn status(judgement: &Judgement) -> ExitCode {
    let verdict = &judgement.verdict;
    ExitCode::from(match verdict.as_str() {
        _ if verdict.is_settled() => 0,
        _ if verdict.is_growth() => 1,
        "inconclusive" => 3,
        _ => 2,
    })
}

async fn judged(arguments: &Arguments) -> Result<Judgement, String> {
    let judgement = soak(arguments)?.judge().await;
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let text = match arguments.json {
        true => judgement.to_json() + "\n",
        false => judgement.to_string(),
    };
    let printed = io::stdout().lock().write_all(text.as_bytes());
    if let Some(path) = &arguments.report {
        write(path, &page::page(&arguments.url, &judgement))?;
    }
    printed.map_err(|error| format!("standard output: {error}"))?;
    Ok(judgement)
}

fn soak(arguments: &Arguments) -> Result<Soak<Remote>, String> {
    let url = &arguments.url;
    let path = url
        .strip_prefix("http://")
        .map(|rest| rest.find('/').map_or("/", |at| &rest[at..]));
    let path =
        path.ok_or_else(|| format!("`{url}` is no address: give one like http://127.0.0.1:3000"))?;
    let lines = match &arguments.routes {
        Some(file) => routes::read(file)?,
        None => vec![Line::get(path)?],
    };
    let mut soak = Soak::url(url);
    if let Some(figures) = &arguments.figures {
        soak = soak.figures(figures);
    }
    if let Some(pid) = arguments.pid {
        soak = soak.pid(pid);
    }
    let soak = soak
        .mixed(lines.into_iter().map(|line| (line.weight, line.request)))
        .at_once(arguments.at_once)
        .round(arguments.round)
        .at_most(Duration::from_secs(arguments.at_most));
    Ok(soak.on_progress(progress))
}

/// One line that is written over on a terminal, and nothing elsewhere.
fn progress(round: &Round) {
    if io::stderr().is_terminal() {
        let Round {
            sent,
            requests,
            grown,
            ..
        } = round;
        eprint!("\r\x1b[K{sent} requests; the last {requests} left {grown:+} B behind");
    }
}

/// All of it or nothing.
fn write(path: &Path, page: &str) -> Result<(), String> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let failed =
        |error: &dyn std::fmt::Display| format!("{} can't be written: {error}", path.display());
    let mut file =
        NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).map_err(|error| failed(&error))?;
    file.write_all(page.as_bytes())
        .map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error))?;
    Ok(())
}
