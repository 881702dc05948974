//! The commands that compute a file and print what comes out.

use clap::Subcommand;
use efootprint::{
    Cancel, Engine, Model, ReadError,
    footprint::{Category, Footprint, Phase},
    printable, write_computed,
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
    /// Problems of the system and remarks go to standard error, one a line, and what can be computed
    /// is printed all the same. The exit status is 2 where a value of a system is missing.
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
    let mut out = BufWriter::new(Printable(io::stdout().lock()));
    let mut problems = Problems::default();
    for model in read(file)? {
        let engine = engine(model)?;
        write_computed(&engine, &mut out, |failure| {
            problems.tell(&failure.to_string())
        })?;
        writeln!(out)?;
        problems.incomplete |= !engine.missing().map_err(io::Error::other)?.is_empty();
        let remarks = engine.model().remarks();
        remarks.iter().for_each(|remark| problems.tell(remark));
    }
    out.flush()?;
    Ok(problems.exit_code())
}

fn engine(model: Model) -> io::Result<Engine> {
    let engine = Engine::new(Arc::new(model), Cancel::default()).map_err(io::Error::other)?;
    Ok(engine.threads(available_parallelism().map_or(1, NonZero::get)))
}

fn footprint(file: &Path) -> io::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut problems = Problems::default();
    for (i, model) in read(file)?.into_iter().enumerate() {
        let engine = engine(model)?;
        let footprint = Footprint::of(&engine).map_err(io::Error::other)?;
        if i > 0 {
            writeln!(out)?;
        }
        write_table(engine.model().name(), &footprint, &mut out)?;
        out.flush()?;
        for problem in &footprint.problems {
            problems.tell(&problem.detail);
        }
        if let Some(failure) = &footprint.failure {
            problems.tell(failure);
        }
        for remark in &footprint.remarks {
            problems.tell(&remark.detail);
        }
        problems.incomplete |= !footprint.is_complete();
    }
    Ok(problems.exit_code())
}

fn write_table(name: &str, footprint: &Footprint, out: &mut impl Write) -> io::Result<()> {
    let total = footprint.known_total().map_or_else(|| "?".to_owned(), mass);
    match footprint.is_complete() {
        true => write!(out, "{}: {total}", printable(name))?,
        false => write!(out, "{}: {total}, a part of the total,", printable(name))?,
    }
    if let Some((start, end)) = footprint.period() {
        write!(out, " from {} to {}", start.date(), end.date())?;
    }
    writeln!(out)?;
    if !footprint.is_complete() {
        writeln!(out, "Incomplete: see the problems below.")?;
    }
    let objects = footprint
        .objects
        .iter()
        .map(|object| printable(&object.name).chars().count() + 2);
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
        let of = |phase| footprint.known(category, phase);
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
                &format!("  {}", printable(&object.name)),
                [object.manufacturing, object.r#use],
            )?;
        }
    }
    let of = |phase| {
        let parts = Category::ALL.iter();
        parts
            .map(|&category| footprint.known(category, phase))
            .sum()
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

/// Text whose characters that terminals act upon are escaped, as JSON may have them.
struct Printable<W>(W);

impl<W: Write> Write for Printable<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        // What JSON leaves as it is: delete, and the controls beyond ASCII, of two bytes.
        let is_raw = |at: usize| match buffer[at] {
            0x7f => true,
            0xc2 => buffer
                .get(at + 1)
                .is_none_or(|next| (0x80..0xa0).contains(next)),
            _ => false,
        };
        match (0..buffer.len()).find(|&at| is_raw(at)) {
            None => self.0.write_all(buffer).map(|()| buffer.len()),
            Some(0) if buffer[0] == 0x7f => write!(self.0, "\\u007f").map(|()| 1),
            Some(0) if buffer.len() == 1 => self.0.write_all(buffer).map(|()| 1),
            Some(0) => write!(self.0, "\\u{:04x}", buffer[1]).map(|()| 2),
            Some(at) => self.0.write_all(&buffer[..at]).map(|()| at),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Sentences told so far, and whether a value is missing.
#[derive(Default)]
struct Problems {
    told: BTreeSet<String>,
    incomplete: bool,
}

impl Problems {
    fn tell(&mut self, sentence: &str) {
        if self.told.insert(sentence.to_owned()) {
            eprintln!("system-builder: {}", printable(sentence));
        }
    }

    fn exit_code(&self) -> ExitCode {
        ExitCode::from(if self.incomplete { 2 } else { 0 })
    }
}

fn read(file: &Path) -> io::Result<Vec<Model>> {
    let models = if file == "-" {
        efootprint::read_all(io::stdin().lock())
    } else {
        File::open(file)
            .map_err(ReadError::Io)
            .and_then(efootprint::read_all)
    };
    models.map_err(|error| {
        let name = file.display().to_string();
        let kind = match &error {
            ReadError::Io(error) => error.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        let text = format!("cannot read `{}`: {error}", printable(&name));
        io::Error::new(kind, text)
    })
}
