use axum::{
    Router,
    extract::{ConnectInfo, Request, State, rejection::ExtensionRejection},
    http::{HeaderMap, StatusCode, Uri, Version, header::HOST, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use std::net::{IpAddr, SocketAddr};

/// Who may look at the dashboard, or at whatever else [`guard`](Access::guard) protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Requests from this machine that use one of its loopback names: a browser on it, or one at the other end
    /// of an SSH tunnel or a `kubectl port-forward`.
    ///
    /// These are refused with 403: other peers; requests that admit to coming through a proxy, because their real
    /// peer is unknown (HTTP/1.0, or a header `forwarded`, `via`, `x-forwarded-*`, `x-real-ip`, `x-client-ip`,
    /// `x-cluster-client-ip`, `x-original-forwarded-for`, `x-envoy-external-address`, `true-client-ip`,
    /// `fastly-client-ip`, `cf-connecting-ip` or `cf-connecting-ipv6`); requests for any other host, or for two,
    /// which a page elsewhere could send (DNS rebinding); and requests of unknown peers, for which you need to
    /// serve with `into_make_service_with_connect_info::<SocketAddr>()`.
    ///
    /// **Behind a proxy on the same machine this is not enough.** A proxy that doesn't announce itself (nginx
    /// with HTTP/1.1 and no `X-Forwarded-For`, or a TCP forwarder) looks like a local client. Block the path
    /// there (`location /memory { deny all; }`), or serve the dashboard on a listener of its own.
    #[default]
    Loopback,
    /// Anyone who can reach it. For use behind something else that decides, such as a layer or a separate
    /// network. The page shows the names and the traffic of all routes.
    Anyone,
}

impl Access {
    /// Lets only those through to the routes of `router` who may look.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use tower_memory::dashboard::Access;
    ///
    /// async fn metrics() -> String {
    ///     "requests_total 7\n".to_owned()
    /// }
    ///
    /// let app: Router = Access::Loopback.guard(Router::new().route("/metrics", get(metrics)));
    /// ```
    pub fn guard<S>(self, router: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        router.route_layer(middleware::from_fn_with_state(self, guard))
    }
}

/// Refuses with a sentence that says how to get in.
pub(super) async fn guard(
    State(access): State<Access>,
    peer: Result<ConnectInfo<SocketAddr>, ExtensionRejection>,
    request: Request,
    next: Next,
) -> Response {
    let refusal = match access {
        Access::Anyone => None,
        Access::Loopback => refusal(peer.ok().map(|ConnectInfo(peer)| peer.ip()), &request),
    };
    match refusal {
        None => next.run(request).await,
        Some(reason) => (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response(),
    }
}

fn refusal(peer: Option<IpAddr>, request: &Request) -> Option<&'static str> {
    match peer {
        None => Some(
            "Only this machine may ask, and the client's address is unknown: serve the app with into_make_service_with_connect_info::<SocketAddr>(), or open it with Access::Anyone.",
        ),
        Some(peer) if !peer.to_canonical().is_loopback() => {
            Some("Only this machine may ask: use an SSH tunnel, or open it with Access::Anyone.")
        }
        Some(_) if is_passed_on(request) => Some(
            "Only this machine may ask, and a proxy passed this request on: connect directly, or open it with Access::Anyone.",
        ),
        Some(_) if !names_loopback(request.uri(), request.headers()) => Some(
            "Only this machine may ask: open it as localhost or 127.0.0.1, or open it with Access::Anyone.",
        ),
        Some(_) => None,
    }
}

/// What proxies add beside `x-forwarded-*`: those of RFC 7239 and RFC 9110, nginx, Apache, Kubernetes' ingress,
/// Envoy, Akamai, Fastly and Cloudflare.
const PASSED_ON: [&str; 11] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-envoy-external-address",
    "true-client-ip",
    "fastly-client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
];

fn is_passed_on(request: &Request) -> bool {
    let mut headers = request.headers().keys().map(|name| name.as_str());
    // No browser uses HTTP/1.0, and old proxies do.
    request.version() < Version::HTTP_11
        || headers.any(|name| PASSED_ON.contains(&name) || name.starts_with("x-forwarded-"))
}

/// HTTP/1 has the host in its header, HTTP/2 in the URI.
fn names_loopback(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return false;
    }
    let header = || first?.to_str().ok()?.parse::<Authority>().ok();
    let Some(authority) = uri.authority().cloned().or_else(header) else {
        return false;
    };
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse()
            .is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}
