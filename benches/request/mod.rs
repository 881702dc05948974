//! One request, from `call` to the end of its body: the path that the benches measure.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::Body;
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};
use tower::{Service, service_fn};

type Answer = Response<Full<Bytes>>;
type Answering = Ready<Result<Answer, Infallible>>;

/// The service in every case, which answers at once.
pub(super) fn no_op()
-> impl Service<Request<Full<Bytes>>, Response = Answer, Error = Infallible, Future = Answering>
+ Clone
+ Send {
    service_fn(|request: Request<Full<Bytes>>| {
        black_box(request);
        let mut response = Response::new(Full::new(Bytes::from_static(b"Hello, World!")));
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text);
        ready(Ok(response))
    })
}

/// Sends a request to `service` and reads the response to its end.
///
/// Polled by hand, to measure no runtime: nothing here is ever pending.
pub(super) fn serve<S, B>(service: &mut S)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes, Error = Infallible>,
{
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut cx).is_ready());
    let Poll::Ready(Ok(response)) = pin!(service.call(request())).poll(&mut cx) else {
        unreachable!("a no-op service answers at once");
    };
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
        black_box(frame);
    }
}

/// With the headers that `curl` sends, so a lookup has several to search.
fn request() -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    for (name, value) in [
        (header::HOST, "127.0.0.1:3000"),
        (header::USER_AGENT, "curl/8.14.1"),
        (header::ACCEPT, "*/*"),
    ] {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(name, value);
    }
    request
}
