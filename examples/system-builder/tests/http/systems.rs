use crate::server::{Server, system, system_with_devices, system_with_power_in};
use axum::{body::Body, http::StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn an_upload_is_answered_with_its_summary_and_location() {
    let server = Server::start().await;
    let created = server
        .post_json(system_with_power_in("watt").to_string())
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.header("content-type"), "application/json");
    let summary = created.json();
    assert_eq!(summary["name"], "one device");
    assert_eq!(summary["objects"], 2);
    let id = summary["id"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/api/systems/{id}"));
}

#[tokio::test]
async fn systems_are_listed_in_upload_order() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/systems").await.json(), json!([]));
    let mut summaries = Vec::new();
    for name in ["second to none", "another", "the last"] {
        summaries.push(server.post_json(system(name).to_string()).await.json());
    }
    assert_eq!(server.get("/api/systems").await.json(), json!(summaries));
}

#[tokio::test]
async fn a_system_comes_back_as_it_was_uploaded() {
    let server = Server::start().await;
    let uploaded = system_with_power_in("watt");
    let created = server.post_json(uploaded.to_string()).await;
    let downloaded = server.get(created.header("location")).await;
    assert_eq!(downloaded.status, StatusCode::OK);
    assert_eq!(downloaded.header("content-type"), "application/json");
    assert_eq!(downloaded.json(), uploaded);
}

#[tokio::test]
async fn a_large_system_comes_back_whole() {
    let server = Server::start().await;
    let uploaded = system_with_devices(5_000);
    let created = server.post_json(uploaded.to_string()).await;
    assert_eq!(created.json()["objects"], 5_001);
    let downloaded = server.get(created.header("location")).await;
    assert!(
        downloaded.body.len() > 1 << 20,
        "the body is too small to test a slow download"
    );
    assert_eq!(downloaded.json(), uploaded);
}

#[tokio::test]
async fn a_download_is_offered_as_a_file_named_after_the_system() {
    let server = Server::start().await;
    let created = server
        .post_json(system("Café \"n° 1\"\r\n/etc").to_string())
        .await;
    let downloaded = server.get(created.header("location")).await;
    assert_eq!(
        downloaded.header("content-disposition"),
        "attachment; filename=\"Caf---n--1----etc.json\"; \
         filename*=UTF-8''Caf%C3%A9%20%22n%C2%B0%201%22%0D%0A%2Fetc.json",
    );
}

#[tokio::test]
async fn a_head_request_has_the_headers_of_a_download_and_no_body() {
    let server = Server::start().await;
    let created = server.post_json(system("seldom read").to_string()).await;
    let head = server
        .send("HEAD", created.header("location"), &[], Body::empty())
        .await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.header("content-type"), "application/json");
    assert!(head.header("content-disposition").contains("seldom%20read"));
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn the_objects_of_a_system_are_listed_and_served_one_by_one() {
    let server = Server::start().await;
    let uploaded = system_with_power_in("watt");
    let created = server.post_json(uploaded.to_string()).await;
    let objects = format!("{}/objects", created.header("location"));
    let listed = server.get(&objects).await.json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let device = json!({"id": "device-1", "name": "The device-1", "class": "Device"});
    assert!(listed.as_array().unwrap().contains(&device));
    let object = server.get(&format!("{objects}/device-1")).await;
    assert_eq!(object.header("content-type"), "application/json");
    let mut object = object.json();
    let computed = object["computed"].take();
    let mut expected = uploaded["Device"]["device-1"].clone();
    expected["computed"] = Value::Null;
    assert_eq!(object, expected);
    let of = |name: &str| {
        computed
            .as_array()
            .unwrap()
            .iter()
            .find(|of| of["name"] == name)
            .unwrap()
    };
    let footprint = of("use_footprint");
    assert_eq!(footprint["value"], json!({"kind": "empty"}));
    assert_eq!(
        (&footprint["formula"], &footprint["section"]),
        (&json!("sum over patterns"), &json!("4.7"))
    );
}

#[tokio::test]
async fn a_removed_system_is_gone() {
    let server = Server::start().await;
    let kept = server.post_json(system("kept").to_string()).await.json();
    let created = server.post_json(system("removed").to_string()).await;
    let location = created.header("location");
    let removed = server.send("DELETE", location, &[], Body::empty()).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(removed.body.is_empty());
    assert_eq!(server.get(location).await.status, StatusCode::NOT_FOUND);
    let again = server.send("DELETE", location, &[], Body::empty()).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/api/systems").await.json(), json!([kept]));
}

#[tokio::test]
async fn the_page_and_its_assets_need_nothing_from_elsewhere() {
    let server = Server::start().await;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/app.css", "text/css; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/api.js", "text/javascript; charset=utf-8"),
        ("/attempt.js", "text/javascript; charset=utf-8"),
        ("/attributes.js", "text/javascript; charset=utf-8"),
        ("/charts.js", "text/javascript; charset=utf-8"),
        ("/computed.js", "text/javascript; charset=utf-8"),
        ("/elements.js", "text/javascript; charset=utf-8"),
        ("/figures.js", "text/javascript; charset=utf-8"),
        ("/numbers.js", "text/javascript; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/results.js", "text/javascript; charset=utf-8"),
        ("/system.js", "text/javascript; charset=utf-8"),
        ("/systems.js", "text/javascript; charset=utf-8"),
        ("/upload.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), content_type);
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none';")
        );
        assert!(!answer.header("content-security-policy").contains("unsafe"));
        assert!(
            !answer.text().contains("https://"),
            "{path} refers to another origin"
        );
    }
}
