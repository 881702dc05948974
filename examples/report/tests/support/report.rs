//! Runs the report on logs, in a folder of their own.

#![allow(dead_code, unreachable_pub)] // Each file is a crate of its own and uses its part.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// A folder with logs and reports, removed when it is dropped.
pub struct Folder(TempDir);

/// The output of a run.
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    /// With one log.
    pub fn with(log: impl AsRef<[u8]>) -> Self {
        let folder = Self::new();
        folder.put("app.log", log);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("written");
    }

    pub fn get(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("text")
    }

    /// The names of everything in it.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).expect("a folder");
        let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("text");
        let mut names: Vec<_> = names.map(|entry| name(entry.expect("an entry"))).collect();
        names.sort();
        names
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tower-memory-report"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        let output = command.stdin(Stdio::null()).output();
        Run::of(output.expect("it starts"))
    }

    /// With this on standard input.
    pub fn pipe(&self, arguments: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(arguments);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut pipe = child.stdin.take().expect("piped");
        pipe.write_all(input).expect("it reads");
        drop(pipe);
        Run::of(child.wait_with_output().expect("it ends"))
    }

    /// The report of `app.log`, and the page.
    pub fn report(&self) -> (String, String) {
        let run = self.run(&["app.log"]);
        (run.report(), self.get("app.report.html"))
    }
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Self {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Its output, if it succeeded.
    pub fn report(self) -> String {
        assert_eq!(
            (self.code, self.err.as_str()),
            (Some(0), ""),
            "{}",
            self.out
        );
        self.out
    }
}

/// One paragraph as one line, without the line breaks for a terminal.
pub fn unbroken(report: &str) -> String {
    report.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The columns of a route's line.
pub fn row<'a>(report: &'a str, route: &str) -> Vec<&'a str> {
    let mut lines = report.lines().skip_while(|line| !line.starts_with("ROUTE"));
    let line = lines.find(|line| line.split_whitespace().next() == Some(route));
    let columns = line.unwrap_or_else(|| panic!("no {route} in\n{report}"));
    columns
        .split("  ")
        .map(str::trim)
        .filter(|cell| !cell.is_empty())
        .collect()
}
