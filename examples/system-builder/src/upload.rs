//! From a request body to a model, without holding the body.
//!
//! Reading is synchronous and takes a blocking thread. The body's chunks go to it through a short queue, so that a
//! client is slowed down to the speed of the reader and no more than the queue is held of the file.

use crate::{
    model::{self, Model},
    problem::Problem,
};
use axum::{
    RequestExt,
    body::Bytes,
    extract::{FromRequest, Multipart, Request},
    http::{HeaderMap, StatusCode, header},
};
use bytesize::ByteSize;
use futures_util::{Stream, StreamExt};
use http_body_util::LengthLimitError;
use std::{
    error::Error,
    io::{self, Read},
    pin::pin,
    sync::Arc,
};
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
};
use tower_http::timeout::TimeoutError;

/// Chunks waiting for the reader. hyper's are at most a few hundred KiB.
const QUEUE: usize = 4;

/// The form field that carries the file.
const FIELD: &str = "file";

/// Reads uploaded systems, so many at once and no larger than a limit.
#[derive(Debug)]
pub(crate) struct Uploads {
    limit: ByteSize,
    readers: Arc<Semaphore>,
}

impl Uploads {
    pub(crate) fn new(limit: ByteSize, at_once: usize) -> Self {
        Self {
            limit,
            readers: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Reads the system in the body of `request`: a JSON document, or a form with a file.
    pub(crate) async fn read(&self, request: Request) -> Result<Model, Problem> {
        let encoding = Encoding::of(request.headers())?;
        if declared_length(request.headers()).is_some_and(|length| length > self.limit.as_u64()) {
            return Err(self.too_large());
        }
        match encoding {
            Encoding::Json => {
                self.feed(request.into_limited_body().into_data_stream())
                    .await
            }
            Encoding::Form => {
                let mut form = Multipart::from_request(request, &())
                    .await
                    .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
                self.read_form(&mut form).await
            }
        }
    }

    async fn read_form(&self, form: &mut Multipart) -> Result<Model, Problem> {
        while let Some(field) = form
            .next_field()
            .await
            .map_err(|error| self.interrupted(&error))?
        {
            if field.name() == Some(FIELD) {
                let model = self.feed(field).await?;
                // A form that breaks off after its file is no whole upload either.
                while form
                    .next_field()
                    .await
                    .map_err(|error| self.interrupted(&error))?
                    .is_some()
                {}
                return Ok(model);
            }
        }
        Err(Problem::new(
            StatusCode::BAD_REQUEST,
            format!("The form has no field `{FIELD}`: send the system in a field of that name."),
        ))
    }

    async fn feed<E>(&self, chunks: impl Stream<Item = Result<Bytes, E>>) -> Result<Model, Problem>
    where
        E: Error + 'static,
    {
        let chunks = chunks.map(|chunk| chunk.map_err(|error| self.interrupted(&error)));
        Ok(read_on_thread(chunks, &self.readers, model::read).await??)
    }

    /// The problem behind a body that could not be read to its end.
    fn interrupted(&self, error: &(dyn Error + 'static)) -> Problem {
        let mut cause = error;
        loop {
            if cause.is::<LengthLimitError>() {
                return self.too_large();
            }
            if cause.is::<TimeoutError>() {
                return Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "The upload stalled or took too long: send the file again.",
                );
            }
            let Some(source) = cause.source() else {
                return Problem::new(
                    StatusCode::BAD_REQUEST,
                    format!("The upload could not be read: {cause}."),
                );
            };
            cause = source;
        }
    }

    fn too_large(&self) -> Problem {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "The upload is larger than {}, the most that is read here: send a smaller system, or start the server with a higher `--body-limit`.",
                self.limit
            ),
        )
    }
}

/// How a request carries the system.
enum Encoding {
    Json,
    Form,
}

impl Encoding {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .map_or("", |value| value.to_str().unwrap_or("unreadable"));
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Ok(Self::Json),
            "multipart/form-data" => Ok(Self::Form),
            "" => Err(unsupported("A request without `Content-Type`")),
            other => Err(unsupported(&format!("Content type `{other}`"))),
        }
    }
}

/// From the header, as the body's size hint doesn't come through the layers around it.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn unsupported(what: &str) -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!(
            "{what} is not read here: send the system as `application/json`, or as the field `{FIELD}` of a `multipart/form-data` form."
        ),
    )
}

/// Runs `read` on a blocking thread, over the bytes of `chunks`.
///
/// The first error of `chunks` ends it. A `read` that returns early does not: the rest is taken and thrown away, since
/// a client gets to the answer only after it has sent its request.
async fn read_on_thread<T: Send + 'static>(
    chunks: impl Stream<Item = Result<Bytes, Problem>>,
    readers: &Arc<Semaphore>,
    read: impl FnOnce(ChunkReader) -> T + Send + 'static,
) -> Result<T, Problem> {
    // The semaphore is never closed. The permit goes with the thread, which may outlive the request.
    let permit = Arc::clone(readers).acquire_owned().await.ok();
    let (sender, chunks_left) = mpsc::channel(QUEUE);
    let reading = spawn_blocking(move || {
        let _permit = permit;
        read(ChunkReader {
            chunks_left,
            chunk: Bytes::new(),
            ended: false,
        })
    });

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

/// The blocking end of an upload.
struct ChunkReader {
    /// An empty chunk is the end. A queue that closes without one belongs to a client that is gone.
    chunks_left: mpsc::Receiver<Bytes>,
    chunk: Bytes,
    ended: bool,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && !self.ended {
            self.chunk = self
                .chunks_left
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
        let (sender, chunks_left) = mpsc::channel(QUEUE);
        let reading = spawn_blocking(|| {
            io::read_to_string(ChunkReader {
                chunks_left,
                chunk: Bytes::new(),
                ended: false,
            })
        });
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
