//! From a model to a response body, without holding the text.
//!
//! Writing is synchronous and takes a blocking thread, until what is left fits into a short queue:
//! a client that downloads slowly holds a thread for a large system only.

use axum::body::{Body, Bytes};
use futures_util::stream;
use std::{
    io::{self, BufWriter, Write},
    sync::Arc,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
};

/// Bytes in a chunk.
const CHUNK: usize = 64 * 1024;

/// Chunks waiting for the client.
const QUEUE: usize = 8;

/// Writes response bodies, so many at once.
#[derive(Debug)]
pub(crate) struct Downloads {
    writers: Arc<Semaphore>,
}

impl Downloads {
    pub(crate) fn new(at_once: usize) -> Self {
        Self {
            writers: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// A body with what `write` writes.
    ///
    /// A `write` that fails or panics aborts the response, which the client notices.
    pub(crate) async fn body<E>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<(), E> + Send + 'static,
    ) -> Body
    where
        io::Error: From<E>,
    {
        // The permit goes with the thread, which may outlive the request. (The semaphore never
        // closes.)
        let permit = Arc::clone(&self.writers).acquire_owned().await.ok();
        let (sender, chunks) = mpsc::channel(QUEUE);
        spawn_blocking(move || {
            let _permit = permit;
            let mut out = BufWriter::with_capacity(CHUNK, ChunkWriter(sender));
            let result = write(&mut out)
                .map_err(io::Error::from)
                .and_then(|()| out.flush());
            match result {
                Ok(()) => {
                    let _ = out.get_ref().0.blocking_send(Bytes::new());
                }
                Err(error) => tracing::debug!(%error, "a download broke off"),
            }
        });
        // An empty chunk is the end. A queue that closes without one was abandoned by its writer.
        Body::from_stream(stream::try_unfold(chunks, |mut chunks| async {
            match chunks.recv().await {
                Some(chunk) if chunk.is_empty() => Ok(None),
                Some(chunk) => Ok(Some((chunk, chunks))),
                None => Err(io::Error::other(
                    "the response could not be written to its end",
                )),
            }
        }))
    }
}

/// The blocking end of a download.
struct ChunkWriter(mpsc::Sender<Bytes>);

impl Write for ChunkWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let chunk = &buffer[..buffer.len().min(CHUNK)];
        if !chunk.is_empty() {
            let sent = self.0.blocking_send(Bytes::copy_from_slice(chunk));
            sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
