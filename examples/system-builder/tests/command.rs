//! The command line: flags, environment, log, signals.

mod binary;

use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use binary::{Binary, command};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn system() -> String {
    let system =
        json!({"id": "s", "name": "a system", "usage_patterns": [], "edge_usage_patterns": []});
    json!({"efootprint_version": "27.0.0", "System": {"s": system}}).to_string()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The name and content of every system of the engine's tests.
fn systems() -> impl Iterator<Item = (String, String)> {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    fs::read_dir(systems).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    })
}

async fn send(request: Request<Body>) -> (StatusCode, Bytes) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap();
    (status, body.to_bytes())
}

/// Uploads a file, asserts that it is stored, and returns its summary.
async fn upload(binary: &Binary, content_type: &str, body: impl Into<Body>) -> Value {
    let request = Request::post(format!("http://{}/api/systems", binary.address))
        .header("content-type", content_type);
    let (status, answer) = send(request.body(body.into()).unwrap()).await;
    assert_eq!(status, StatusCode::CREATED, "{answer:?}");
    serde_json::from_slice(&answer).unwrap()
}

async fn download(binary: &Binary, summary: &Value) -> Bytes {
    let id = summary["id"].as_str().unwrap();
    let request = Request::get(format!("http://{}/api/systems/{id}", binary.address));
    let (status, file) = send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    file
}

/// Ends the binary, and returns what a JSON log warns of.
async fn warnings(mut binary: Binary) -> Vec<Value> {
    binary.signal("TERM").await;
    let mut warnings = Vec::new();
    while let Some(line) = binary.log.next_line().await.unwrap() {
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["level"] == "WARN" {
            warnings.push(event);
        }
    }
    warnings
}

