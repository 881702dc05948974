//! The client with which other tests measure servers: the server gets exactly the bytes it sends, over sockets of
//! its own process.

#[path = "support/client.rs"]
mod client;

use self::client::{Batch, Client, Mode, Reading};
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{Method, StatusCode, Version, header};
use http_body_util::{BodyExt, channel::Channel};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::Semaphore};

/// A request as received.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    peer: SocketAddr,
    version: Version,
    method: Method,
    uri: usize,
    headers: usize,
    declares: bool,
    closes: bool,
    body: usize,
}

struct Server {
    seen: Mutex<Vec<Seen>>,
    /// A permit for each client that has left.
    left: Semaphore,
}

/// Tells the server when it is dropped.
struct Leaving(Arc<Server>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.left.add_permits(1);
    }
}

const LARGE: usize = 300_000;

async fn start() -> (Arc<Server>, SocketAddr) {
    let server = Arc::new(Server {
        seen: Mutex::default(),
        left: Semaphore::new(0),
    });
    let router = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&server));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("bound");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    (server, address)
}

async fn answer(
    State(server): State<Arc<Server>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let names = head.headers.keys().map(|name| name.as_str());
    server.seen.lock().expect("not poisoned").push(Seen {
        peer,
        version: head.version,
        method: head.method,
        uri: head
            .uri
            .path_and_query()
            .map_or(0, |path| path.as_str().len()),
        headers: names.filter(|name| name.starts_with("x-header")).count(),
        declares: head.headers.contains_key(header::CONTENT_LENGTH),
        closes: head.headers.contains_key(header::CONNECTION),
        body: body.len(),
    });
    match head.uri.path() {
        "/large" => "x".repeat(LARGE).into_response(),
        "/chunked" => stream(LARGE / 1000, None).into_response(),
        "/endless" => stream(usize::MAX, Some(Leaving(server))).into_response(),
        "/waits" => {
            let _leaving = Leaving(server);
            std::future::pending().await
        }
        "/closes" => [(header::CONNECTION, "close")].into_response(),
        "/empty" => StatusCode::NO_CONTENT.into_response(),
        "/missing" => StatusCode::NOT_FOUND.into_response(),
        _ => "hello".into_response(),
    }
}

/// This many pieces of 1,000 bytes.
fn stream(pieces: usize, leaving: Option<Leaving>) -> Body {
    let (mut sender, body) = Channel::<Bytes>::new(1);
    tokio::spawn(async move {
        for _ in 0..pieces {
            if sender
                .send_data(Bytes::from_static(&[b'x'; 1000]))
                .await
                .is_err()
            {
                break;
            }
        }
        drop(leaving);
    });
    Body::new(body)
}

impl Server {
    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().expect("not poisoned"))
    }

    /// Waits until this many clients have left.
    async fn leave(&self, clients: u32) {
        let left = self.left.acquire_many(clients).await;
        left.expect("not closed").forget();
    }
}

fn peers(seen: &[Seen]) -> usize {
    let peers: BTreeSet<_> = seen.iter().map(|seen| seen.peer).collect();
    peers.len()
}

#[tokio::test]
async fn each_mode_uses_connections_as_it_says() {
    let (server, address) = start().await;
    let mut client = Client::start();
    for (mode, connections) in [
        (Mode::Kept, 3),
        (Mode::Pipelined, 3),
        (Mode::Http2, 3),
        (Mode::Close, 100),
        (Mode::Churn, 100),
    ] {
        let answer = client
            .succeed(&Batch {
                count: 100,
                connections: 3,
                streams: 7,
                mode,
                ..Batch::get(address)
            })
            .await;
        assert_eq!((answer.responses, answer.bytes), (100, 500), "{mode:?}");
        let seen = server.take();
        assert_eq!((seen.len(), peers(&seen)), (100, connections), "{mode:?}");
        let version = match mode {
            Mode::Http2 => Version::HTTP_2,
            _ => Version::HTTP_11,
        };
        assert!(seen.iter().all(|seen| seen.version == version), "{mode:?}");
        let closes = mode == Mode::Close;
        assert!(seen.iter().all(|seen| seen.closes == closes), "{mode:?}");
    }
}

