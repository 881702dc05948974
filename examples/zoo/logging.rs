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
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// Lines that wait for the reader, at most; some hundred bytes each. The default of 128,000 would be the
/// largest thing in a small process.
const WAITING: usize = 1024;

/// How long the last lines may take at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What becomes of the lines.
pub(crate) struct Lines {
    guard: WorkerGuard,
    dropped: ErrorCounter,
    written: Arc<AtomicU64>,
}

/// What `RUST_LOG` says (default: `info`), and in any case how many lines were dropped.
pub(crate) fn levels() -> EnvFilter {
    let levels = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let ours = concat!(module_path!(), "=warn").parse();
    levels
        .from_env_lossy()
        .add_directive(ours.expect("a path is a target"))
}

/// The writer for `tracing_subscriber`, and what becomes of its lines.
pub(crate) fn to_stdout() -> (NonBlocking, Lines) {
    let written = Arc::<AtomicU64>::default();
    let stdout = Counting {
        inner: io::stdout(),
        written: Arc::clone(&written),
    };
    let writer = NonBlockingBuilder::default().lossy(true);
    let (writer, guard) = writer.buffered_lines_limit(WAITING).finish(stdout);
    let dropped = writer.error_counter();
    let lines = Lines {
        guard,
        dropped,
        written,
    };
    (writer, lines)
}

impl Lines {
    fn dropped(&self) -> u64 {
        self.dropped.dropped_lines() as u64
    }

    /// Hands the count of dropped lines to `count` each second, for ever, and warns of them once lines are
    /// read again: before that the warning would only be the next to be dropped.
    pub(crate) async fn watch(&self, count: impl Fn(u64)) {
        let (mut told, mut before) = (0, (0, 0));
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        for seconds in 0_u64.. {
            ticks.tick().await;
            let (dropped, written) = (self.dropped(), self.written.load(Ordering::Relaxed));
            count(dropped);
            // A reader who never keeps up hears of it once a minute.
            let has_room = dropped == before.0 || seconds % 60 == 0;
            if dropped > told && written > before.1 && has_room {
                tracing::warn!(
                    dropped,
                    "log lines were dropped, because nothing read them in time"
                );
                // Unless the warning was the next.
                if self.dropped() == dropped {
                    told = dropped;
                }
            }
            before = (dropped, written);
        }
    }

    /// Writes what still waits, and says how much was dropped. Call it last.
    pub(crate) fn finish(self) {
        let (done, wait) = mpsc::channel();
        // The guard prints, and so blocks, when nobody reads: the process must not.
        thread::spawn(move || {
            let Self { guard, dropped, .. } = self;
            drop(guard);
            match dropped.dropped_lines() {
                0 => {}
                dropped => eprintln!("{dropped} log lines were dropped: nothing read them in time"),
            }
            let _ = done.send(());
        });
        let _ = wait.recv_timeout(PATIENCE);
    }
}

/// Standard output, and how often it took something.
struct Counting {
    inner: Stdout,
    written: Arc<AtomicU64>,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
