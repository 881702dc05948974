use crate::server::{Server, system, system_with_power_in};
use axum::{body::Body, http::StatusCode};

#[tokio::test]
async fn an_unknown_unit_is_named_with_its_class_object_and_attribute() {
    let server = Server::start().await;
    let refused = server
        .post_json(system_with_power_in("parsec").to_string())
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let problem = refused.json();
    assert_eq!(problem["type"], "tag:system-builder,2026:unknown-unit");
    assert_eq!(problem["title"], "Unknown unit");
    assert_eq!(problem["status"], 422);
    assert_eq!(problem["code"], "unknown-unit");
    assert_eq!(problem["class"], "Device");
    assert_eq!(problem["object"], "device-1");
    assert_eq!(problem["attribute"], "power");
    assert_eq!(problem["instance"], "/api/systems");
    assert!(problem["detail"].as_str().unwrap().contains("`parsec`"));
    assert_eq!(server.get("/api/systems").await.text(), "[]");
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused_with_line_and_column() {
    let server = Server::start().await;
    let refused = server.post_json("{\n  \"System\": oops\n}").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let problem = refused.json();
    assert_eq!(problem["title"], "Not JSON");
    assert_eq!(problem["code"], "not-json");
    assert_eq!(problem["line"], 2);
    assert!((13..=14).contains(&problem["column"].as_u64().unwrap()));
}

#[tokio::test]
async fn an_empty_body_is_refused() {
    let server = Server::start().await;
    let refused = server.post_json(Body::empty()).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["code"], "not-json");
}

#[tokio::test]
async fn a_content_type_that_is_not_read_is_named() {
    let server = Server::start().await;
    for (headers, named) in [
        (
            &[("content-type", "text/csv; charset=utf-8")][..],
            "`text/csv`",
        ),
        (&[], "without `Content-Type`"),
    ] {
        let refused = server
            .send("POST", "/api/systems", headers, system("x").to_string())
            .await;
        assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        let problem = refused.json();
        assert!(
            problem["detail"].as_str().unwrap().contains(named),
            "{problem}"
        );
        assert!(
            problem["detail"]
                .as_str()
                .unwrap()
                .contains("`application/json`"),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_form_without_boundary_is_refused() {
    let server = Server::start().await;
    let headers = [("content-type", "multipart/form-data")];
    let refused = server.send("POST", "/api/systems", &headers, "file").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let server = Server::start().await;
    let created = server.post_json(system("x").to_string()).await;
    let object = format!("{}/objects/nobody", created.header("location"));
    for (path, named) in [
        ("/api/systems/nowhere", "`nowhere`"),
        (
            "/api/systems/9c4ad1f2-0f0b-4c50-a3d5-000000000000",
            "`9c4ad1f2-",
        ),
        ("/api/systems/nowhere/objects", "`nowhere`"),
        (&object, "`nobody`"),
        ("/api", "`/api/systems`"),
    ] {
        let missing = server.get(path).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(missing.header("content-type"), "application/problem+json");
        let problem = missing.json();
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["title"], "Not Found");
        assert_eq!(problem["instance"], path);
        assert!(
            problem["detail"].as_str().unwrap().contains(named),
            "{problem}"
        );
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf_8_is_refused() {
    let server = Server::start().await;
    let refused = server.get("/api/systems/%FF").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.json()["detail"].as_str().unwrap().contains("UTF-8"));
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_those_allowed() {
    let server = Server::start().await;
    let refused = server.send("PUT", "/api/systems", &[], Body::empty()).await;
    assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.header("allow"), "GET,HEAD,POST");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.json()["status"], 405);
}

#[tokio::test]
async fn a_browser_gets_the_problem_as_a_page() {
    let server = Server::start().await;
    let browser = [
        (
            "accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("content-type", "application/json"),
    ];
    let document = system_with_power_in("parsec").to_string();
    let refused = server
        .send("POST", "/api/systems", &browser, document)
        .await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(refused.header("vary"), "accept");
    assert!(
        refused
            .header("content-security-policy")
            .starts_with("default-src 'none';")
    );
    let page = refused.text();
    assert!(page.contains("<h1>Unknown unit</h1>"), "{page}");
    assert!(page.contains("<code>parsec</code>"), "{page}");
    assert!(page.contains("<dt>object</dt><dd>device-1</dd>"), "{page}");
}
