//! The command, as a user runs it, against a server in this process.

use axum::{Router, routing::get};
use std::{
    fs,
    net::SocketAddr,
    process::{Command, Output},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Mutex, task::spawn_blocking};
use tower_memory::{
    MemoryLayer,
    dashboard::{self, Access},
    heap::TrackingAllocator,
    routes::Routes,
};

#[global_allocator]
static ALLOCATOR: TrackingAllocator = TrackingAllocator::system();

async fn leak() {
    std::hint::black_box(vec![1_u8; 64].leak());
}

/// Memory is that of this process, so servers are soaked one at a time.
static PROCESS: Mutex<()> = Mutex::const_new(());

/// The address of a server with a route that keeps nothing and one that leaks.
async fn serve() -> String {
    let routes = Routes::new();
    let layer = MemoryLayer::new().without_log().on_report(routes.clone());
    let app = Router::new()
        .route("/steady", get(async || "nothing is kept"))
        .route("/leak", get(leak))
        .layer(layer)
        .nest_service("/memory", dashboard::router(routes, Access::Loopback));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn soak(arguments: Vec<String>) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tower-memory-soak"));
    let run = spawn_blocking(move || command.args(arguments).output());
    let Output {
        status,
        stdout,
        stderr,
    } = run.await.expect("no panic").expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn arguments(all: &[&str]) -> Vec<String> {
    all.iter().map(|&argument| argument.to_owned()).collect()
}

#[tokio::test]
async fn the_status_tells_a_leak_from_a_service_that_is_settled() {
    let _alone = PROCESS.lock().await;
    let server = serve().await;
    let steady = soak(arguments(&["--url", &format!("{server}/steady")])).await;
    assert_eq!(steady.0, Some(0), "{steady:?}");
    assert!(steady.1.starts_with("settled: "), "{steady:?}");
    let leak = soak(arguments(&["--url", &format!("{server}/leak")])).await;
    assert_eq!(leak.0, Some(1), "{leak:?}");
    assert!(
        leak.1
            .starts_with("grows: each request leaves 64.0 B behind; /leak explains"),
        "{leak:?}"
    );
    // Nothing but the verdict where nobody looks.
    assert_eq!(leak.2, "");
}

#[tokio::test]
async fn a_file_of_routes_is_sent_by_weight_and_the_judgement_is_a_page_and_json() {
    let _alone = PROCESS.lock().await;
    let server = serve().await;
    let folder = TempDir::new().expect("a folder");
    let (routes, page) = (
        folder.path().join("routes"),
        folder.path().join("page.html"),
    );
    fs::write(&routes, "# mostly nothing\n\n9 GET /steady\n1 GET /leak\n").expect("room");
    let (routes, report) = (routes.display().to_string(), page.display().to_string());
    let (status, json, said) = soak(arguments(&[
        "--url", &server, "--routes", &routes, "--json", "--report", &report,
    ]))
    .await;
    assert_eq!(status, Some(1), "{said}");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["verdict"], "grows");
    let per_request = json["routes"][0]["per_request"].as_f64().expect("a rate");
    assert_eq!(json["routes"][0]["route"], "/leak");
    assert!((per_request - 6.4).abs() < 0.2, "{per_request}");
    let page = fs::read_to_string(page).expect("a page");
    for part in ["<svg", "/leak", "prefers-color-scheme: dark", &server] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("src="), "it loads nothing");
}

#[tokio::test]
async fn what_can_t_be_soaked_is_said_with_status_2() {
    let folder = TempDir::new().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("room");
        path.display().to_string()
    };
    let (empty, wrong) = (
        file("empty", "# nothing\n"),
        file("wrong", "1 GET /\nGET /leak\n"),
    );
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let gone = format!("http://{}", free.local_addr().expect("bound"));
    drop(free);
    for (arguments, sentence) in [
        (
            arguments(&["--url", "localhost:3000"]),
            "`localhost:3000` is no address".to_owned(),
        ),
        (
            arguments(&["--url", &gone, "--routes", &empty]),
            format!("{empty} has no requests"),
        ),
        (
            arguments(&["--url", &gone, "--routes", &wrong]),
            format!("{wrong}, line 2: `GET /leak` is not a weight"),
        ),
        (arguments(&["--url", &gone]), "can't be asked".to_owned()),
    ] {
        let (status, printed, said) = soak(arguments).await;
        assert_eq!(status, Some(2), "{printed}{said}");
        assert!(
            format!("{printed}{said}").contains(&sentence),
            "{sentence} in {printed}{said}"
        );
    }
}
