//! Shapes of requests to the routes of the site.
#![allow(dead_code)] // Each file of tests is a crate of its own and uses its part.

use crate::{
    bench::{Case, requests},
    client::{Batch, Mode},
};
use flate2::{Compression, write::GzEncoder};
use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Files of request bodies.
pub(crate) struct Bodies(TempDir);

impl Bodies {
    pub(crate) fn new() -> Self {
        let bodies = Self(TempDir::new().expect("a directory"));
        let json: Vec<_> = (0..200)
            .map(|id| serde_json::json!({ "id": id, "name": format!("name {id}"), "tags": ["a", "b"] }))
            .collect();
        bodies.write("json", &serde_json::to_vec(&json).expect("JSON"));
        bodies.write("form", b"a=1&b=2&name=some%20name&more=more");
        let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(text.as_bytes()).expect("memory");
        bodies.write("gzip", &gzip.finish().expect("memory"));
        let part = |name: &str| {
            format!(
                "--limit\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n{}\r\n",
                text
            )
        };
        let parts = format!("{}{}--limit--\r\n", part("first"), part("second"));
        bodies.write("multipart", parts.as_bytes());
        bodies
    }

    fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).expect("room");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn size(file: &Path) -> usize {
    std::fs::metadata(file).expect("a file").len() as usize
}

impl Case {
    /// Requests of a path that keep nothing, over a few kept connections.
    pub(crate) fn get(address: SocketAddr, route: &'static str) -> Self {
        Self {
            route,
            keeps: 0,
            slack: 0,
            batch: Batch {
                path: route.to_owned(),
                count: requests(120),
                connections: 4,
                ..Batch::get(address)
            },
        }
    }

    pub(crate) fn post(address: SocketAddr, route: &'static str, body: usize) -> Self {
        let mut case = Self::get(address, route);
        case.batch.method = "POST".to_owned();
        case.batch.body = body;
        case
    }

    /// A body from a file, with a header that declares its type.
    pub(crate) fn upload(
        address: SocketAddr,
        route: &'static str,
        bodies: &Bodies,
        file: &str,
        header: (&str, &str),
    ) -> Self {
        let file = bodies.path(file);
        let mut case = Self::post(address, route, size(&file)).with(header.0, header.1);
        case.batch.file = Some(file);
        case
    }

    pub(crate) fn keeps(mut self, bytes: u64) -> Self {
        self.keeps = bytes;
        self
    }

    pub(crate) fn slack(mut self, bytes: u64) -> Self {
        self.slack = bytes;
        self
    }

    pub(crate) fn path(mut self, path: &str) -> Self {
        self.batch.path = path.to_owned();
        self
    }

    pub(crate) fn method(mut self, method: &str) -> Self {
        self.batch.method = method.to_owned();
        self
    }

    pub(crate) fn count(mut self, count: usize) -> Self {
        self.batch.count = count;
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.batch.with.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn headers(mut self, headers: usize) -> Self {
        self.batch.headers = headers;
        self
    }

    pub(crate) fn chunked(mut self) -> Self {
        self.batch.chunked = true;
        self
    }

    /// Uses connections in another way; HTTP/2 with several streams at once.
    pub(crate) fn over(mut self, mode: Mode, connections: usize) -> Self {
        self.batch.mode = mode;
        self.batch.connections = connections;
        self.batch.streams = 16;
        self
    }
}

/// Ways to use connections.
pub(crate) const MODES: [Mode; 5] = [
    Mode::Kept,
    Mode::Close,
    Mode::Churn,
    Mode::Pipelined,
    Mode::Http2,
];

/// Every route of the site, with the requests it needs.
pub(crate) fn of_each_route(at: SocketAddr, bodies: &Bodies) -> Vec<Case> {
    let json = ("content-type", "application/json");
    let form = ("content-type", "application/x-www-form-urlencoded");
    let parts = ("content-type", "multipart/form-data; boundary=limit");
    let gzip = ("content-encoding", "gzip");
    let large = requests(120).div_ceil(20).min(200);
    let compressed = |route, encoding| {
        Case::get(at, route)
            .with("accept-encoding", encoding)
            .count(requests(120).div_ceil(3).min(2_000))
    };
    vec![
        Case::get(at, "/nothing"),
        Case::get(at, "/keeps/64").keeps(64),
        Case::get(at, "/keeps/4096").keeps(4096),
        Case::get(at, "/text"),
        Case::get(at, "/large").count(large),
        Case::get(at, "/204"),
        Case::get(at, "/304"),
        Case::get(at, "/text").method("HEAD"),
        Case::get(at, "/extract/{id}/{name}").path("/extract/7/some%20name?a=1&b=2&c=%20"),
        Case::get(at, "/nested/more/{id}").path("/nested/more/7"),
        Case::get(at, "unmatched").path("/no/such/path"),
        Case::get(at, "/nothing").headers(60),
        Case::get(at, "/nothing").path(&format!("/nothing?{}", "long".repeat(1500))),
        Case::post(at, "/nothing", 100),
        Case::post(at, "/nothing", 100).chunked(),
        Case::post(at, "/bytes", 100),
        Case::post(at, "/bytes", 18 << 10),
        Case::post(at, "/bytes", 18 << 10).chunked(),
        Case::post(at, "/bytes", 5 << 20).count(large),
        Case::post(at, "/string", 5 << 20).chunked().count(large),
        Case::post(at, "/frames", 18 << 10),
        Case::post(at, "/frames", 5 << 20).count(large),
        Case::post(at, "/stack", 18 << 10),
        Case::get(at, "/stream").count(large),
        Case::get(at, "/sse").count(requests(120).div_ceil(3).min(2_000)),
        Case::get(at, "/ndjson").count(large),
        Case::get(at, "/file").count(large),
        Case::upload(at, "/json", bodies, "json", json),
        Case::upload(at, "/form", bodies, "form", form),
        Case::upload(at, "/multipart/memory", bodies, "multipart", parts).count(large),
        Case::upload(at, "/multipart/file", bodies, "multipart", parts).count(large),
        Case::upload(at, "/inner/up", bodies, "gzip", gzip)
            .count(requests(120).div_ceil(3).min(2_000)),
        Case::upload(at, "/outer/up", bodies, "gzip", gzip)
            .count(requests(120).div_ceil(3).min(2_000)),
        compressed("/inner/text", "gzip"),
        compressed("/inner/text", "zstd"),
        compressed("/outer/text", "gzip"),
        compressed("/outer/text", "zstd"),
    ]
}
