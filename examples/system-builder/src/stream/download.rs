//! From a model to a response body, without holding the text.
//!
//! Writing is synchronous and takes a blocking thread, until what is left fits into a short queue:
//! a client that downloads slowly holds a thread for a large system only, and one that doesn't read
//! on for long loses it.

use super::{
    limits::{OVERDUE, STALLED},
    places::Places,
};
use crate::{peer::Peer, problem::Problem};
use axum::body::{Body, Bytes};
use futures_util::stream;
use std::{
    io::{self, BufWriter, Write},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::mpsc,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use tower_memory::heap::CurrentRequest;

/// Bytes in a chunk.
const CHUNK: usize = 64 * 1024;

/// Chunks waiting for the client.
const QUEUE: usize = 4;

/// Writes response bodies, so many at once.
#[derive(Debug)]
pub(crate) struct Downloads {
    writers: Places,
    stalled: Duration,
    overdue: Duration,
}

impl Downloads {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            writers: Places::new(at_once),
            stalled: STALLED,
            overdue: OVERDUE,
        }
    }

    /// A body with what `write` writes.
    ///
    /// A `write` that fails or panics aborts the response, which the client notices.
    ///
    /// # Errors
    ///
    /// Where all places are taken for long, or half of them by this client.
    pub(crate) async fn body<E>(
        &self,
        peer: Peer,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E> + Send + 'static,
    ) -> Result<Body, Problem>
    where
        io::Error: From<E>,
    {
        // The place goes with the thread, which may outlive the request.
        let place = self.writers.take(peer).await?;
        let (queue, chunks) = mpsc::channel(QUEUE);
        let writer = ChunkWriter {
            queue,
            runtime: Handle::current(),
            request: CurrentRequest::get(),
            stalled: self.stalled,
            deadline: Instant::now() + self.overdue,
        };
        spawn_blocking(move || {
            let _place = place;
            let mut out = BufWriter::with_capacity(CHUNK, writer);
            let result = write(&mut out)
                .map_err(io::Error::from)
                .and_then(|()| out.flush())
                .and_then(|()| out.get_ref().send(Bytes::new()));
            if let Err(error) = result {
                // Dropped whole, it would send once more, and wait as long again.
                drop(out.into_parts());
                tracing::debug!(%error, "a download broke off");
            }
        });
        // An empty chunk is the end. A queue that closes without one was abandoned by its writer.
        let chunks = stream::try_unfold(chunks, |mut chunks| async {
            match chunks.recv().await {
                Some(chunk) if chunk.is_empty() => Ok(None),
                Some(chunk) => Ok(Some((chunk, chunks))),
                None => Err(io::Error::other(
                    "the response could not be written to its end",
                )),
            }
        });
        Ok(Body::from_stream(chunks))
    }
}

/// The blocking end of a download.
struct ChunkWriter {
    queue: mpsc::Sender<Bytes>,
    runtime: Handle,
    /// Whose chunks they are. Chunk by chunk, because this thread may outlive the request.
    request: Option<CurrentRequest>,
    /// How long the queue may stay full.
    stalled: Duration,
    deadline: Instant,
}

impl ChunkWriter {
    fn send(&self, chunk: Bytes) -> io::Result<()> {
        let now = Instant::now();
        if now >= self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let until = self.deadline.min(now + self.stalled);
        let sending = async { timeout_at(until, self.queue.send(chunk)).await };
        match self.runtime.block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let chunk = &buffer[..buffer.len().min(CHUNK)];
        if !chunk.is_empty() {
            let copy = || Bytes::copy_from_slice(chunk);
            let chunk = match &self.request {
                Some(request) => request.in_scope(copy),
                None => copy(),
            };
            self.send(chunk)?;
        }
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use tokio::{select, time::advance};

    fn peer() -> Peer {
        std::net::IpAddr::from([203, 0, 113, 1]).into()
    }

    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    async fn long_body(downloads: &Downloads) -> Body {
        downloads
            .body(peer(), |out| {
                (0..100).try_for_each(|_| out.write_all(&[b' '; CHUNK]))
            })
            .await
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_that_nobody_reads_ends_and_the_next_one_begins() {
        let downloads = Downloads {
            overdue: YEAR,
            ..Downloads::new(1)
        };
        let unread = long_body(&downloads).await;
        let next = async {
            loop {
                let body = downloads.body(peer(), |out| out.write_all(b"next"));
                if let Ok(body) = body.await {
                    break body;
                }
            }
        };
        tokio::pin!(next);
        let next = loop {
            select! {
                next = &mut next => break next,
                () = advance(Duration::from_secs(1)) => {}
            }
        };
        assert_eq!(next.collect().await.unwrap().to_bytes(), "next");
        assert!(unread.collect().await.is_err(), "it looks whole");
    }

    #[tokio::test(start_paused = true)]
    async fn a_download_that_is_read_now_and_then_ends_all_the_same() {
        let downloads = Downloads {
            stalled: YEAR,
            ..Downloads::new(1)
        };
        let mut slow = long_body(&downloads).await;
        let mut chunks = 0;
        while let Some(Ok(_)) = slow.frame().await {
            chunks += 1;
            advance(OVERDUE / 20).await;
        }
        assert!((20..40).contains(&chunks), "{chunks} chunks were sent");
    }

    #[tokio::test]
    async fn a_download_that_is_read_at_once_comes_whole() {
        let body = long_body(&Downloads::new(1)).await;
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 100 * CHUNK);
    }
}
