use bytesize::ByteSize;
use clap::{Parser, ValueEnum};
use std::{net::SocketAddr, num::NonZeroUsize};

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

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for a person, in colour on a terminal
    Human,
    /// One JSON object a line, for a log collector
    Json,
}
