//! Files as people have them, and what clients ask about them.

use crate::server::{Server, form, system};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::{fs, path::Path};

fn case(name: &str) -> String {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/cases");
    fs::read_to_string(cases.join(format!("{name}.json"))).unwrap()
}

async fn load(server: &Server, file: String) -> String {
    let created = server.post_json(file).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    created.header("location").to_owned()
}

#[tokio::test]
async fn a_workspace_is_loaded_as_several_systems() {
    let server = Server::start().await;
    let created = server.post_json(case("workspace-two-models")).await;
    assert_eq!(created.status, StatusCode::CREATED);
    assert_eq!(created.header("location"), "/api/systems");
    let systems = created.json().as_array().unwrap().clone();
    let mut totals = Vec::new();
    for system in &systems {
        let id = system["id"].as_str().unwrap();
        let footprint = server.get(&format!("/api/systems/{id}/footprint")).await;
        totals.push(footprint.json()["total"].as_f64().unwrap());
    }
    assert_eq!(totals.len(), 2);
    assert!((totals[0] - 17.70).abs() < 0.01, "{totals:?}");
    assert_ne!(totals[0], totals[1]);
}

#[tokio::test]
async fn what_was_changed_while_a_file_was_read_is_remarked() {
    let server = Server::start().await;
    let location = load(&server, case("old-version-23")).await;
    let footprint = server.get(&format!("{location}/footprint")).await.json();
    assert_eq!(footprint["complete"], true);
    assert_eq!(
        footprint["remarks"],
        json!([{"detail": "The file is of version 23 and was converted to 27."}])
    );
}

#[tokio::test]
async fn a_missing_number_is_never_zero() {
    let server = Server::start().await;
    let location = load(&server, case("infinite-power")).await;
    let answer = server.get(&format!("{location}/footprint")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let partial = &answer.json()["partial"];
    assert_eq!(partial["complete"], false);
    let categories = partial["categories"].as_array().unwrap();
    let servers = categories.iter().find(|of| of["category"] == "Servers");
    assert_eq!(servers.unwrap()["use"], Value::Null);
    assert_eq!(partial["phases"]["Use"], Value::Null);
    let diagram = server.get(&format!("{location}/sankey")).await.json();
    assert_eq!(diagram["complete"], false);
}

#[tokio::test]
async fn each_parameter_that_can_t_be_read_has_a_sentence() {
    let server = Server::start().await;
    let location = load(&server, case("version-27")).await;
    for (query, said) in [
        (
            "footprint?step=foo",
            "Query parameter `step`: unknown variant `foo`, expected one of `hour`, `day`, `month`, `year`.",
        ),
        (
            "footprint?format=pdf&step=foo",
            "Query parameter `format`: unknown variant `pdf`, expected `json` or `csv`. \
             Query parameter `step`: unknown variant `foo`, expected one of `hour`, `day`, `month`, `year`.",
        ),
        (
            "sankey?threshold=much",
            "Query parameter `threshold`: invalid float literal.",
        ),
    ] {
        let refused = server.get(&format!("{location}/{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.json()["detail"], said, "{query}");
    }
    let refused = server.get(&format!("{location}/footprint?stop=day")).await;
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("unknown field `stop`"), "{detail}");
}

#[tokio::test]
async fn a_form_with_two_files_is_refused() {
    let server = Server::start().await;
    let one = form("file", &system("mixed_example"));
    let two = one.replace("--edge--\r\n", "") + &one;
    let refused = server.post_form(two).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("one file at a time"), "{detail}");
}

#[tokio::test]
async fn a_compressed_body_is_called_so() {
    let server = Server::start().await;
    let refused = server.post_json(&b"\x1f\x8b\x08\x00\x00\x00"[..]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        refused.json()["detail"],
        "The file is not JSON: it is compressed (gzip), expected plain UTF-8 text; \
         unpack or convert it first."
    );
}

#[tokio::test]
async fn a_name_is_no_formula_of_a_table() {
    let server = Server::start().await;
    let mut file: Value = serde_json::from_str(&case("version-27")).unwrap();
    let server_name = &mut file["Server"]["api"]["name"];
    *server_name = json!("=cmd|'/C calc'!A0\u{1b}[2J");
    let location = load(&server, file.to_string()).await;
    let table = server
        .get(&format!("{location}/footprint?format=csv"))
        .await;
    let table = table.text();
    assert!(table.contains("'=cmd|'/C calc'!A0\\u{1b}[2J"), "{table}");
    assert!(!table.contains('\u{1b}'));
}
