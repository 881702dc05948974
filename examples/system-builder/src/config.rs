use bytesize::ByteSize;
use clap::{Parser, ValueEnum};
use std::{
    net::SocketAddr,
    num::{NonZeroU64, NonZeroUsize},
};
use tower_memory::{dashboard::Access, routes::Routes};

/// Serve e-footprint systems, and log the requests that grow the process.
///
/// `RUST_LOG` filters the log (default: `info`).
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Config {
    /// Address to serve on; port 0 takes a free one
    #[arg(
        long,
        env = "SYSTEM_BUILDER_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000"
    )]
    pub listen: SocketAddr,

    /// Address to serve the dashboard on as well, by a thread of its own that answers while all others are busy
    #[arg(long, env = "SYSTEM_BUILDER_DASHBOARD", value_name = "ADDRESS")]
    pub dashboard: Option<SocketAddr>,

    /// Name that clients may reach the server by, beside `localhost` and addresses; may be given several times
    #[arg(
        long = "host",
        env = "SYSTEM_BUILDER_HOST",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub hosts: Vec<String>,

    /// Who may ask for `/metrics`
    #[arg(
        long,
        env = "SYSTEM_BUILDER_METRICS",
        value_name = "WHO",
        default_value = "loopback"
    )]
    pub metrics: Who,

    /// Connections that are open at once, less where the process may open fewer files; one client has half at most
    #[arg(
        long,
        env = "SYSTEM_BUILDER_CONNECTIONS",
        value_name = "COUNT",
        default_value = "512"
    )]
    pub connections: NonZeroUsize,

    /// How long a client may keep silent while it sends or reads a body; for a head, and between requests, a third of it
    #[arg(
        long,
        env = "SYSTEM_BUILDER_SILENCE",
        value_name = "SECONDS",
        default_value = "30"
    )]
    pub silence: NonZeroU64,

    /// Bytes a second below which a client that sends or reads a body counts as silent
    #[arg(
        long,
        env = "SYSTEM_BUILDER_SLOWEST",
        value_name = "SIZE",
        default_value = "1KiB"
    )]
    pub slowest: ByteSize,

    /// Growth of the resident set or retained heap, by one request, that is logged as a warning
    #[arg(
        long,
        env = "SYSTEM_BUILDER_WARN_ABOVE",
        value_name = "SIZE",
        default_value = "100MiB"
    )]
    pub warn_above: ByteSize,

    /// What one request may hold at once before a warning is logged, even if it gives all of it back
    #[arg(long, env = "SYSTEM_BUILDER_WARN_PEAK_ABOVE", value_name = "SIZE")]
    pub warn_peak_above: Option<ByteSize>,

    /// Give pages that the allocator keeps back to the operating system after requests that left many
    #[arg(long, env = "SYSTEM_BUILDER_RECLAIM")]
    pub reclaim: bool,

    /// Largest request body that is read
    #[arg(
        long,
        env = "SYSTEM_BUILDER_BODY_LIMIT",
        value_name = "SIZE",
        default_value = "32MiB"
    )]
    pub body_limit: ByteSize,

    /// Most memory that uploads take while they are read, and results until they are sent; default: a quarter of the
    /// memory limit, 1 GiB at most
    #[arg(long, env = "SYSTEM_BUILDER_WORK_LIMIT", value_name = "SIZE")]
    pub work_limit: Option<ByteSize>,

    /// Most memory that loaded systems take, all together
    #[arg(
        long,
        env = "SYSTEM_BUILDER_STORE_LIMIT",
        value_name = "SIZE",
        default_value = "1GiB"
    )]
    pub store_limit: ByteSize,

    /// Systems that are computed at once; others wait for their turn
    #[arg(
        long,
        env = "SYSTEM_BUILDER_COMPUTE_AT_ONCE",
        value_name = "COUNT",
        default_value = "2"
    )]
    pub compute_at_once: NonZeroUsize,

    /// Most memory that results take, which are kept for who asks again
    #[arg(
        long,
        env = "SYSTEM_BUILDER_RESULTS_LIMIT",
        value_name = "SIZE",
        default_value = "32MiB"
    )]
    pub results_limit: ByteSize,

    /// How the log is written to standard output
    #[arg(
        long,
        env = "SYSTEM_BUILDER_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub log_format: LogFormat,
}

impl Config {
    /// What work may take: as much as was asked for, or what suits the memory limit.
    pub fn work_limit(&self) -> ByteSize {
        let suits = || {
            let limit = Routes::new().snapshot().limit.unwrap_or(u64::MAX);
            ByteSize(limit / 4).min(ByteSize::gib(1))
        };
        self.work_limit.unwrap_or_else(suits)
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for a person, in colour on a terminal
    Human,
    /// One JSON object a line, for a log collector
    Json,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// This machine
    Loopback,
    /// Anyone who reaches the address
    Anyone,
}

impl From<Who> for Access {
    fn from(who: Who) -> Self {
        match who {
            Who::Loopback => Self::Loopback,
            Who::Anyone => Self::Anyone,
        }
    }
}
