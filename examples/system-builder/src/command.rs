//! The commands that compute a file and print what comes out.

use crate::model::{
    self, Model, ReadError,
    compute::{Cancel, Engine, Failure, write_computed},
};
use clap::Subcommand;
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print every computed attribute of a system's objects, as JSON
    Compute {
        /// The system's file, or `-` for standard input
        file: PathBuf,
    },
}

impl Command {
    /// Does it.
    ///
    /// Problems of the system go to standard error, one a line, and what can be computed is printed
    /// all the same; the exit status is then 2.
    ///
    /// # Errors
    ///
    /// Where the file can't be read or nothing can be printed.
    pub fn run(&self) -> io::Result<ExitCode> {
        match self {
            Self::Compute { file } => compute(file),
        }
    }
}

fn compute(file: &Path) -> io::Result<ExitCode> {
    let engine = Engine::new(Arc::new(read(file)?), Cancel::default());
    let mut out = BufWriter::new(io::stdout().lock());
    let mut problems = Problems::default();
    write_computed(&engine, &mut out, |failure| problems.tell(failure))?;
    writeln!(out)?;
    out.flush()?;
    Ok(problems.exit_code())
}

/// Problems told so far.
#[derive(Default)]
struct Problems(BTreeSet<String>);

impl Problems {
    fn tell(&mut self, failure: &Failure) {
        let sentence = failure.to_string();
        if !self.0.contains(&sentence) {
            eprintln!("system-builder: {sentence}");
            self.0.insert(sentence);
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.0.is_empty() { 0 } else { 2 })
    }
}

fn read(file: &Path) -> io::Result<Model> {
    let model = if file == "-" {
        model::read(io::stdin().lock())
    } else {
        File::open(file).map_err(ReadError::Io).and_then(model::read)
    };
    model.map_err(|error| {
        let name = file.display();
        let kind = match &error {
            ReadError::Io(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, format!("cannot read `{name}`: {error}"))
    })
}
