use crate::server::{Server, form, system, system_with_devices};
use axum::{body::Body, http::StatusCode};
use serde_json::json;

/// A server with room for one of these systems and not for two.
async fn server_for_one() -> (Server, String) {
    let server = Server::with_flags(&["--store-limit", "100KiB"]).await;
    (server, system_with_devices(100).to_string())
}

async fn delete(server: &Server, location: &str) {
    let removed = server.send("DELETE", location, &[], Body::empty()).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_full_store_refuses_a_system_and_says_how_to_make_room() {
    let (server, system) = server_for_one().await;
    let stored = server.post_json(system.clone()).await;
    assert_eq!(stored.status, StatusCode::CREATED);
    let refused = server.post_json(system).await;
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let problem = refused.json();
    assert_eq!(problem["type"], "about:blank");
    assert_eq!(problem["title"], "Insufficient Storage");
    assert_eq!(problem["status"], 507);
    let detail = problem["detail"].as_str().unwrap();
    let words = [
        "of the 100.0 KiB",
        "this one needs",
        "delete a system",
        "`--store-limit`",
    ];
    for word in words {
        assert!(detail.contains(word), "{detail}");
    }
    let listed = server.get("/api/systems").await.json();
    assert_eq!(listed, json!([stored.json()]));
}

#[tokio::test]
async fn a_small_system_still_fits_where_a_large_one_does_not() {
    let (server, large) = server_for_one().await;
    server.post_json(large.clone()).await;
    let refused = server.post_json(large).await;
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
    let small = server.post_json(system("small").to_string()).await;
    assert_eq!(small.status, StatusCode::CREATED);
}

#[tokio::test]
async fn deleting_a_system_makes_room_again() {
    let (server, system) = server_for_one().await;
    for _ in 0..10 {
        let stored = server.post_json(system.clone()).await;
        assert_eq!(stored.status, StatusCode::CREATED);
        let refused = server.post_json(system.clone()).await;
        assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
        delete(&server, stored.header("location")).await;
    }
}

#[tokio::test]
async fn a_download_keeps_no_room_once_it_has_ended() {
    let (server, system) = server_for_one().await;
    let stored = server.post_json(system.clone()).await;
    let location = stored.header("location");
    for path in [location, &format!("{location}/objects"), "/api/systems"] {
        assert_eq!(server.get(path).await.status, StatusCode::OK);
    }
    delete(&server, location).await;
    assert_eq!(server.post_json(system).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn uploads_that_fail_keep_no_room() {
    let (server, system) = server_for_one().await;
    let document = serde_json::from_str(&system).unwrap();
    let form = form("file", &document);
    for _ in 0..10 {
        // The file is whole; the form around it is not.
        let refused = server.post_form(form[..form.len() - 4].to_owned()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(server.post_form(form).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_system_larger_than_the_store_is_refused_without_asking_to_delete_others() {
    let server = Server::with_flags(&["--store-limit", "1KiB"]).await;
    let refused = server.post_json(system_with_devices(100).to_string()).await;
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
    let problem = refused.json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("send a smaller system"), "{detail}");
    assert!(!detail.contains("delete"), "{detail}");
}

#[tokio::test]
async fn of_uploads_at_once_as_many_are_stored_as_fit() {
    let (server, system) = server_for_one().await;
    let uploads = (0..20).map(|_| server.post_json(system.clone()));
    let answers = futures_util::future::join_all(uploads).await;
    let stored = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!(stored(StatusCode::CREATED), 1);
    assert_eq!(stored(StatusCode::INSUFFICIENT_STORAGE), 19);
    let listed = server.get("/api/systems").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_browser_gets_the_refusal_as_a_page() {
    let (server, system) = server_for_one().await;
    server.post_json(system.clone()).await;
    let headers = [
        ("accept", "text/html"),
        ("content-type", "application/json"),
    ];
    let refused = server.send("POST", "/api/systems", &headers, system).await;
    assert_eq!(refused.status, StatusCode::INSUFFICIENT_STORAGE);
    let page = refused.text();
    assert!(page.contains("<h1>Insufficient Storage</h1>"), "{page}");
    assert!(page.contains("<code>--store-limit</code>"), "{page}");
}
