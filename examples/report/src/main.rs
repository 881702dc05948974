//! A report from logs alone: whose live heap rises, which routes and hours grew memory, and whether it stays.
//!
//! ```sh
//! cargo run --release -p tower-memory-report -- app.log
//! zcat app.log.*.gz | cargo run --release -p tower-memory-report -- - app.log
//! ```
//!
//! Prints it, and writes it as a page with plots, `app.report.html`. Lines are those of `tracing-subscriber`'s JSON format
//! with `flatten_event(true)` or without; others are skipped and counted. At WARN the log has the requests with a warning;
//! at `tower_memory=debug` it has all of them.
//!
//! Takes constant memory: routes beyond 512 are one, and steps of time are joined where there would be more than a thousand.

mod advice;
mod event;
mod figures;
mod html;
mod live;
mod memory;
mod pairs;
mod plot;
mod process;
mod progress;
mod read;
mod routes;
mod scan;
mod sentences;
mod steps;
mod text;
mod trend;
mod words;

use self::{figures::Figures, read::Input};
use clap::{CommandFactory, Parser, error::ErrorKind};
use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tempfile::{Builder, NamedTempFile};

const PROGRAM: &str = env!("CARGO_BIN_NAME");

/// Reports whose live heap rises and what grew memory, from the JSON log of tower-memory, and writes a page with plots
#[derive(Parser)]
#[command(after_help = "\
The log is that of one process, as tracing-subscriber's `json()` writes it, flattened or not. Other
lines are skipped and counted. At tower_memory=debug it has all requests, at WARN those with a
warning. Compressed logs: zcat app.log.*.gz | tower-memory-report - app.log

Exit status: 0 with a report, 1 where the log has nothing of tower-memory, 2 on errors.")]
struct Arguments {
    /// Logs, in any order; `-` is standard input, as is a pipe where no file is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the page goes [default: here, app.report.html for app.log]
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("{PROGRAM}: {problem}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, String> {
    let mut inputs: Vec<_> = arguments.files.into_iter().map(Input::named).collect();
    if inputs.is_empty() {
        if io::stdin().is_terminal() {
            let missing = "name a log, or pipe one: tower-memory-report app.log";
            Arguments::command()
                .error(ErrorKind::MissingRequiredArgument, missing)
                .exit();
        }
        inputs.push(Input::Standard);
    }
    let page = arguments.html.unwrap_or_else(|| page_of(&inputs[0]));
    // Before the work, not after it.
    inputs.iter().try_for_each(Input::may_be_read)?;
    may_be_written(&page)?;

    let mut figures = Figures::default();
    scan::scan(&inputs, &mut figures)?;
    if figures.tally.events == 0 {
        eprintln!("{PROGRAM}: {}", nothing(&figures));
        return Ok(ExitCode::from(1));
    }
    let title = title(&inputs);
    let mut text = Vec::new();
    // A vector takes all that is written.
    let _ = text::write(&mut text, &title, &figures);
    print(&text)?;
    save(&page, &html::page(&title, &figures))?;
    print(
        format!(
            "\nThe page: {}\n",
            words::visible(&page.display().to_string())
        )
        .as_bytes(),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Beside where it is run: a log's folder may not be ours.
fn page_of(input: &Input) -> PathBuf {
    let stem = match input {
        Input::File(path) => path.file_stem().unwrap_or_default(),
        Input::Standard => "log".as_ref(),
    };
    let mut name = stem.to_owned();
    name.push(".report.html");
    PathBuf::from(name)
}

fn title(inputs: &[Input]) -> String {
    let first = words::visible(&inputs[0].to_string());
    match inputs.len() - 1 {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Whether there is nothing yet, or an older report, and a folder that takes it.
fn may_be_written(page: &Path) -> Result<(), String> {
    if page == Path::new("-") {
        return Err("can't write the page to standard output: name a file with --html".to_owned());
    }
    match page.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(can_not_write(page, &error)),
        Ok(found) if found.is_dir() => {
            let page = page.display();
            return Err(format!("{page} is a folder: name a file in it with --html"));
        }
        // A terminal would have to be read from.
        Ok(found) if !found.is_file() => return Err(is_no_report(page)),
        Ok(_) => {
            let mut start = Vec::new();
            let beginning = html::BEGINNING.as_bytes();
            File::open(page)
                .and_then(|file| file.take(beginning.len() as u64).read_to_end(&mut start))
                .map_err(|error| can_not_write(page, &error))?;
            if start != beginning {
                return Err(is_no_report(page));
            }
        }
    }
    match beside(page) {
        Ok(_) => Ok(()),
        Err(error) => Err(can_not_write(page, &error)),
    }
}

fn is_no_report(page: &Path) -> String {
    format!(
        "{} is there and is no report: name another file with --html",
        page.display()
    )
}

fn can_not_write(page: &Path, error: &io::Error) -> String {
    let page = page.display();
    format!("can't write {page}: {error}; name another file with --html")
}

/// All of the page or nothing.
fn save(page: &Path, text: &str) -> Result<(), String> {
    let written = beside(page).and_then(|mut file| {
        // Its own `write_all` would name it in errors.
        file.as_file_mut().write_all(text.as_bytes())?;
        file.persist(page).map_err(|error| error.error)
    });
    match written {
        Ok(_) => Ok(()),
        Err(error) => Err(can_not_write(page, &error)),
    }
}

/// A file beside the page, removed unless it becomes the page.
fn beside(page: &Path) -> io::Result<NamedTempFile<File>> {
    let folder = match page.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // With the permissions of any new file, and errors that don't name it.
    Builder::new()
        .prefix(".report")
        .make_in(folder, |path| File::create_new(path))
}

/// To standard output. Who closed it has read enough.
fn print(text: &[u8]) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("can't print the report: {error}"))
        }
        _ => Ok(()),
    }
}

/// Why there is no report.
fn nothing(figures: &Figures) -> String {
    let lines = sentences::lines(figures);
    let tally = &figures.tally;
    let advice = if tally.undated > 0 {
        "expected a `timestamp` of RFC 3339, as `tracing_subscriber::fmt().json()` writes it where no timer is set"
    } else if tally.wrapped > 0 {
        "docker wrapped them: docker logs NAME | tower-memory-report -"
    } else if tally.unreadable + tally.torn > 0 {
        "expected tracing-subscriber's JSON, as of `tracing_subscriber::fmt().json()`"
    } else {
        "does the service log tower_memory at WARN or DEBUG?"
    };
    format!("nothing of tower-memory's requests in {lines}; {advice}")
}
