use crate::server::{Server, form, read_answer, system, system_with_devices, while_time_passes};
use axum::{body::Body, http::StatusCode};
use futures_util::{StreamExt, future::join_all, stream};
use serde_json::json;
use std::{collections::HashSet, io};
use tokio::io::AsyncWriteExt;

/// A body without a declared length, in pieces of so many bytes.
fn in_pieces(text: String, size: usize) -> Body {
    let pieces: Vec<_> = text
        .into_bytes()
        .chunks(size)
        .map(|piece| Ok::<_, io::Error>(piece.to_vec()))
        .collect();
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test]
async fn a_body_in_pieces_is_read() {
    let server = Server::start().await;
    let created = server
        .post_json(in_pieces(system("in pieces").to_string(), 7))
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.json()["name"], "in pieces");
}

#[tokio::test]
async fn a_file_in_a_form_is_read() {
    let server = Server::start().await;
    let created = server.post_form(form("file", &system("in a form"))).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.json()["name"], "in a form");
}

#[tokio::test]
async fn a_file_after_other_fields_of_a_form_is_read() {
    let server = Server::start().await;
    let other = "--edge\r\ncontent-disposition: form-data; name=\"comment\"\r\n\r\nhello\r\n";
    let created = server
        .post_form(in_pieces(
            format!("{other}{}", form("file", &system("second"))),
            11,
        ))
        .await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.json()["name"], "second");
}

#[tokio::test]
async fn a_form_without_the_file_says_which_field_it_lacks() {
    let server = Server::start().await;
    let refused = server.post_form(form("upload", &system("elsewhere"))).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("`file`")
    );
}

#[tokio::test]
async fn a_form_that_breaks_off_stores_nothing() {
    let server = Server::start().await;
    let whole = form("file", &system("cut"));
    for cut in [4, 10, whole.len() / 2] {
        let refused = server
            .post_form(whole[..whole.len() - cut].to_owned())
            .await;
        assert!(
            refused.status.is_client_error(),
            "{} for a form cut by {cut}",
            refused.status
        );
    }
    assert_eq!(server.get("/api/systems").await.json(), json!([]));
}

#[tokio::test]
async fn more_uploads_at_once_than_there_are_readers_all_succeed() {
    let server = Server::start().await;
    let uploads = (0..100).map(|number| {
        let system = system(&format!("system {number}")).to_string();
        let server = &server;
        async move { server.post_json(in_pieces(system, 40)).await }
    });
    let created = join_all(uploads).await;
    assert!(
        created
            .iter()
            .all(|created| created.status == StatusCode::CREATED)
    );
    let ids: HashSet<_> = created
        .iter()
        .map(|created| created.json()["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 100);
    assert_eq!(
        server
            .get("/api/systems")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        100
    );
}

#[tokio::test]
async fn a_bad_document_is_answered_after_its_whole_body_was_taken() {
    let server = Server::start().await;
    let filler = stream::repeat(vec![b' '; 64 * 1024])
        .take(256)
        .map(Ok::<_, io::Error>);
    let body = stream::iter([Ok(b"nonsense".to_vec())]).chain(filler);
    let refused = server.post_json(Body::from_stream(body)).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.json()["code"], "not-json");
}

#[tokio::test]
async fn a_declared_length_above_the_limit_is_refused_before_any_of_it_is_read() {
    let server = Server::with_flags(&["--body-limit", "1KiB"]).await;
    let mut stream = server
        .begin_request("content-length: 1025\r\nexpect: 100-continue")
        .await;
    let answer = read_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let mut body = system("just so").to_string();
    let limit = body.len().to_string();
    let server = Server::with_flags(&["--body-limit", &limit]).await;
    assert_eq!(
        server.post_json(body.clone()).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        server.post_json(in_pieces(body.clone(), 10)).await.status,
        StatusCode::CREATED
    );
    body.push(' ');
    assert_eq!(
        server.post_json(in_pieces(body, 10)).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn a_body_of_no_declared_length_is_read_up_to_the_limit_and_no_further() {
    let server = Server::with_flags(&["--body-limit", "64KiB"]).await;
    let stream = server.begin_request("transfer-encoding: chunked").await;
    let (mut reader, mut writer) = stream.into_split();
    let endless = tokio::spawn(async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        // A server that read on would take all of it: 1 GiB.
        for _ in 0..16 * 1024 {
            writer.write_all(chunk.as_bytes()).await?;
        }
        io::Result::Ok(())
    });
    let answer = read_answer(&mut reader).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        endless.await.unwrap().is_err(),
        "the server took the whole body"
    );
    assert_eq!(server.stop().stored().await, json!([]));
}

#[tokio::test]
async fn a_form_above_the_limit_is_refused() {
    let server = Server::with_flags(&["--body-limit", "1KiB"]).await;
    let large = form("file", &system_with_devices(10));
    assert_eq!(
        server.post_form(large.clone()).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let refused = server.post_form(in_pieces(large, 100)).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("1.0 KiB")
    );
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_upload_stores_nothing() {
    let server = Server::start().await;
    let system = system("abandoned").to_string();
    // The document is complete; only the body is not.
    let mut stream = server.begin_upload(system.len() + 1).await;
    stream.write_all(system.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(server.stop().stored().await, json!([]));
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_stalls_is_ended() {
    let server = Server::start().await;
    let mut stream = server.begin_upload(100).await;
    let answer = while_time_passes(read_answer(&mut stream)).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(server.stop().stored().await, json!([]));
}
