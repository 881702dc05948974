//! A connection whose client has to keep up.

use crate::Config;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

/// How fast a client has to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long it may be silent.
    pub(crate) silence: Duration,
    /// In bytes a second.
    pub(crate) slowest: u64,
}

impl Pace {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            silence: Duration::from_secs(config.silence.get()),
            slowest: config.slowest.as_u64(),
        }
    }

    /// What has to pass while the client is waited for as long as it may be silent.
    pub(crate) fn least(&self) -> u64 {
        self.slowest.saturating_mul(self.silence.as_secs()).max(1)
    }
}

/// A stream that fails where its client reads too slowly.
///
/// Only time counts that was spent waiting for the client: writing while it has room for more costs
/// nothing of it. When `least` bytes have passed, counting begins anew.
pub(super) struct Paced {
    stream: TcpStream,
    pace: Pace,
    /// Of what passed since counting began.
    written: u64,
    waited: Duration,
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Paced {
    pub(super) fn new(stream: TcpStream, pace: Pace) -> Self {
        Self {
            stream,
            pace,
            written: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    fn has_written(&mut self, bytes: usize) {
        if let Some((since, _)) = self.waiting.take() {
            self.waited += since.elapsed();
        }
        self.written += bytes as u64;
        if self.written >= self.pace.least() {
            (self.written, self.waited) = (0, Duration::ZERO);
        }
    }

    fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (_, overdue) = self.waiting.get_or_insert_with(|| {
            let now = Instant::now();
            let left = self.pace.silence.saturating_sub(self.waited);
            (now, Box::pin(sleep_until(now + left)))
        });
        ready!(overdue.as_mut().poll(cx));
        tracing::debug!("a client reads too slowly");
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    fn paced(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match write(Pin::new(&mut self.stream), cx) {
            Poll::Ready(Ok(bytes)) => {
                self.has_written(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => self.poll_overdue(cx).map(Err),
            failed => failed,
        }
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.paced(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.paced(cx, |stream, cx| stream.poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
