//! HTTP/2 with prior knowledge, by hyper's client.

use super::{Answer, Batch, PATIENCE, Reading, connections::Open, http1};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Either, Empty, Full, channel::Channel};
use hyper::{
    body::Incoming,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{convert::Infallible, time::Duration};
use tokio::{
    net::TcpStream,
    task::{JoinHandle, JoinSet},
    time,
};

const FRAME: usize = 16 << 10;

type Body = Either<Either<Empty<Bytes>, Full<Bytes>>, Channel<Bytes, Infallible>>;

pub struct Connection {
    sender: SendRequest<Body>,
    task: JoinHandle<hyper::Result<()>>,
    /// Responses that are not read.
    unread: Vec<Response<Incoming>>,
}

impl Connection {
    async fn open(batch: &Batch) -> Result<Self, String> {
        let stream = TcpStream::connect(batch.address).await;
        let stream = stream.map_err(|error| format!("can't connect: {error}"))?;
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| error.to_string())?;
        Ok(Self {
            sender,
            task: tokio::spawn(connection),
            unread: Vec::new(),
        })
    }

    /// Resets what is unread, and closes the connection.
    pub async fn close(self) {
        drop(self.unread);
        drop(self.sender);
        // Fails if the server was faster.
        let _ = self.task.await;
    }
}

/// Sends this many requests over one connection, several of them open at once.
pub async fn serve(batch: &Batch, count: usize) -> (Answer, Option<Open>) {
    let mut connection = match Connection::open(batch).await {
        Ok(connection) => connection,
        Err(error) => return (Answer::failed(count as u64, error), None),
    };
    let mut answer = Answer::default();
    let mut streams = JoinSet::new();
    let mut left = count;
    while left > 0 || !streams.is_empty() {
        if left > 0 && streams.len() < batch.streams.max(1) {
            left -= 1;
            streams.spawn(exchange(connection.sender.clone(), batch.clone()));
            continue;
        }
        if let Some(done) = streams.join_next().await {
            let (more, response) = done.expect("no panic");
            answer.add(more);
            connection.unread.extend(response);
        }
    }
    (answer, Some(Open::Http2(connection)))
}

/// One request. Returns its response if that is not to be read.
async fn exchange(
    mut sender: SendRequest<Body>,
    batch: Batch,
) -> (Answer, Option<Response<Incoming>>) {
    if let Err(error) = sender.ready().await {
        return (Answer::failed(1, error), None);
    }
    let sending = sender.send_request(request(&batch));
    let response = match batch.reading {
        Reading::Nothing => {
            // Dropping it resets the stream.
            let _ = time::timeout(PATIENCE, sending).await;
            let answer = Answer {
                responses: 1,
                ..Answer::default()
            };
            return (answer, None);
        }
        _ => sending.await,
    };
    let response = match response {
        Ok(response) => response,
        Err(error) => return (Answer::failed(1, error), None),
    };
    let mut answer = Answer {
        responses: 1,
        ok: u64::from(response.status().is_success()),
        ..Answer::default()
    };
    if batch.reading == Reading::Head {
        return (answer, batch.hold.then_some(response));
    }
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => answer.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Err(error) => return (Answer::failed(1, error), None),
        }
        if batch.reading == Reading::Slow {
            time::sleep(Duration::from_millis(1)).await;
        }
    }
    (answer, None)
}

fn request(batch: &Batch) -> Request<Body> {
    let mut request = Request::builder()
        .method(&*batch.method)
        .uri(format!("http://{}{}", batch.address, batch.path));
    for (name, value) in http1::headers(batch) {
        request = request.header(name, value);
    }
    request.body(body(batch)).expect("a valid request")
}

fn body(batch: &Batch) -> Body {
    let content = Bytes::from(batch.content());
    match (batch.body, batch.chunked) {
        (0, false) => Either::Left(Either::Left(Empty::new())),
        (_, false) => Either::Left(Either::Right(Full::new(content))),
        (_, true) => {
            let (mut sender, body) = Channel::new(1);
            tokio::spawn(async move {
                for start in (0..content.len()).step_by(FRAME) {
                    let end = content.len().min(start + FRAME);
                    // Fails if nobody reads it any more.
                    if sender.send_data(content.slice(start..end)).await.is_err() {
                        return;
                    }
                }
            });
            Either::Right(body)
        }
    }
}
