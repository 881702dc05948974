//! Problem documents, in the format that the client prefers.

use super::Problem;
use crate::page;
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use html_escape::encode_safe as escape;
use std::fmt::Write;

/// Marks a response that has the document of its problem as a body, because that is long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described;

/// Middleware that gives every error response its problem document: JSON, or a page where the
/// client prefers HTML.
///
/// Errors that axum answers by itself (no such path, a method that isn't allowed) get one too.
pub(crate) async fn describe(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let html = prefers_html(request.headers());
    let (mut parts, body) = next.run(request).await.into_parts();
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        return Response::from_parts(parts, body);
    }
    if parts.extensions.remove::<Described>().is_some() && !html {
        let accept = HeaderValue::from_static("accept");
        parts.headers.append(header::VARY, accept);
        return Response::from_parts(parts, body);
    }
    let problem = parts
        .extensions
        .remove::<Problem>()
        .unwrap_or_else(|| Problem::new(parts.status, unsaid(parts.status)))
        .with("instance", path);
    let (content_type, body) = if html {
        parts
            .headers
            .extend(page::guards().map(|(name, value)| (name, HeaderValue::from_static(value))));
        ("text/html; charset=utf-8", problem.page())
    } else {
        ("application/problem+json", problem.json())
    };
    if let Some(wait) = problem.retry_after {
        let seconds = HeaderValue::from(wait.as_secs());
        parts.headers.insert(header::RETRY_AFTER, seconds);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    parts
        .headers
        .append(header::VARY, HeaderValue::from_static("accept"));
    Response::from_parts(parts, Body::from(body))
}

fn unsaid(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Nothing is served here; the systems are at `/api/systems`.",
        StatusCode::METHOD_NOT_ALLOWED => {
            "This method isn't served here; the `Allow` header lists those that are."
        }
        StatusCode::BAD_REQUEST => "The path can't be read: percent-encoded bytes must be UTF-8.",
        _ => "The request can't be served.",
    }
}

impl Problem {
    fn json(&self) -> String {
        // Strings, numbers and a map with string keys: none of them fails to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn page(&self) -> String {
        let mut members = String::new();
        // What is made for programs is nothing to look at.
        let members_to_read = self.members.iter();
        let members_to_read = members_to_read.filter(|(_, of)| !of.is_object() && !of.is_array());
        for (name, value) in members_to_read {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string().into(), escape);
            let _ = write!(members, "<dt>{}</dt><dd>{value}</dd>", escape(name));
        }
        format!(
            include_str!("../page/problem.html"),
            status = self.status.as_u16(),
            title = escape(&self.title),
            detail = prose(&self.detail),
            members = members,
        )
    }
}

/// Whether `Accept` ranks HTML above JSON, as a browser's does.
fn prefers_html(headers: &HeaderMap) -> bool {
    let accept: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    // The most specific range that is listed decides.
    let quality = |ranges: &[&str]| {
        ranges
            .iter()
            .find_map(|range| accept.iter().find_map(|item| weight(item, range)))
            .unwrap_or(0.0)
    };
    quality(&["text/html", "text/*", "*/*"])
        > quality(&[
            "application/problem+json",
            "application/json",
            "application/*",
            "*/*",
        ])
}

/// The weight that one item of an `Accept` header, such as `text/html;q=0.8`, gives to a range.
fn weight(item: &str, range: &str) -> Option<f32> {
    let mut parts = item.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(range) {
        return None;
    }
    Some(
        parts
            .find_map(|part| part.strip_prefix("q=")?.parse().ok())
            .unwrap_or(1.0),
    )
}

/// HTML of a text in which `backticks` mark code.
fn prose(text: &str) -> String {
    let mut parts = text.split('`').map(escape);
    let mut html = parts.next().unwrap_or_default().into_owned();
    while let Some(code) = parts.next() {
        let _ = write!(
            html,
            "<code>{code}</code>{}",
            parts.next().unwrap_or_default()
        );
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefers(accept: &'static str) -> bool {
        prefers_html(&HeaderMap::from_iter([(
            header::ACCEPT,
            HeaderValue::from_static(accept),
        )]))
    }

    #[test]
    fn a_browser_prefers_html() {
        assert!(prefers(
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        ));
        assert!(prefers("TEXT/HTML"));
    }

    #[test]
    fn a_program_prefers_json() {
        assert!(!prefers_html(&HeaderMap::new()));
        assert!(!prefers("*/*"));
        assert!(!prefers("application/json"));
        assert!(!prefers("application/json, text/html"));
        assert!(!prefers("text/html;q=0.3, application/problem+json"));
    }

    #[test]
    fn markup_in_a_file_stays_text_on_the_error_page() {
        let problem = Problem::new(StatusCode::BAD_REQUEST, "`<img src=x>` is no class")
            .with("object", "<script>alert('x')</script>");
        let page = problem.page();
        assert!(page.contains("<code>&lt;img src=x&gt;</code> is no class"));
        assert!(page.contains("&lt;script&gt;alert(&#x27;x&#x27;)&lt;&#x2F;script&gt;"));
        assert!(!page.contains("<script>"));
    }
}
