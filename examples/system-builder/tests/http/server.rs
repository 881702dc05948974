//! A served application and the requests that tests send to it.

// The lint knows test functions only, and these are theirs.
#![allow(clippy::unwrap_used)]

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use clap::Parser;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::{io, net::SocketAddr, time::Duration};
use system_builder::Config;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::oneshot,
    task::JoinHandle,
    time,
};
use tower::ServiceExt;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    app: Router,
    client: Client<HttpConnector, Body>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with_flags(&[]).await
    }

    pub(crate) async fn with_flags(flags: &[&str]) -> Self {
        let config = Config::parse_from([&["system-builder"], flags].concat());
        let app = system_builder::app(&config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { stopped.await.unwrap() };
        let served = app.clone();
        let serving = tokio::spawn(async move {
            system_builder::serve(listener, served, &config, shutdown).await
        });
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        Self {
            address,
            app,
            client,
            stop,
            serving,
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self
            .client
            .request(request.body(body.into()).unwrap())
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Body::empty()).await
    }

    /// The body of an answer that a client doesn't read, short of the buffers of a connection.
    pub(crate) async fn unread(&self, path: &str) -> Body {
        let request = Request::get(path).header("host", "localhost");
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    }

    pub(crate) async fn post_json(&self, body: impl Into<Body>) -> Answer {
        self.send(
            "POST",
            "/api/systems",
            &[("content-type", "application/json")],
            body,
        )
        .await
    }

    pub(crate) async fn post_form(&self, form: impl Into<Body>) -> Answer {
        let content_type = "multipart/form-data; boundary=edge";
        self.send(
            "POST",
            "/api/systems",
            &[("content-type", content_type)],
            form,
        )
        .await
    }

    /// Begins an upload by hand, and returns once the server asks for its body.
    pub(crate) async fn begin_upload(&self, length: usize) -> TcpStream {
        let mut stream = self
            .begin_request(&format!("content-length: {length}\r\nexpect: 100-continue"))
            .await;
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut go_on).await.unwrap();
        assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    }

    /// Sends the head of an upload by hand, with these headers beside the usual ones.
    pub(crate) async fn begin_request(&self, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /api/systems HTTP/1.1\r\nhost: {}\r\n\
             content-type: application/json\r\n{headers}\r\n\r\n",
            self.address,
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// Tells the server to stop.
    pub(crate) fn stop(self) -> Stopping {
        self.stop.send(()).unwrap();
        Stopping {
            app: self.app,
            serving: self.serving,
        }
    }
}

/// A server that finishes what it has begun.
pub(crate) struct Stopping {
    app: Router,
    pub(crate) serving: JoinHandle<io::Result<()>>,
}

impl Stopping {
    /// Waits until no request runs any more, and tells which systems are stored.
    pub(crate) async fn stored(self) -> Value {
        self.serving.await.unwrap().unwrap();
        let request = Request::get("/api/systems").header("host", "localhost");
        let request = request.body(Body::empty()).unwrap();
        let response = self.app.oneshot(request).await.unwrap();
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

/// A small system of one object.
pub(crate) fn system(name: &str) -> Value {
    json!({
        "efootprint_version": "27.0.0",
        "System": {"system-1": {
            "id": "system-1",
            "name": name,
            "usage_patterns": [],
            "edge_usage_patterns": [],
        }},
    })
}

/// A system with so many devices, which nobody uses.
pub(crate) fn system_with_devices(count: usize) -> Value {
    let mut system = system("many devices");
    for number in 0..count {
        let id = format!("device-{number}");
        system["Device"][&id] = device(&id, "watt");
    }
    system
}

/// A system whose device has a power in this unit.
pub(crate) fn system_with_power_in(unit: &str) -> Value {
    let mut system = system("one device");
    system["Device"]["device-1"] = device("device-1", unit);
    system
}

fn device(id: &str, power_unit: &str) -> Value {
    let quantity =
        |value: f64, unit: &str| json!({"value": value, "unit": unit, "label": "from a test"});
    json!({
        "id": id,
        "name": format!("The {id}"),
        "carbon_footprint_manufacturing": quantity(30.0, "kilogram"),
        "power": quantity(1.5, power_unit),
        "lifespan": quantity(3.0, "year"),
        "fraction_of_usage_time": quantity(3.6, "hour / day"),
    })
}

/// A form with one field, as `post_form` sends it.
pub(crate) fn form(field: &str, content: &Value) -> String {
    format!(
        "--edge\r\ncontent-disposition: form-data; name=\"{field}\"; filename=\"system.json\"\r\n\r\n\
         {content}\r\n--edge--\r\n"
    )
}

/// Does the work while the paused clock runs on.
pub(crate) async fn while_time_passes<T>(work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        select! {
            done = &mut work => return done,
            () = time::advance(Duration::from_secs(1)) => {}
        }
    }
}

/// What is read from a connection until it ends or breaks.
pub(crate) async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = Vec::new();
    // A reset may follow an answer that came whole.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
