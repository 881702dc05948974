//! From a request body to a model.

use super::feed::read_on_thread;
use crate::{
    problem::Problem,
    store::{Content, Room, System},
};
use axum::{
    RequestExt,
    body::Bytes,
    extract::{FromRequest, Multipart, Request},
    http::{HeaderMap, StatusCode, header},
};
use bytesize::ByteSize;
use futures_util::{Stream, TryStreamExt};
use http_body_util::LengthLimitError;
use sha2::{Digest, Sha256};
use std::{
    error::Error,
    io::{self, Read},
    sync::Arc,
};
use tokio::sync::Semaphore;
use tower_http::timeout::TimeoutError;

/// Input whose bytes are hashed as they are read.
struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R> Hashed<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            hash: Sha256::new(),
        }
    }

    fn content(self) -> Content {
        self.hash.finalize().into()
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.hash.update(&buffer[..length]);
        Ok(length)
    }
}

/// The form field that carries the file.
const FIELD: &str = "file";

/// Reads uploaded systems, so many at once and no larger than a limit, while there is room.
#[derive(Debug)]
pub(crate) struct Uploads {
    limit: ByteSize,
    readers: Arc<Semaphore>,
    room: Arc<Room>,
}

impl Uploads {
    pub(crate) fn new(limit: ByteSize, at_once: usize, room: Room) -> Self {
        Self {
            limit,
            readers: Arc::new(Semaphore::new(at_once)),
            room: Arc::new(room),
        }
    }

    /// Reads the systems in the body of `request`: a JSON document, or a form with a file. A
    /// workspace holds several, any other file one.
    ///
    /// A body that is refused is taken to its end all the same, unless it is too large: most
    /// clients get to the answer only after they have sent their request.
    pub(crate) async fn read(&self, request: Request) -> Result<Vec<System>, Problem> {
        if declared_length(request.headers()).is_some_and(|length| length > self.limit.as_u64()) {
            return Err(self.too_large());
        }
        match media_type(request.headers()).as_str() {
            "application/json" => {
                self.read_chunks(request.into_limited_body().into_data_stream())
                    .await
            }
            "multipart/form-data" => {
                let form = Multipart::from_request(request, &())
                    .await
                    .map_err(|error| {
                        Problem::new(StatusCode::BAD_REQUEST, format!("{}.", error.body_text()))
                    })?;
                self.read_form(form).await
            }
            other => {
                self.drain(request).await?;
                Err(unsupported(other))
            }
        }
    }

    async fn read_form(&self, mut form: Multipart) -> Result<Vec<System>, Problem> {
        let mut system = None;
        let mut files = 0;
        while let Some(field) = form
            .next_field()
            .await
            .map_err(|error| self.interrupted(&error))?
        {
            if field.name() == Some(FIELD) {
                files += 1;
                if system.is_none() {
                    system = Some(self.read_chunks(field).await);
                }
            }
        }
        if files > 1 {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!("The form has {files} fields `{FIELD}`: send one file at a time."),
            ));
        }
        system.unwrap_or_else(|| {
            Err(Problem::new(
                StatusCode::BAD_REQUEST,
                format!(
                    "The form has no field `{FIELD}`: send the system in a field of that name."
                ),
            ))
        })
    }

    async fn read_chunks<E: Error + 'static>(
        &self,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Vec<System>, Problem> {
        let chunks = chunks.map_err(|error| self.interrupted(&error));
        let room = Arc::clone(&self.room);
        // The model takes its room before its thread lets the next one read: the rest of a form
        // may keep it waiting for minutes.
        let read = move |input| {
            let mut input = Hashed::new(input);
            let models = efootprint::read_all(&mut input)?;
            let contents = contents(input.content());
            let systems = models.into_iter().zip(contents);
            let systems = systems.map(|(model, content)| Arc::clone(&room).admit(model, content));
            systems.collect()
        };
        read_on_thread(chunks, &self.readers, read).await?
    }

    async fn drain(&self, request: Request) -> Result<(), Problem> {
        let chunks = request.into_limited_body().into_data_stream();
        let end = chunks.try_for_each(async |_| Ok(())).await;
        end.map_err(|error| self.interrupted(&error))
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
                "The upload is larger than {}, the most that is read here: send a smaller system, \
                 or start the server with a higher `--body-limit`.",
                self.limit
            ),
        )
    }
}

/// What tells the systems of a file from those of others, and from each other.
fn contents(file: Content) -> impl Iterator<Item = Content> {
    (0_u8..).map(move |number| {
        let mut content = file;
        content[0] ^= number;
        content
    })
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

/// The media type without its parameters; empty where none is readable.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

fn unsupported(media_type: &str) -> Problem {
    let what = match media_type {
        "" => "A body without `Content-Type`".to_owned(),
        other => format!("Content type `{other}`"),
    };
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        format!(
            "{what} is not read here: send the system as `application/json`, \
             or in the field `{FIELD}` of a `multipart/form-data` form."
        ),
    )
}
