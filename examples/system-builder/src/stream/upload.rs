//! From a request body to a model.

use super::{
    declared::{declared_length, media_type},
    hashed::Hashed,
    head::{HeadTooLong, Heads},
    spool::Spool,
};
use crate::{
    Pace,
    budget::{Budget, Share},
    problem::Problem,
    store::{Room, System},
};
use axum::{
    RequestExt,
    body::Bytes,
    extract::{FromRequest, Multipart, Request},
    http::StatusCode,
};
use bytesize::ByteSize;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body_util::LengthLimitError;
use std::{error::Error, io::Write, pin::pin, sync::Arc, thread::available_parallelism};
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use tower_http::timeout::TimeoutError;
use tower_memory::heap::CurrentRequest;

/// The form field that carries the file.
const FIELD: &str = "file";

/// Reads uploaded systems, no larger than a limit, while there is room.
///
/// An upload is held, and counted, until it is whole: a client that sends slowly keeps no reader.
#[derive(Debug)]
pub(crate) struct Uploads {
    limit: ByteSize,
    pace: Pace,
    budget: Arc<Budget>,
    /// One for each core.
    readers: Semaphore,
    room: Arc<Room>,
}

impl Uploads {
    pub(crate) fn new(limit: ByteSize, pace: Pace, budget: Arc<Budget>, room: Room) -> Self {
        let cores = available_parallelism().map_or(1, Into::into);
        Self {
            limit,
            pace,
            budget,
            readers: Semaphore::new(cores),
            room: Arc::new(room),
        }
    }

    /// Reads the systems of a file in the body of `request`: a JSON document, or a form with one.
    ///
    /// A body that is refused is taken to its end all the same, unless it is too large: most
    /// clients get to the answer only after they have sent their request.
    pub(crate) async fn read(&self, request: Request) -> Result<Vec<System>, Problem> {
        if declared_length(request.headers()).is_some_and(|length| length > self.limit.as_u64()) {
            return Err(self.too_large());
        }
        match media_type(request.headers()).as_str() {
            "application/json" => {
                let body = request.into_limited_body();
                let file = self.hold(body.into_data_stream()).await?;
                self.build(file).await
            }
            "multipart/form-data" => {
                let heads = Heads::default();
                // The limit first: what counts the heads hides it.
                let (parts, body) = request.with_limited_body().into_parts();
                let request = Request::from_parts(parts, heads.limit(body));
                let form = Multipart::from_request(request, &())
                    .await
                    .map_err(|error| {
                        Problem::new(StatusCode::BAD_REQUEST, format!("{}.", error.body_text()))
                    })?;
                self.read_form(form, &heads).await
            }
            other => {
                self.drain(request).await?;
                Err(unsupported(other))
            }
        }
    }

    async fn read_form(&self, mut form: Multipart, heads: &Heads) -> Result<Vec<System>, Problem> {
        let mut file = None;
        while let Some(field) = form
            .next_field()
            .await
            .map_err(|error| self.interrupted(&error))?
        {
            let is_file = field.name() == Some(FIELD);
            let field = field.inspect(|_| heads.passed());
            heads.passed();
            match (is_file, &file) {
                (true, None) => file = Some(self.hold(field).await?),
                (true, Some(_)) => {
                    return Err(Problem::new(
                        StatusCode::BAD_REQUEST,
                        format!(
                            "The form has more than one field `{FIELD}`: send one file at a time."
                        ),
                    ));
                }
                (false, _) => {
                    let end = pin!(field).try_for_each(async |_| Ok(())).await;
                    end.map_err(|error| self.interrupted(&error))?;
                }
            }
            heads.passed();
        }
        let file = file.ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!(
                    "The form has no field `{FIELD}`: send the system in a field of that name."
                ),
            )
        })?;
        self.build(file).await
    }

    /// Holds a file until it is whole.
    async fn hold<E: Error + 'static>(
        &self,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<Spool, Problem> {
        let most = usize::try_from(self.limit.as_u64()).unwrap_or(usize::MAX);
        let mut file = Spool::new(self.budget.share(), most);
        let mut chunks = pin!(chunks);
        let (mut since, mut passed) = (Instant::now(), 0);
        loop {
            let next = timeout_at(since + self.pace.silence, chunks.next()).await;
            let Some(chunk) = next.map_err(|_| Self::stalled())? else {
                return Ok(file);
            };
            let chunk = chunk.map_err(|error| self.interrupted(&error))?;
            if file.write_all(&chunk).is_err() {
                let refusal = file.share().refusal("The upload");
                return Err(refusal.unwrap_or_else(|| self.too_large()));
            }
            passed += chunk.len() as u64;
            if passed >= self.pace.least() {
                (since, passed) = (Instant::now(), 0);
            }
        }
    }

    /// Reads a file that is whole, when its turn comes.
    async fn build(&self, file: Spool) -> Result<Vec<System>, Problem> {
        // (The semaphore never closes.)
        let _turn = self.readers.acquire().await;
        let room = Arc::clone(&self.room);
        let reading = spawn_blocking(CurrentRequest::carry_fn(move || {
            let share = Arc::clone(file.share());
            let mut file = Hashed::new(file);
            let models = efootprint::read_within(&mut file, room_in(&share));
            let models = models.map_err(|error| {
                let refusal = share.refusal("The system");
                refusal.unwrap_or_else(|| error.into())
            })?;
            let systems = models.into_iter().zip(file.contents());
            let systems = systems.map(|(model, content)| Arc::clone(&room).admit(model, content));
            systems.collect()
        }));
        reading.await.unwrap_or_else(|error| {
            tracing::error!(%error, "reading an upload failed");
            Err(Problem::internal())
        })
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
                return Self::stalled();
            }
            if let Some(error) = cause.downcast_ref::<HeadTooLong>() {
                return Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    format!("The form can't be read: {error}."),
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

    fn stalled() -> Problem {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The upload stalled or took too long: send the file again.",
        )
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

/// Takes what is built of a file from its share.
fn room_in(share: &Arc<Share>) -> impl FnMut(usize) -> bool + use<> {
    let share = Arc::clone(share);
    move |bytes| share.take(bytes)
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
