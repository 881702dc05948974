//! How far the reading is, for who waits at a terminal.

use bytesize::ByteSize;
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

const INTERVAL: Duration = Duration::from_millis(200);

/// Clears its line when it is dropped.
pub(crate) struct Progress {
    total: u64,
    /// `None` where nobody watches.
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// `total` bytes, 0 where that is not known.
    pub(crate) fn towards(total: u64) -> Self {
        let watched = io::stderr().is_terminal();
        Self {
            total,
            next: watched.then(|| Instant::now() + INTERVAL),
            shown: false,
        }
    }

    pub(crate) fn show(&mut self, bytes: u64) {
        let now = Instant::now();
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        self.next = Some(now + INTERVAL);
        self.shown = true;
        let read = ByteSize(bytes);
        let line = match (u128::from(bytes) * 100).checked_div(self.total.into()) {
            // More than all: the file grew, or another input has no length.
            Some(percent @ 0..=100) => {
                format!("read {read} of {}, {percent} %", ByteSize(self.total))
            }
            _ => format!("read {read}"),
        };
        // Who can't be told waits without it.
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
