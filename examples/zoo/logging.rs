//! A log that holds no request up: a thread writes it to standard output, and what nobody reads in time is dropped and
//! counted.

use std::{
    io::{self, Stdout, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt::MakeWriter};

/// Lines that wait for the reader, at most; some hundred bytes each. The default of 128,000 would be the
/// largest thing in a small process.
const WAITING: usize = 1024;

/// How long the last lines may take at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What `RUST_LOG` says (default: `info`), and in any case how many lines were dropped.
pub(crate) fn levels() -> EnvFilter {
    let levels = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let ours = concat!(module_path!(), "=warn").parse();
    levels
        .from_env_lossy()
        .add_directive(ours.expect("a path is a target"))
}

/// The writer for `tracing_subscriber`, and what becomes of its lines.
pub(crate) fn to_stdout() -> (Writer, Lines) {
    let counts = Arc::<Counts>::default();
    let builder = NonBlockingBuilder::default().lossy(true);
    let builder = builder.buffered_lines_limit(WAITING);
    let (inner, guard) = builder.finish(Counted(io::stdout(), Arc::clone(&counts)));
    let dropped = inner.error_counter();
    let lines = Lines {
        guard,
        dropped,
        counts: Arc::clone(&counts),
    };
    (Writer { inner, counts }, lines)
}

#[derive(Default)]
struct Counts {
    offered: AtomicU64,
    written: AtomicU64,
}

/// What becomes of the lines.
pub(crate) struct Lines {
    guard: WorkerGuard,
    dropped: ErrorCounter,
    counts: Arc<Counts>,
}

impl Lines {
    /// Hands the count of dropped lines to `count` each second, for ever, and warns of them once there is
    /// room for the warning.
    pub(crate) async fn watch(&self, count: impl Fn(u64)) {
        let mut told = 0;
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        loop {
            ticks.tick().await;
            let dropped = self.dropped.dropped_lines() as u64;
            count(dropped);
            let gone = dropped + self.counts.written.load(Ordering::Relaxed);
            let waiting = self.counts.offered.load(Ordering::Relaxed);
            let waiting = waiting.saturating_sub(gone);
            if dropped > told && waiting < WAITING as u64 / 2 {
                tracing::warn!(
                    dropped,
                    "log lines were dropped, because nothing read them in time"
                );
                told = dropped;
            }
        }
    }

    /// Writes what still waits, and says how much was never written. Call it last.
    pub(crate) fn finish(self) {
        let (done, wait) = mpsc::channel();
        // The guard prints, and so blocks, when nobody reads: the process must not.
        thread::spawn(move || {
            let Self { guard, counts, .. } = self;
            drop(guard);
            let written = counts.written.load(Ordering::Relaxed);
            match counts.offered.load(Ordering::Relaxed) - written {
                0 => {}
                lost => {
                    eprintln!("{lost} log lines were dropped, because nothing read them in time")
                }
            }
            let _ = done.send(());
        });
        let _ = wait.recv_timeout(PATIENCE);
    }
}

/// Takes the lines of all threads.
#[derive(Clone)]
pub(crate) struct Writer {
    inner: NonBlocking,
    counts: Arc<Counts>,
}

impl MakeWriter<'_> for Writer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for Writer {
    /// One line, as `tracing_subscriber` writes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.counts.offered.fetch_add(1, Ordering::Relaxed);
        self.inner.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Standard output, and how many lines it took.
struct Counted(Stdout, Arc<Counts>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.write_all(line)?;
        self.1.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