#[tokio::test]
async fn requests_come_with_the_headers_bodies_and_paths_that_were_asked_for() {
    let (server, address) = start().await;
    let mut client = Client::start();
    let path = format!("/{}", "long/".repeat(800));
    for mode in [Mode::Kept, Mode::Pipelined, Mode::Http2] {
        for (body, chunked) in [
            (0, false),
            (100, false),
            (18_000, false),
            (5 << 20, false),
            (100, true),
            (18_000, true),
            (5 << 20, true),
        ] {
            let batch = Batch {
                method: "POST".to_owned(),
                path: path.clone(),
                count: 2,
                headers: body.min(60),
                body,
                chunked,
                mode,
                ..Batch::get(address)
            };
            client.succeed(&batch).await;
            let seen = server.take();
            assert_eq!(seen.len(), 2);
            for seen in seen {
                let found = (seen.method, seen.uri, seen.headers, seen.body);
                let expected = (Method::POST, path.len(), body.min(60), body);
                assert_eq!(found, expected, "{mode:?}");
                // hyper's client declares that there is no body.
                if body > 0 {
                    assert_eq!(seen.declares, !chunked, "{mode:?}, {body}");
                }
            }
        }
    }
}

#[tokio::test]
async fn responses_of_each_kind_are_read_to_their_end() {
    let (_server, address) = start().await;
    let mut client = Client::start();
    for mode in [Mode::Kept, Mode::Pipelined, Mode::Close, Mode::Http2] {
        for (method, path, bytes, ok) in [
            ("GET", "/large", LARGE, true),
            ("GET", "/chunked", LARGE, true),
            ("HEAD", "/large", 0, true),
            ("GET", "/empty", 0, true),
            ("GET", "/missing", 0, false),
        ] {
            for reading in [Reading::All, Reading::Slow] {
                let batch = Batch {
                    method: method.to_owned(),
                    path: path.to_owned(),
                    count: 2,
                    mode,
                    reading,
                    ..Batch::get(address)
                };
                let answer = client.run(&batch).await;
                let found = (answer.responses, answer.ok, answer.bytes, answer.failed);
                let expected = (2, 2 * u64::from(ok), 2 * bytes as u64, 0);
                assert_eq!(found, expected, "{batch:?}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_closes_gets_a_new_connection() {
    let (server, address) = start().await;
    let mut client = Client::start();
    let batch = Batch {
        path: "/closes".to_owned(),
        count: 5,
        ..Batch::get(address)
    };
    client.succeed(&batch).await;
    assert_eq!(peers(&server.take()), 5);
}

#[tokio::test]
async fn who_leaves_early_is_gone_and_who_is_held_is_not_until_it_is_closed() {
    let (server, address) = start().await;
    let mut client = Client::start();
    for mode in [Mode::Kept, Mode::Http2] {
        for (path, reading) in [("/endless", Reading::Head), ("/waits", Reading::Nothing)] {
            let batch = Batch {
                path: path.to_owned(),
                mode,
                reading,
                ..Batch::get(address)
            };
            assert_eq!(client.run(&batch).await.responses, 1);
            // The server's side is dropped.
            server.leave(1).await;
        }
        let batch = Batch {
            path: "/endless".to_owned(),
            count: 4,
            connections: 2,
            mode,
            reading: Reading::Head,
            hold: true,
            ..Batch::get(address)
        };
        server.take();
        client.succeed(&batch).await;
        assert_eq!(peers(&server.take()), 4);
        // Others go on meanwhile.
        client.succeed(&Batch::get(address)).await;
        assert_eq!(server.left.available_permits(), 0);
        client.close().await;
        server.leave(4).await;
    }
}

#[tokio::test]
async fn what_fails_is_counted_with_a_reason() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let mut client = Client::start();
    for mode in [Mode::Kept, Mode::Churn, Mode::Http2] {
        let batch = Batch {
            count: 10,
            connections: 2,
            mode,
            ..Batch::get(address)
        };
        let answer = client.run(&batch).await;
        assert_eq!((answer.responses, answer.failed), (0, 10), "{mode:?}");
        let failure = answer.failure.expect("a reason");
        assert!(failure.starts_with("can't connect: "), "{failure}");
    }
}
