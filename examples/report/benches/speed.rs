//! How fast the report reads a log, and in how much memory: 1 GB where every line is of tower-memory, which is the
//! worst, and 1 GB where one line in a hundred is.
//!
//! ```text
//! cargo bench -p tower-memory-report
//! ```
//!
//! The logs are first written beneath `target/tmp`, and removed at the end. They are read from the page cache, because
//! this bench doesn't measure the disk.

#[path = "../tests/support/log_lines.rs"]
mod log_lines;

use self::log_lines::{Entry, foreign};
use std::{
    env,
    error::Error,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};
use wait4::Wait4;

const BYTES: u64 = 1_000_000_000;
const ROUNDS: usize = 5;

/// The kinds of log: one in how many lines is from tower-memory.
const LOGS: [(&str, u64); 2] = [("every line ours", 1), ("one line in 100 ours", 100)];

fn main() -> Result<(), Box<dyn Error>> {
    if !env::args().any(|argument| argument == "--bench") {
        println!("skipped: writes 1 GB, for which only `cargo bench` asks");
        return Ok(());
    }
    let report = Path::new(env!("CARGO_BIN_EXE_tower-memory-report"));
    println!(
        "| log                  |      size | lines/s | median MB/s | best MB/s | processor time | peak RSS |"
    );
    println!(
        "|----------------------|----------:|--------:|------------:|----------:|---------------:|---------:|"
    );
    for (name, every) in LOGS {
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench.log");
        let measured = write(&log, every).and_then(|lines| measure(report, &log, lines));
        fs::remove_file(&log)?;
        let measured = measured?;
        println!("| {name:<20} | {measured}");
    }
    println!("\ntarget: 300 MB/s and 32 MiB, median of {ROUNDS} runs");
    Ok(())
}

/// Writes a log and returns its number of lines.
fn write(log: &Path, every: u64) -> Result<u64, Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(log)?);
    let (mut bytes, mut number) = (0, 0);
    while bytes < BYTES {
        let line = match number % every {
            0 => Entry::numbered(number / every).flat(),
            _ => foreign(number),
        };
        file.write_all(line.as_bytes())?;
        bytes += line.len() as u64;
        number += 1;
    }
    file.flush()?;
    Ok(number)
}

/// A row of the table.
fn measure(report: &Path, log: &Path, lines: u64) -> Result<String, Box<dyn Error>> {
    let size = log.metadata()?.len();
    let mut seconds = Vec::new();
    let (mut processor, mut peak) = (0.0, 0);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let run = Command::new(report)
            .arg(log)
            .arg("--html")
            .arg(log.with_extension("html"))
            .stdout(Stdio::null())
            .spawn()?;
        let used = run.wait4()?;
        seconds.push(begin.elapsed().as_secs_f64());
        if !used.status.success() {
            return Err(format!("{}: {}", report.display(), used.status).into());
        }
        processor += (used.rusage.utime + used.rusage.stime).as_secs_f64() / ROUNDS as f64;
        peak = peak.max(used.rusage.maxrss);
    }
    fs::remove_file(log.with_extension("html"))?;
    seconds.sort_by(f64::total_cmp);
    let per_second = |seconds: f64| size as f64 / 1e6 / seconds;
    let median = seconds[ROUNDS / 2];
    Ok(format!(
        "{:>6.0} MB | {:>5.2} M | {:>11.0} | {:>9.0} | {:>12.2} s | {:>4.1} MiB |",
        size as f64 / 1e6,
        lines as f64 / 1e6 / median,
        per_second(median),
        per_second(seconds[0]),
        processor,
        peak as f64 / f64::from(1 << 20),
    ))
}
