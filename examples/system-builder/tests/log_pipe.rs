//! A log that nobody reads.

mod binary;

use axum::{body::Body, http::Request};
use binary::{Binary, command};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::time::Duration;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_log_that_nobody_reads_holds_no_request_up_and_its_lines_are_a_metric() {
    let mut start = command();
    start.args(["--listen", "127.0.0.1:0"]);
    start.env("RUST_LOG", "info,tower_memory=debug");
    let mut server = Binary::start(&mut start).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let get = async |path: &str| {
        let uri = format!("http://{}{path}", server.address);
        let request = Request::get(uri).body(Body::empty()).unwrap();
        let asking = async {
            let response = client.request(request).await.unwrap();
            response.into_body().collect().await.unwrap().to_bytes()
        };
        timeout(DEADLINE, asking).await.expect("an answer")
    };
    for _ in 0..2000 {
        get("/api/systems/none").await;
    }
    let dropped = timeout(DEADLINE, async {
        loop {
            let metrics = get("/metrics").await;
            let metrics = std::str::from_utf8(&metrics).unwrap();
            let mut lines = metrics.lines();
            let dropped = lines.find_map(|line| line.strip_prefix("log_lines_dropped_total "));
            match dropped.unwrap().parse::<u64>().unwrap() {
                0 => tokio::time::sleep(Duration::from_millis(100)).await,
                dropped => return dropped,
            }
        }
    });
    assert!(dropped.await.expect("counted") < 2000);
    let warning = server.log_line("log lines were dropped").await;
    assert!(warning.contains("WARN"), "{warning}");

    server.signal("INT").await;
    assert!(server.log_line("stopping").await.contains("INFO"));
    assert!(server.exit().await.success());
}
