//! Clients that keep to nothing, against the real binary.

#[path = "../binary/mod.rs"]
mod binary;
mod cgroup;
mod connections;
mod memory;
mod stopping;

// The lint knows test functions only, and these are theirs.
#[allow(clippy::unwrap_used)]
mod client {
    use std::{io, net::SocketAddr, time::Duration};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpSocket, TcpStream},
        time::timeout,
    };

    /// A test that waits longer has failed.
    const DEADLINE: Duration = Duration::from_secs(120);

    pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
        timeout(DEADLINE, work).await.expect("it takes for ever")
    }

    pub(crate) async fn connect(server: SocketAddr, text: &str) -> TcpStream {
        connect_from([127, 0, 0, 1], server, text).await
    }

    /// A connection from one of the addresses that this machine has, over which this was sent.
    pub(crate) async fn connect_from(
        address: [u8; 4],
        server: SocketAddr,
        text: &str,
    ) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((address, 0).into()).unwrap();
        let mut stream = in_time(socket.connect(server)).await.unwrap();
        // What was closed at once takes nothing.
        let _ = stream.write_all(text.as_bytes()).await;
        stream
    }

    /// All that comes until the connection ends, however it does.
    pub(crate) async fn rest(stream: &mut TcpStream) -> String {
        let mut rest = Vec::new();
        let _ = in_time(stream.read_to_end(&mut rest)).await;
        String::from_utf8_lossy(&rest).into_owned()
    }

    pub(crate) fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    }

    pub(crate) fn post(body: &str) -> String {
        format!("{}{body}", post_head(body.len()))
    }

    pub(crate) fn post_head(length: usize) -> String {
        format!(
            "POST /api/systems HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
    }

    /// An upload whose body is asked for: the server is at work on it.
    pub(crate) async fn begin_upload(server: SocketAddr) -> TcpStream {
        let head = post_head(1000).replace("\r\n\r\n", "\r\nexpect: 100-continue\r\n\r\n");
        let mut stream = connect(server, &head).await;
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        in_time(stream.read_exact(&mut go_on)).await.unwrap();
        stream
    }

    pub(crate) async fn ask(server: SocketAddr, request: &str) -> String {
        rest(&mut connect(server, request).await).await
    }

    pub(crate) fn is_open(stream: &TcpStream) -> bool {
        let read = stream.try_read(&mut [0; 1]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// A system of one object.
    pub(crate) const SMALL: &str = r#"{"efootprint_version": "27.0.0", "System": {"s": {"id": "s",
        "name": "small", "usage_patterns": [], "edge_usage_patterns": []}}}"#;

    /// A system whose text has so many bytes, and some more.
    pub(crate) fn large(bytes: usize) -> String {
        SMALL.replace("small", &"long ".repeat(bytes / 5))
    }

    pub(crate) fn location(answer: &str) -> &str {
        let (_, rest) = answer.split_once("location: ").expect(answer);
        rest.lines().next().unwrap()
    }
}
