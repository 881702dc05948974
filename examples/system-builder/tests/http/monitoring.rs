use crate::server::{Server, system};
use axum::http::StatusCode;

#[tokio::test]
async fn prometheus_is_told_of_the_process_and_of_each_route() {
    let server = Server::start().await;
    server.post_json(system("a").to_string()).await;
    let answer = server.get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.header("content-type").starts_with("text/plain"));
    for line in [
        "# TYPE process_memory_usage_bytes gauge",
        "# TYPE tower_memory_growth_bytes_total counter",
        r#"tower_memory_requests_total{http_route="/api/systems",verdict=""#,
    ] {
        assert!(answer.text().contains(line), "{line}: {}", answer.text());
    }
}

#[tokio::test]
async fn what_watches_is_not_watched() {
    let server = Server::start().await;
    server.get("/metrics").await;
    server.get("/memory").await;
    let told = server.get("/metrics").await;
    assert!(
        !told.text().contains(r#"http_route="/me"#),
        "{}",
        told.text()
    );
    let told = server.get("/memory/figures.json").await.json();
    assert_eq!(told["routes"].as_array().unwrap().len(), 0, "{told}");
}
