//! The file of requests.

use bytes::Bytes;
use http::{Method, Request};
use std::{fs, path::Path};

/// One kind of request.
pub(crate) struct Line {
    pub(crate) weight: u32,
    pub(crate) request: Request<Bytes>,
}

impl Line {
    pub(crate) fn get(path: &str) -> Result<Self, String> {
        Self::new(1, Method::GET, path, Bytes::new(), None)
    }

    fn new(
        weight: u32,
        method: Method,
        path: &str,
        body: Bytes,
        kind: Option<&str>,
    ) -> Result<Self, String> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let request = request.body(body);
        let request = request.map_err(|error| format!("`{path}` can't be requested: {error}"))?;
        Ok(Self { weight, request })
    }
}

/// All lines of a file. Bodies are files beside it.
pub(crate) fn read(file: &Path) -> Result<Vec<Line>, String> {
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let lines: Vec<_> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let parsed = parse(line, folder);
            parsed.map_err(|error| format!("{}, line {number}: {error}", file.display()))
        })
        .collect::<Result<_, _>>()?;
    match lines.iter().any(|line| line.weight > 0) {
        true => Ok(lines),
        false => Err(format!("{} has no requests", file.display())),
    }
}

fn parse(line: &str, folder: &Path) -> Result<Line, String> {
    let mut words = line.split_whitespace();
    let (Some(weight), Some(method), Some(path)) = (words.next(), words.next(), words.next())
    else {
        return Err(format!(
            "`{line}` is not a weight, a method and a path, such as `1 GET /`"
        ));
    };
    let weight = weight.parse();
    let weight =
        weight.map_err(|_| format!("`{line}` begins with no weight, such as `1 GET /`"))?;
    let method = method
        .parse()
        .map_err(|_| format!("`{method}` is no method"))?;
    let body = match words.next() {
        Some(body) => {
            let body = folder.join(body);
            let read = fs::read(&body);
            read.map_err(|error| format!("{} can't be read: {error}", body.display()))?
        }
        None => Vec::new(),
    };
    Line::new(weight, method, path, body.into(), words.next())
}
