use crate::server::{Server, system, system_with_devices, while_time_passes};
use axum::{body::Body, http::StatusCode};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::time;

#[tokio::test]
async fn downloads_that_nobody_reads_end_and_give_way_and_room() {
    // Room for one of these systems and not for two.
    let server = Server::with_flags(&["--store-limit", "5MiB"]).await;
    let system = system_with_devices(5_000).to_string();
    let created = server.post_json(system.clone()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let location = created.header("location");
    let unread = join_all((0..8).map(|_| server.unread(location))).await;
    delete(&server, location).await;
    let refused = server.post_json(system.clone()).await;
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);

    time::pause();
    drop(while_time_passes(server.unread("/api/systems")).await);
    // By now they have all had their time.
    time::advance(Duration::from_secs(10 * 60)).await;
    for body in join_all(unread.into_iter().map(Body::collect)).await {
        assert!(body.is_err(), "a download that broke off looks whole");
    }
    time::resume();
    assert_eq!(server.post_json(system).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_list_that_nobody_reads_keeps_no_room_of_removed_systems() {
    let server = Server::with_flags(&["--store-limit", "6MiB"]).await;
    // The name alone is more than waits for a client.
    let system = system(&"long ".repeat(400_000)).to_string();
    let created = server.post_json(system.clone()).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let mut list = server.unread("/api/systems").await;
    assert!(list.frame().await.unwrap().is_ok());
    delete(&server, created.header("location")).await;
    assert_eq!(server.post_json(system).await.status, StatusCode::CREATED);
}

async fn delete(server: &Server, location: &str) {
    let removed = server.send("DELETE", location, &[], Body::empty()).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
}
