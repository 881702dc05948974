//! Servers other than axum's, services that call other servers, and clients that leave.

use crate::{
    bench::{Bench, Case, requests},
    client::{Mode, Reading},
    server, site,
};
use axum::{Router, body::Body, extract::Request, routing::any};
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{convert::Infallible, sync::Arc};
use tower::{Layer, service_fn};
use tower_memory::{MemoryLayer, Route};

/// Memory that the pool of hyper's client holds for its one connection, which the first requests open: its task,
/// buffers and tables of streams, which grow with the number of concurrent streams.
const POOL: u64 = 24 << 10;

#[test]
fn a_proxy_over_http2_has_what_it_keeps() {
    let upstream = server::upstream();
    let target = upstream.address;
    let mut bench = Bench::new(4, move |layer| {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client<_, Body> = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build(connector);
        let pass = move |request: Request| {
            let client = client.clone();
            async move {
                let (head, body) = request.into_parts();
                let uri = format!("http://{target}/text");
                let onward = Request::builder().method(head.method).uri(uri).body(body);
                let answer = client.request(onward.expect("a request")).await;
                answer.map_err(|_| StatusCode::BAD_GATEWAY)
            }
        };
        site::router(layer.clone()).merge(Router::new().route("/proxy", any(pass)).layer(layer))
    });
    for mode in [Mode::Kept, Mode::Http2] {
        let case = Case::get(bench.address, "/proxy").slack(POOL);
        bench.check(&case.over(mode, 4));
        let case = Case::post(bench.address, "/proxy", 18 << 10).slack(POOL);
        bench.check(&case.over(mode, 4));
    }
}

#[test]
fn on_plain_hyper_each_route_has_what_it_keeps() {
    let mut bench = Bench::new(2, |layer: MemoryLayer| {
        let layer =
            layer.route_with(|request| Some(Route::from(Arc::<str>::from(request.uri.path()))));
        let service = service_fn(|request: Request| async move {
            if request.uri().path() == "/hyper/4096" {
                site::keep(4096);
            }
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(vec![b'x'; 18 << 10]))))
        });
        Router::new().fallback_service(layer.layer(service))
    });
    for mode in [Mode::Kept, Mode::Http2] {
        let case = Case::get(bench.address, "/hyper/nothing");
        bench.check(&case.over(mode, 4));
        let case = Case::get(bench.address, "/hyper/4096").keeps(4096);
        bench.check(&case.over(mode, 4));
    }
}

#[test]
fn of_clients_that_leave_nothing_is_kept() {
    let mut bench = Bench::new(4, site::router);
    let at = bench.address;
    for mode in [Mode::Kept, Mode::Http2] {
        for (case, reading) in [
            (Case::get(at, "/waits"), Reading::Nothing),
            (Case::get(at, "/large"), Reading::Head),
            (Case::get(at, "/stream"), Reading::Head),
            (Case::get(at, "/file"), Reading::Head),
            (Case::post(at, "/frames", 5 << 20), Reading::Nothing),
        ] {
            let mut batch = case.count(requests(40).min(2_000)).over(mode, 8).batch;
            batch.reading = reading;
            let mut charge = batch.clone();
            charge.with.push(("x-charge".to_owned(), "1".to_owned()));
            charge.count = 16;
            bench.run(&charge);
            let before = bench.at_rest();
            bench.run(&batch);
            bench.settled(&before, &[], &batch);
        }
    }
}

#[test]
fn a_handler_that_panics_keeps_nothing() {
    let mut bench = Bench::new(4, site::router);
    for mode in [Mode::Kept, Mode::Http2] {
        bench.check(&Case::get(bench.address, "/panics").over(mode, 4));
    }
}
