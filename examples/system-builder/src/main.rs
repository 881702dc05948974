//! The command: flags and environment in, a served application out.

#[path = "../../zoo/logging.rs"]
mod logging;

use self::logging::Lines;
use clap::Parser;
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};
use system_builder::{Command, Config, LogFormat};
use tokio::{net::TcpListener, runtime::Builder, select, sync::oneshot};
use tower_memory::heap::TrackingAllocator;

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

/// Serve e-footprint systems, or compute one.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

fn main() -> ExitCode {
    let Arguments { command, config } = Arguments::parse();
    let result = match command {
        Some(command) => command.run(),
        None => serve(&config),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("system-builder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: &Config) -> io::Result<ExitCode> {
    let lines = start_logging(config.log_format);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(system_builder::prepare_thread)
        .build()?;
    let result = runtime.block_on(run(config, &lines));
    // A file still being read must not hold up the exit: nobody waits for it any more.
    runtime.shutdown_background();
    tower_memory::flush();
    lines.finish();
    result.map(|()| ExitCode::SUCCESS)
}

async fn run(config: &Config, lines: &Lines) -> io::Result<()> {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        let address = config.listen;
        io::Error::new(
            error.kind(),
            format!("cannot listen on {address}: {error}; choose another address with `--listen`"),
        )
    })?;
    tracing::info!(
        warn_above = %config.warn_above,
        body_limit = %config.body_limit,
        store_limit = %config.store_limit,
        work_limit = %config.work_limit(),
        "serving on http://{}",
        listener.local_addr()?,
    );
    let app = system_builder::app(config)?;
    let dropped = metrics::counter!("log_lines_dropped");
    let (stop, stopping) = oneshot::channel();
    let stopping = async {
        // The sender is there until the process ends.
        let _ = stopping.await;
    };
    let hurry = async {
        signals.next().await;
        let _ = stop.send(());
        signals.next().await;
        tracing::warn!("told to stop a second time: running requests are dropped");
    };
    select! {
        result = system_builder::serve(listener, app, config, stopping) => result,
        () = hurry => Ok(()),
        () = lines.watch(|lines| dropped.absolute(lines)) => Ok(()),
    }
}

fn start_logging(format: LogFormat) -> Lines {
    let (writer, lines) = logging::to_stdout();
    let log = tracing_subscriber::fmt().with_env_filter(logging::levels());
    match format {
        LogFormat::Human => log
            .with_ansi(io::stdout().is_terminal())
            .with_writer(writer)
            .init(),
        LogFormat::Json => log.json().flatten_event(true).with_writer(writer).init(),
    }
    lines
}

/// Ctrl-C, and SIGTERM where there is one.
///
/// The handlers are in place once it is made, so that a signal during start-up is not missed.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
