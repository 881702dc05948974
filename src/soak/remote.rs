use bytes::Bytes;
use http::{Request, Response, Uri, uri::PathAndQuery};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::{
    pin::Pin,
    task::{Context, Poll},
};
use tower_service::Service;

/// A server that runs elsewhere, asked over HTTP/1.1 and kept connections.
#[derive(Debug, Clone)]
pub struct Remote {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Remote {
    /// One at the scheme and authority of `url`, which is `http://` something.
    pub(super) fn new(url: &str) -> Self {
        let base = match url.parse::<Uri>() {
            Ok(uri) if uri.authority().is_some() => {
                format!("http://{}", uri.authority().map_or("", |it| it.as_str()))
            }
            // Requests to it will fail, with its text.
            _ => url.trim_end_matches('/').to_owned(),
        };
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base,
        }
    }

    /// The same server, over other connections.
    pub(super) fn with_connections_of_its_own(&self) -> Self {
        Self::new(&self.base)
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) async fn json(&self, uri: &Uri) -> Result<Value, String> {
        let response = self.client.get(uri.clone()).await;
        let response = response.map_err(|error| unreachable(&uri.to_string(), &error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("{uri} answers {status}: is the dashboard there?"));
        }
        let body = response.into_body().collect().await;
        let body = body.map_err(|error| format!("{uri} breaks off: {error}"))?;
        serde_json::from_slice(&body.to_bytes())
            .map_err(|error| format!("{uri} is no JSON of figures: {error}"))
    }
}

impl<B: Into<Bytes>> Service<Request<B>> for Remote {
    type Response = Response<String>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    /// Asks, and reads the body to its end.
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let uri = format!("{}{path}", self.base);
        let client = self.client.clone();
        let body = Full::new(body.into());
        Box::pin(async move {
            head.uri = uri.parse().map_err(|_| format!("`{uri}` is no address"))?;
            let response = client.request(Request::from_parts(head, body)).await;
            let (head, mut body) = response
                .map_err(|error| unreachable(&uri, &error))?
                .into_parts();
            while let Some(frame) = body.frame().await {
                frame.map_err(|error| format!("{uri} breaks off: {error}"))?;
            }
            Ok(Response::from_parts(head, String::new()))
        })
    }
}

/// The error with its causes, which alone say what is wrong.
fn unreachable(uri: &str, error: &dyn std::error::Error) -> String {
    let mut sentence = format!("{uri} can't be asked: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        sentence += &format!(": {error}");
        cause = error.source();
    }
    sentence
}
