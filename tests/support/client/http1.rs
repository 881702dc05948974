//! HTTP/1.1 over a plain socket, with only as much of it as tests need.

use super::{Answer, Batch, Mode, PATIENCE, Reading, connections::Open};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time,
};

/// Requests that are sent before the response of the first is read.
const PIPELINED: u64 = 16;
const CHUNK: usize = 16 << 10;
/// Bytes that a slow reader takes at once.
const PIECE: usize = 4 << 10;

pub struct Connection {
    from: BufReader<OwnedReadHalf>,
    to: OwnedWriteHalf,
}

/// Sends this many requests over one connection, fewer if the server closes it. Returns the connection if it is still
/// open.
pub async fn serve(batch: &Batch, count: usize) -> (Answer, Option<Open>) {
    let mut connection = match Connection::open(batch).await {
        Ok(connection) => connection,
        Err(error) => {
            let failure = format!("can't connect: {error}");
            return (Answer::failed(count as u64, failure), None);
        }
    };
    let mut answer = Answer::default();
    let depth = match batch.mode {
        Mode::Pipelined => PIPELINED,
        _ => 1,
    };
    let mut left = count as u64;
    while left > 0 {
        let number = left.min(depth);
        let (more, ended) = connection.exchange(batch, number).await;
        left -= more.responses;
        answer.add(more);
        match ended {
            Ok(false) => {}
            Ok(true) => return (answer, None),
            Err(error) => {
                answer.add(Answer::failed(left, error));
                return (answer, None);
            }
        }
    }
    (answer, Some(Open::Http1(connection)))
}

impl Connection {
    async fn open(batch: &Batch) -> io::Result<Self> {
        let stream = TcpStream::connect(batch.address).await?;
        stream.set_nodelay(true)?;
        let (from, to) = stream.into_split();
        let from = match batch.reading {
            Reading::Slow => BufReader::with_capacity(PIECE, from),
            _ => BufReader::with_capacity(64 << 10, from),
        };
        Ok(Self { from, to })
    }

    /// Sends this many requests and reads their responses meanwhile, because neither side may wait for the other.
    /// Returns whether the server closes the connection.
    async fn exchange(&mut self, batch: &Batch, number: u64) -> (Answer, io::Result<bool>) {
        let mut answer = Answer::default();
        let Self { from, to } = self;
        let send = async {
            let request = request(batch);
            for _ in 0..number {
                // A server may answer and close without having read a body; its response tells.
                if to.write_all(&request).await.is_err() {
                    break;
                }
            }
        };
        if batch.reading == Reading::Nothing {
            send.await;
            time::sleep(PATIENCE).await;
            answer.responses = number;
            return (answer, Ok(true));
        }
        let read = async {
            for _ in 0..number {
                let response = response(from, batch).await?;
                answer.responses += 1;
                answer.ok += u64::from((200..300).contains(&response.status));
                answer.bytes += response.bytes;
                if response.closes {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        let ((), closes) = tokio::join!(send, read);
        (answer, closes)
    }
}

fn request(batch: &Batch) -> Vec<u8> {
    let Batch {
        method,
        path,
        address,
        body,
        ..
    } = batch;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\n");
    for (name, value) in headers(batch) {
        head += &format!("{name}: {value}\r\n");
    }
    if batch.mode == Mode::Close {
        head += "connection: close\r\n";
    }
    let mut request = match (body, batch.chunked) {
        (0, false) => return (head + "\r\n").into(),
        (_, false) => (head + &format!("content-length: {body}\r\n\r\n")).into_bytes(),
        (_, true) => (head + "transfer-encoding: chunked\r\n\r\n").into_bytes(),
    };
    let content = batch.content();
    if !batch.chunked {
        request.extend(content);
        return request;
    }
    for chunk in content.chunks(CHUNK) {
        request.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    request
}

/// Those that tests ask for.
pub fn headers(batch: &Batch) -> impl Iterator<Item = (String, String)> {
    let header = |number| {
        (
            format!("x-header-{number}"),
            format!("value-of-header-{number:08}"),
        )
    };
    (0..batch.headers)
        .map(header)
        .chain(batch.with.iter().cloned())
}

struct Response {
    status: u16,
    /// Of the body, as far as it was read.
    bytes: u64,
    /// The server closes the connection after it.
    closes: bool,
}

async fn response(from: &mut BufReader<OwnedReadHalf>, batch: &Batch) -> io::Result<Response> {
    let first = line(from).await?;
    let status = first
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no response: {first:?}")))?;
    let (mut length, mut is_chunked, mut closes) = (None, false, false);
    loop {
        let header = line(from).await?.to_ascii_lowercase();
        match header.split_once(':') {
            None => break,
            Some(("content-length", value)) => length = value.trim().parse().ok(),
            Some(("transfer-encoding", value)) => is_chunked = value.trim() == "chunked",
            Some(("connection", value)) => closes = value.trim() == "close",
            Some(_) => {}
        }
    }
    let is_empty = batch.method == "HEAD" || matches!(status, 204 | 304);
    let bytes = match (is_chunked, length) {
        _ if is_empty || batch.reading == Reading::Head => 0,
        (true, _) => chunks(from, batch).await?,
        (false, Some(length)) => skip(from, batch, length).await?,
        // Up to the end of the connection.
        (false, None) => skip(from, batch, u64::MAX).await?,
    };
    Ok(Response {
        status,
        bytes,
        closes,
    })
}

async fn line(from: &mut BufReader<OwnedReadHalf>) -> io::Result<String> {
    let mut line = String::new();
    match from.read_line(&mut line).await? {
        0 => Err(io::Error::other("the server closed the connection")),
        _ => Ok(line.trim_end().to_owned()),
    }
}

async fn chunks(from: &mut BufReader<OwnedReadHalf>, batch: &Batch) -> io::Result<u64> {
    let mut bytes = 0;
    loop {
        let size = line(from).await?;
        let size = u64::from_str_radix(&size, 16).map_err(io::Error::other)?;
        if size == 0 {
            // Trailers end with an empty line.
            while !line(from).await?.is_empty() {}
            return Ok(bytes);
        }
        bytes += skip(from, batch, size).await?;
        line(from).await?;
    }
}

/// Reads this many bytes, or all there are until the connection ends.
async fn skip(from: &mut BufReader<OwnedReadHalf>, batch: &Batch, length: u64) -> io::Result<u64> {
    let mut bytes = 0;
    while bytes < length {
        let read = from.fill_buf().await?.len();
        match read as u64 {
            0 if length == u64::MAX => break,
            0 => return Err(io::Error::other("the response ended too early")),
            read => {
                let read = read.min(length - bytes);
                from.consume(read as usize);
                bytes += read;
            }
        }
        if batch.reading == Reading::Slow {
            time::sleep(Duration::from_millis(1)).await;
        }
    }
    Ok(bytes)
}
