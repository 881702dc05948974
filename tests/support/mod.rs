//! Shared by several of the test files: the reports of a layer, and a server to send requests
//! to over a real socket.
#![allow(dead_code, unreachable_pub)] // Each file is a crate of its own and uses its part.

pub mod lines;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, channel::Channel};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    convert::Infallible,
    fmt::Debug,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time,
};
use tower::{BoxError, Service, ServiceExt};
use tower_memory::{MemoryLayer, Report};

/// A body that the test sends piece by piece.
pub type Pieces = Channel<Bytes, BoxError>;

/// The reports of `layer`, as they come.
pub struct Reports(mpsc::UnboundedReceiver<Report>);

pub fn reports_of(layer: MemoryLayer) -> (MemoryLayer, Reports) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let layer = layer.on_report(move |report: &Report| {
        let _ = sender.send(report.clone());
    });
    (layer, Reports(receiver))
}

impl Reports {
    /// The next report, waited for.
    pub async fn next(&mut self) -> Report {
        within_reason(self.0.recv())
            .await
            .expect("nothing that could report is left")
    }

    /// The report that is already there, with no second one.
    pub fn now(&mut self) -> Report {
        let report = self.0.try_recv().expect("there is no report");
        assert!(self.none_yet(), "there is a second report");
        report
    }

    pub fn none_yet(&mut self) -> bool {
        self.0.is_empty()
    }

    /// The one report there ever was. Waits until the layer and everything it created is gone,
    /// so no second one can follow.
    pub async fn only(self) -> Report {
        let mut all = self.all().await;
        assert_eq!(all.len(), 1, "expected one report, got {all:#?}");
        all.remove(0)
    }

    /// All reports there ever were, waited for like [`only`](Self::only).
    pub async fn all(mut self) -> Vec<Report> {
        let mut all = Vec::new();
        while let Some(report) = within_reason(self.0.recv()).await {
            all.push(report);
        }
        all
    }
}

/// Fails a test that hangs.
pub async fn within_reason<F: Future>(future: F) -> F::Output {
    time::timeout(Duration::from_secs(20), future)
        .await
        .expect("it did not happen within 20 s")
}

/// The output of a future that never waits.
pub fn finish<F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Serves HTTP/1.1 and HTTP/2 until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server {
    pub async fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let service = TowerToHyperService::new(service.clone());
                connections.spawn(async move {
                    // The client sees what becomes of a connection.
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection_with_upgrades(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self {
            address,
            _tasks: tasks,
        }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("the server accepts")
    }

    pub async fn http1<B>(&self) -> http1::SendRequest<B>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        let io = TokioIo::new(self.connect().await);
        let (client, connection) = http1::handshake(io).await.expect("HTTP/1.1");
        tokio::spawn(connection.with_upgrades());
        client
    }

    pub async fn http2<B>(&self) -> http2::SendRequest<B>
    where
        B: Body<Data: Send, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let io = TokioIo::new(self.connect().await);
        let (client, connection) = http2::handshake(TokioExecutor::new(), io)
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        client
    }
}

pub fn get(uri: &str) -> Request<Full<Bytes>> {
    request("GET", uri)
}

pub fn request(method: &str, uri: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost")
        .body(Full::default())
        .expect("a valid request")
}

pub type Answer = Result<Response<Full<Bytes>>, Infallible>;

/// A handler of requests with any body.
pub async fn hello<B>(_: Request<B>) -> Answer {
    Ok(Response::new(Full::from("hello")))
}

/// The response to one request, read to its end.
pub async fn read<S, B>(service: S) -> Bytes
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Debug>,
    B: Body<Error: Debug>,
{
    let response = service.oneshot(get("/")).await.expect("it answers");
    let body = response.into_body().collect().await;
    body.expect("all of it").to_bytes()
}