#[tokio::test]
async fn the_address_served_on_is_logged() {
    let binary = Binary::on_free_port().await;
    let answer = binary.request("GET /", "").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn settings_come_from_the_environment() {
    let mut command = command();
    command
        .env("SYSTEM_BUILDER_LISTEN", "127.0.0.1:0")
        .env("SYSTEM_BUILDER_BODY_LIMIT", "10B");
    let binary = Binary::start(&mut command).await;
    let answer = binary
        .request("POST /api/systems", &system())
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_flag_wins_over_the_environment() {
    let mut command = command();
    command
        .env("SYSTEM_BUILDER_LISTEN", "127.0.0.1:0")
        .env("SYSTEM_BUILDER_BODY_LIMIT", "10B");
    let binary = Binary::start(command.args(["--body-limit", "1 MiB"])).await;
    let answer = binary
        .request("POST /api/systems", &system())
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

#[tokio::test]
async fn a_size_that_is_none_is_refused_with_its_flag() {
    let output = command()
        .args(["--warn-above", "plenty"])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("'plenty' for '--warn-above <SIZE>'"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn an_address_in_use_is_told_in_one_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command()
        .args(["--listen", &address])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("cannot listen on {address}: ")));
    assert!(stderr(&output).contains("`--listen`"));
}

#[tokio::test]
async fn the_dashboard_has_an_address_of_its_own_where_one_is_given() {
    let mut binary = Binary::with_flags(&["--dashboard", "127.0.0.1:0"]).await;
    let line = binary.log_line("the dashboard is at http://").await;
    let (_, address) = line.split_once("http://").unwrap();
    let request = Request::get(format!("http://{address}/figures.json"));
    let (status, figures) = send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    let figures: Value = serde_json::from_slice(&figures).unwrap();
    assert!(figures["live"].is_u64(), "{figures}");

    let output = command()
        .args(["--listen", "127.0.0.1:0", "--dashboard", address])
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = format!("cannot serve the dashboard on {address}: ");
    assert!(stderr(&output).contains(&told), "{}", stderr(&output));
}

#[tokio::test]
async fn sigterm_and_ctrl_c_end_it_with_success() {
    for signal in ["TERM", "INT"] {
        let binary = Binary::on_free_port().await;
        binary.signal(signal).await;
        assert_eq!(binary.exit().await.code(), Some(0), "after SIG{signal}");
    }
}

#[tokio::test]
async fn an_upload_that_runs_at_sigterm_is_finished() {
    let mut binary = Binary::on_free_port().await;
    let system = system();
    let mut stream = TcpStream::connect(binary.address).await.unwrap();
    let head = format!(
        "POST /api/systems HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        system.len(),
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).await.unwrap();
    binary.signal("TERM").await;
    binary.log_line("stopping").await;
    stream.write_all(system.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(binary.exit().await.code(), Some(0));
}

#[tokio::test]
async fn growth_above_the_threshold_is_logged_with_its_route() {
    let mut binary =
        Binary::start(command().args(["--listen", "127.0.0.1:0", "--warn-above", "0"])).await;
    binary
        .request("POST /api/systems", &system())
        .await
        .unwrap();
    let warning = binary.log_line("POST /api/systems").await;
    assert!(warning.contains("WARN tower_memory"), "{warning}");
    assert!(warning.contains("memory grew"), "{warning}");
}

#[tokio::test]
async fn a_big_system_is_loaded_and_the_growth_is_logged_with_the_size_of_the_upload() {
    let file = include_str!("../../efootprint/tests/systems/big_system.json");
    let form = format!(
        "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"big.json\"\r\n\r\n\
         {file}\r\n--edge--\r\n"
    );
    for (content_type, body) in [
        ("application/json", file),
        ("multipart/form-data; boundary=edge", &form),
    ] {
        let flags = ["--warn-above", "1MiB", "--log-format", "json"];
        let binary = Binary::with_flags(&flags).await;
        let summary = upload(&binary, content_type, body.to_owned()).await;
        assert_eq!(summary["objects"], 186);
        let warnings = warnings(binary).await;
        assert!(
            warnings.iter().any(|warning| {
                warning["http.route"] == "/api/systems"
                    && warning["http.request.body.size"] == body.len()
                    && warning["memory.growth"].as_u64() >= Some(1 << 20)
            }),
            "{content_type}: {warnings:?}"
        );
    }
}

#[tokio::test]
async fn every_system_is_loaded_and_its_download_loads_again() {
    let binary = Binary::on_free_port().await;
    for (name, file) in systems() {
        let summary = upload(&binary, "application/json", file).await;
        let downloaded = download(&binary, &summary).await;
        let again = upload(&binary, "application/json", downloaded.clone()).await;
        assert_eq!(again["objects"], summary["objects"], "{name}");
        assert_eq!(download(&binary, &again).await, downloaded, "{name}");
    }
}

#[tokio::test]
async fn a_json_log_is_one_object_a_line() {
    let flags = ["--listen", "127.0.0.1:0", "--log-format", "json"];
    let mut binary = Binary::start(command().args(flags).env("RUST_LOG", "debug")).await;
    binary
        .request("POST /api/systems", &system())
        .await
        .unwrap();
    binary.signal("TERM").await;
    let mut levels = Vec::new();
    while let Some(line) = binary.log.next_line().await.unwrap() {
        let event: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(event["message"].is_string(), "{line}");
        levels.push(event["level"].as_str().unwrap().to_owned());
    }
    assert!(levels.iter().any(|level| level == "INFO"));
    assert!(
        levels.iter().any(|level| level == "DEBUG"),
        "RUST_LOG was not heard"
    );
}

async fn run(arguments: &[&str], file: &str) -> Output {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    command()
        .args(arguments)
        .arg(systems.join(file))
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_footprint_is_printed_as_a_table_with_units() {
    let output = run(&["footprint"], "mixed_example.json").await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8(output.stdout).unwrap();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("MySystem: 23.952 kg from 2025-01-01 to 2025-01-02")
    );
    let line = |name: &str| {
        let mut lines = table.lines();
        let line = lines
            .find(|line| line.trim_start().starts_with(name))
            .unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        line("ExternalAPIs"),
        "ExternalAPIs 1.568 kg 14.388 kg 15.955 kg"
    );
    assert_eq!(line("Lap"), "Lap 0.407 kg 88.000 g 0.495 kg");
    assert_eq!(line("Total"), "Total 5.717 kg 18.234 kg 23.952 kg");
}

#[tokio::test]
async fn computed_attributes_are_printed_as_json() {
    let output = run(&["compute"], "web-101.json").await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let computed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(computed["efootprint_version"], "27.0.0");
    assert_eq!(computed["objects"].as_object().unwrap().len(), 7);
}

#[tokio::test]
async fn who_has_read_enough_ends_it_with_success() {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    let mut child = command()
        .arg("compute")
        .arg(systems.join("big_system.json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().await.unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
}

#[tokio::test]
async fn what_a_system_can_t_have_is_told_once_and_the_rest_is_printed() {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    let file = fs::read_to_string(systems.join("mixed_example.json")).unwrap();
    let mut system: Value = serde_json::from_str(&file).unwrap();
    system["Server"]["Srv"]["utilization_rate"]["value"] = json!(0.001);
    for (arguments, printed) in [
        (["compute", "-"], "\"Lap\""),
        (["footprint", "-"], "Incomplete"),
    ] {
        let mut child = command()
            .args(arguments)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input
            .write_all(system.to_string().as_bytes())
            .await
            .unwrap();
        drop(input);
        let output = child.wait_with_output().await.unwrap();
        assert_eq!(output.status.code(), Some(2));
        let told = stderr(&output);
        assert_eq!(
            told.matches("“Srv” has 0.128 `gigabyte_ram` of usable RAM")
                .count(),
            1,
            "{told}"
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(printed), "{text}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_system_is_refused_by_name() {
    let output = run(&["footprint"], "nothing.json").await;
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("nothing.json`: "),
        "{}",
        stderr(&output)
    );
}

/// Runs a command on one of the cases from the field.
async fn run_case(subcommand: &str, name: &str) -> Output {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/cases");
    let file = cases.join(format!("{name}.json"));
    let run = command().arg(subcommand).arg(file).output();
    run.await.unwrap()
}

#[tokio::test]
async fn the_exit_status_tells_whether_a_value_is_missing() {
    for (name, status) in [
        ("infinite-power", 2),
        ("two-systems-one-pattern", 2),
        ("unlinked-server-too-small", 0),
        ("unlinked-api-retired-model", 0),
        ("lifespan-shorter-than-span", 0),
        ("old-version-23", 0),
        ("workspace-two-models", 0),
        ("negative-power", 1),
    ] {
        for subcommand in ["compute", "footprint"] {
            let output = run_case(subcommand, name).await;
            assert_eq!(output.status.code(), Some(status), "{subcommand} {name}");
        }
    }
}

#[tokio::test]
async fn a_missing_number_is_a_question_mark() {
    let output = run_case("footprint", "infinite-power").await;
    let table = String::from_utf8(output.stdout).unwrap();
    let servers = table
        .lines()
        .find(|line| line.starts_with("Servers"))
        .unwrap();
    assert!(
        servers.contains('?') && !servers.contains(" 0 kg"),
        "{servers}"
    );
    assert!(table.contains("a part of the total"), "{table}");
}

#[tokio::test]
async fn every_system_of_a_workspace_has_its_table() {
    let output = run_case("footprint", "workspace-two-models").await;
    let tables = String::from_utf8(output.stdout).unwrap();
    assert_eq!(tables.matches("CO2 equivalents").count(), 2, "{tables}");
}

#[tokio::test]
async fn no_control_character_of_a_name_reaches_a_terminal() {
    for subcommand in ["compute", "footprint"] {
        let output = run_case(subcommand, "escape-in-name").await;
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let raw = |character: char| character.is_control() && character != '\n';
        assert!(!printed.contains(raw), "{printed:?}");
    }
}
