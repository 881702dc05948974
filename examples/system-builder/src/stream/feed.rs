//! Feeds what arrives in chunks to a blocking reader, without holding it whole.

use crate::problem::Problem;
use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use std::{
    io::{self, Read},
    pin::pin,
    sync::Arc,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
};
use tower_memory::heap::CurrentRequest;

/// Chunks that may wait for the reader. hyper's are at most a few hundred KiB.
const QUEUE: usize = 4;

/// Runs `read` over the bytes of `chunks`, on a blocking thread that a permit of `readers` allows.
///
/// A `read` that returns early does not end this: the rest of the chunks is taken and thrown away.
///
/// # Errors
///
/// The first error of `chunks`, or the panic of `read` as an internal problem.
pub(crate) async fn read_on_thread<T: Send + 'static>(
    chunks: impl Stream<Item = Result<Bytes, Problem>>,
    readers: &Arc<Semaphore>,
    read: impl FnOnce(ChunkReader) -> T + Send + 'static,
) -> Result<T, Problem> {
    // The permit goes with the thread, which may outlive the request. (The semaphore never
    // closes.)
    let permit = Arc::clone(readers).acquire_owned().await.ok();
    let (sender, receiver) = mpsc::channel(QUEUE);
    let reading = spawn_blocking(CurrentRequest::carry_fn(move || {
        let _permit = permit;
        read(ChunkReader::new(receiver))
    }));

    let mut chunks = pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if !chunk.is_empty() {
            let _ = sender.send(chunk).await;
        }
    }
    let _ = sender.send(Bytes::new()).await;
    reading.await.map_err(|error| {
        tracing::error!(%error, "reading an upload failed");
        Problem::internal()
    })
}

/// The blocking end of the queue.
pub(crate) struct ChunkReader {
    /// An empty chunk is the end. A queue that closes without one was given up by its sender.
    queue: mpsc::Receiver<Bytes>,
    chunk: Bytes,
    ended: bool,
}

impl ChunkReader {
    fn new(queue: mpsc::Receiver<Bytes>) -> Self {
        Self {
            queue,
            chunk: Bytes::new(),
            ended: false,
        }
    }
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && !self.ended {
            self.chunk = self
                .queue
                .blocking_recv()
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            self.ended = self.chunk.is_empty();
        }
        let length = self.chunk.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.chunk.split_to(length));
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn chunks(parts: &[&'static str]) -> impl Stream<Item = Result<Bytes, Problem>> + use<> {
        stream::iter(
            parts
                .iter()
                .map(|part| Ok(Bytes::from_static(part.as_bytes())))
                .collect::<Vec<_>>(),
        )
    }

    fn one_reader() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(1))
    }

    #[tokio::test]
    async fn chunks_are_read_as_one_text() {
        let parts = chunks(&["e-", "", "foot", "print"]);
        let text = read_on_thread(parts, &one_reader(), io::read_to_string).await;
        assert_eq!(text.unwrap().unwrap(), "e-footprint");
    }

    #[tokio::test]
    async fn a_reader_that_stops_early_is_fed_to_the_end() {
        let mut taken = 0;
        let parts = chunks(&["e-footprint"; 100]).inspect(|_| taken += 1);
        let first = read_on_thread(parts, &one_reader(), |mut input| {
            let mut first = [0];
            input.read_exact(&mut first).map(|()| first)
        })
        .await;
        assert_eq!(first.unwrap().unwrap(), *b"e");
        assert_eq!(taken, 100);
    }

    #[tokio::test]
    async fn an_upload_that_breaks_off_is_an_error_for_the_reader() {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let reading = spawn_blocking(|| io::read_to_string(ChunkReader::new(receiver)));
        sender.send(Bytes::from_static(b"{}")).await.unwrap();
        drop(sender);
        assert_eq!(
            reading.await.unwrap().unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[tokio::test]
    async fn a_reader_that_panics_fails_its_request_and_leaves_the_next_one_alone() {
        let readers = one_reader();
        let failed = read_on_thread(chunks(&["{}"]), &readers, |_| panic!("on purpose"));
        let problem: Result<(), _> = failed.await;
        assert!(format!("{:?}", problem.unwrap_err()).contains("500"));
        let next = read_on_thread(chunks(&["{}"]), &readers, io::read_to_string);
        assert_eq!(next.await.unwrap().unwrap(), "{}");
    }
}
