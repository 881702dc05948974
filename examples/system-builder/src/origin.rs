//! From which pages requests may come.
//!
//! A browser sends requests for any page that it shows. One of another site can upload, and with a
//! name that it makes point here (DNS rebinding), it can also read and delete. So `/api` answers to
//! addresses, `localhost` and the names it was given, and only to pages that come from there.

use crate::{Config, problem::Problem};
use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode, Uri,
        header::{HOST, HeaderName, ORIGIN},
        uri::Authority,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::{net::IpAddr, sync::Arc};

/// What browsers say of where a request comes from.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names by which clients may reach the server.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    pub(crate) fn new(config: &Config) -> Self {
        Self(config.hosts.clone().into())
    }

    /// Addresses have no name that could be made to point elsewhere.
    fn include(&self, host: &str) -> bool {
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok()
            || host.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// Refuses requests that name two hosts: what stands in between may have looked at the other one.
pub(crate) async fn one_host(request: Request, next: Next) -> Response {
    if request.headers().get_all(HOST).iter().nth(1).is_some() {
        let text = "The request has two `Host` headers: send one.\n";
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    next.run(request).await
}

pub(crate) async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    match refusal(&hosts, request.method(), request.uri(), request.headers()) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refusal(hosts: &Hosts, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Problem> {
    let text = |name: &HeaderName| {
        headers
            .get(name)
            .map(|value| value.to_str().unwrap_or_default())
    };
    let named = || text(&HOST)?.parse::<Authority>().ok();
    let Some(host) = uri.authority().cloned().or_else(named) else {
        return Some(Problem::new(
            StatusCode::BAD_REQUEST,
            "The request has no `Host` header that can be read: send one.",
        ));
    };
    if !hosts.include(host.host()) {
        return Some(Problem::new(
            StatusCode::FORBIDDEN,
            format!(
                "This server is not known as `{}`: use its address, or start it with `--host {}`.",
                host.host(),
                host.host(),
            ),
        ));
    }
    let is_elsewhere = text(&ORIGIN).is_some_and(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_none_or(|authority| !authority.eq_ignore_ascii_case(host.as_str()))
    });
    // A link may lead here.
    let is_cross_site = !method.is_safe() && text(&SITE) == Some("cross-site");
    (is_elsewhere || is_cross_site).then(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            "A page of another site sent this request: use the page of this server, or a program.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn status(method: Method, headers: &[(HeaderName, &'static str)]) -> Option<u64> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let hosts = Hosts(["Builder.example".to_owned()].into());
        let uri = Uri::from_static("/api/systems");
        let problem = refusal(&hosts, &method, &uri, &headers.collect())?;
        serde_json::to_value(problem).unwrap()["status"].as_u64()
    }

    #[test]
    fn addresses_localhost_and_names_that_were_given_are_answered() {
        for host in [
            "127.0.0.1:3000",
            "[::1]:3000",
            "192.0.2.7",
            "LocalHost:3000",
            "builder.example",
        ] {
            assert_eq!(status(Method::GET, &[(HOST, host)]), None, "{host}");
        }
        for host in [
            "rebound.example",
            "127.0.0.1.rebound.example:3000",
            "localhost.",
        ] {
            assert_eq!(status(Method::GET, &[(HOST, host)]), Some(403), "{host}");
        }
        assert_eq!(status(Method::GET, &[]), Some(400));
    }

    #[test]
    fn a_page_from_here_may_ask_and_one_from_elsewhere_may_not() {
        let from = |origin| status(Method::POST, &[(HOST, "localhost:3000"), (ORIGIN, origin)]);
        assert_eq!(from("http://localhost:3000"), None);
        for origin in ["http://localhost:8080", "https://evil.example", "null", ""] {
            assert_eq!(from(origin), Some(403), "{origin}");
        }
    }

    #[test]
    fn a_link_from_elsewhere_leads_here_and_a_form_does_not() {
        let headers = [(HOST, "localhost"), (SITE, "cross-site")];
        assert_eq!(status(Method::GET, &headers), None);
        assert_eq!(status(Method::POST, &headers), Some(403));
    }
}
