//! The commands that compute a file and print what comes out.

use clap::Subcommand;
use efootprint::{
    Cancel, Engine, Model, ReadError,
    footprint::{Category, Footprint, Phase},
    write_computed,
};
use std::{
    collections::BTreeSet,
    fs::File,
    hint::black_box,
    io::{self, BufWriter, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread::available_parallelism,
};

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print every computed attribute of a system's objects, as JSON
    Compute {
        /// The system's file, or `-` for standard input
        file: PathBuf,
    },
    /// Print what a system emits: in all, by category and phase, and by object
    Footprint {
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
        keep_freed_memory();
        let done = match self {
            Self::Compute { file } => compute(file),
            Self::Footprint { file } => footprint(file),
        };
        match done {
            // Who reads, as `head` does, has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            done => done,
        }
    }
}

/// Lets the process keep what is freed, where it would give it back to the system and take it anew
/// time and again: a page that is taken costs as much as computing what is written to it.
///
/// The C library of Linux keeps twice as much as the largest block that it ever gave back. Nothing
/// is written to this one, so that it takes no memory.
fn keep_freed_memory() {
    drop(black_box(Vec::<u8>::with_capacity(16 << 20)));
}

fn compute(file: &Path) -> io::Result<ExitCode> {
    let engine = engine(file)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut problems = Problems::default();
    write_computed(&engine, &mut out, |failure| {
        problems.tell(&failure.to_string())
    })?;
    writeln!(out)?;
    out.flush()?;
    Ok(problems.exit_code())
}

fn engine(file: &Path) -> io::Result<Engine> {
    let engine = Engine::new(Arc::new(read(file)?), Cancel::default()).map_err(io::Error::other)?;
    Ok(engine.threads(available_parallelism().map_or(1, NonZero::get)))
}

fn footprint(file: &Path) -> io::Result<ExitCode> {
    let engine = engine(file)?;
    let footprint = Footprint::of(&engine).map_err(io::Error::other)?;
    let mut out = BufWriter::new(io::stdout().lock());
    write_table(engine.model().name(), &footprint, &mut out)?;
    out.flush()?;
    let mut problems = Problems::default();
    for problem in &footprint.problems {
        problems.tell(&problem.detail);
    }
    if let Some(failure) = &footprint.failure {
        problems.tell(failure);
    }
    Ok(problems.exit_code())
}

fn write_table(name: &str, footprint: &Footprint, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{name}: {}", mass(footprint.total()))?;
    if let Some((start, end)) = footprint.period() {
        write!(out, " from {} to {}", start.date(), end.date())?;
    }
    writeln!(out)?;
    if !footprint.problems.is_empty() || footprint.failure.is_some() {
        writeln!(out, "Incomplete: see the problems below.")?;
    }
    let objects = footprint
        .objects
        .iter()
        .map(|object| object.name.chars().count() + 2);
    let width = objects.max().unwrap_or(0).clamp(14, 48);
    writeln!(
        out,
        "{:width$} {:>15} {:>15} {:>15}",
        "CO2 equivalents", "manufacturing", "use", "total"
    )?;
    let mut line = |name: &str, of: [Option<f64>; 2]| {
        let [manufacturing, r#use] = of.map(|kg| kg.map_or_else(|| "?".to_owned(), mass));
        let total = of[0]
            .zip(of[1])
            .map_or_else(|| "?".to_owned(), |(a, b)| mass(a + b));
        let name: String = name.chars().take(width).collect();
        writeln!(
            out,
            "{name:width$} {manufacturing:>15} {use:>15} {total:>15}"
        )
    };
    for category in Category::ALL {
        let of = |phase| Some(footprint.part(category, phase));
        let objects = footprint
            .objects
            .iter()
            .filter(|object| object.category == category);
        line(
            &format!("{category:?}"),
            [of(Phase::Manufacturing), of(Phase::Use)],
        )?;
        for object in objects {
            line(
                &format!("  {}", object.name),
                [object.manufacturing, object.r#use],
            )?;
        }
    }
    let of = |phase| {
        Some(
            Category::ALL
                .iter()
                .map(|&category| footprint.part(category, phase))
                .sum(),
        )
    };
    line("Total", [of(Phase::Manufacturing), of(Phase::Use)])
}

/// A mass of CO2 equivalents, in the unit that reads best.
fn mass(kg: f64) -> String {
    match kg.abs() {
        0.0 => "0 kg".to_owned(),
        size if size < 0.1 => format!("{:.3} g", kg * 1e3),
        size if size < 1e4 => format!("{kg:.3} kg"),
        _ => format!("{:.3} t", kg / 1e3),
    }
}

/// Problems told so far.
#[derive(Default)]
struct Problems(BTreeSet<String>);

impl Problems {
    fn tell(&mut self, sentence: &str) {
        if self.0.insert(sentence.to_owned()) {
            eprintln!("system-builder: {sentence}");
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.0.is_empty() { 0 } else { 2 })
    }
}

fn read(file: &Path) -> io::Result<Model> {
    let model = if file == "-" {
        efootprint::read(io::stdin().lock())
    } else {
        File::open(file)
            .map_err(ReadError::Io)
            .and_then(efootprint::read)
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
