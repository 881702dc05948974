//! The dashboard: who may ask, what it answers, and the page in a real browser.
#![cfg(feature = "dashboard")]

#[path = "support/browser.rs"]
mod browser;

use axum::{
    Router,
    extract::{Path, connect_info::MockConnectInfo},
    routing::get,
};
use browser::Browser;
use fantoccini::{Locator, key::Key};
use serde_json::{Value, json};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tower_memory::{
    MIB, MemoryLayer,
    dashboard::{self, Access},
    resident::{ReadResident, Resident},
    routes::Routes,
};

/// A label that would run if it were taken for markup.
const MARKUP: &str = "<img src=x onerror=alert(1)>";

/// A process whose resident set is set by requests.
#[derive(Clone)]
struct Process(Arc<AtomicU64>);

impl ReadResident for Process {
    fn read(&self) -> io::Result<Resident> {
        Ok(Resident::new(self.0.load(Ordering::SeqCst), 0))
    }

    fn may_block(&self) -> bool {
        false
    }
}

/// `/at/{mib}` sets the resident set to that many mebibytes plus one, and the dashboard is at
/// `/memory`.
fn app(access: Access) -> Router {
    let process = Process(Arc::new(AtomicU64::new(MIB)));
    let routes = Routes::new();
    let layer = MemoryLayer::new()
        .warn_above(100 * MIB)
        .resolution(Duration::ZERO)
        .reader(process.clone())
        .without_log()
        .on_report(routes.clone())
        .route_with(|request| match request.uri.query() {
            Some(_) => Some(MARKUP.into()),
            None => Some("/at/{mib}".into()),
        });
    let set = move |Path(mib): Path<u64>| async move {
        process.0.store((1 + mib) * MIB, Ordering::SeqCst);
    };
    Router::new()
        .route("/at/{mib}", get(set))
        .layer(layer)
        .nest_service("/memory", dashboard::router(routes, access))
}

struct Served {
    address: SocketAddr,
    task: JoinHandle<io::Result<()>>,
}

impl Served {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let service = app(Access::Loopback).into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async { axum::serve(listener, service).await });
        Self { address, task }
    }

    async fn send(&self, head: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("accepted");
        let request = format!("{head}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        stream
    }

    /// The whole response to a request from this machine.
    async fn ask(&self, request_line: &str) -> String {
        let head = format!("{request_line} HTTP/1.1\r\nhost: {}", self.address);
        let mut answer = String::new();
        let mut stream = self.send(&head).await;
        stream.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    async fn figures(&self) -> Value {
        let answer = self.ask("GET /memory/figures.json").await;
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        serde_json::from_str(body).expect("JSON")
    }
}

fn status(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default()
}

#[tokio::test]
async fn this_machine_sees_the_page_and_its_figures_wherever_they_are_nested() {
    let served = Served::new().await;
    for path in ["/memory", "/memory/"] {
        let page = served.ask(&format!("GET {path}")).await;
        assert!(page.contains("<title>Memory</title>"), "{page:.200}");
        for header in [
            "content-security-policy: default-src 'none'",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
        ] {
            assert!(page.contains(header), "{page:.600}");
        }
    }
    served.ask("GET /at/300").await;
    let figures = served.figures().await;
    let route = &figures["routes"][0];
    assert_eq!(route["growth"]["sum"], 300 * MIB);
    assert_eq!(route["last_warning"]["verdict"], "unmetered");
    assert_eq!(figures["warnings"][0]["route"], route["route"]);
    assert_eq!(figures["level"], "watch");
}

#[tokio::test]
async fn the_dashboard_itself_is_not_counted() {
    let served = Served::new().await;
    served.figures().await;
    assert_eq!(served.figures().await["routes"], json!([]));
}

#[tokio::test]
async fn nothing_can_be_sent_to_it() {
    let served = Served::new().await;
    for path in ["/memory", "/memory/figures.json", "/memory/events"] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = served.ask(&format!("{method} {path}")).await;
            assert_eq!(status(&answer), "HTTP/1.1 405 Method Not Allowed");
        }
    }
}

#[tokio::test]
async fn a_request_that_could_be_of_another_machine_is_refused_with_the_way_in() {
    let served = Served::new().await;
    for (headers, reason) in [
        (
            "host: 127.0.0.1\r\nx-forwarded-for: 10.0.0.1",
            "a proxy passed",
        ),
        ("host: 127.0.0.1\r\nvia: 1.1 proxy", "a proxy passed"),
        (
            "host: 127.0.0.1\r\nforwarded: for=10.0.0.1",
            "a proxy passed",
        ),
        (
            "host: 127.0.0.1\r\ncf-connecting-ip: 10.0.0.1",
            "a proxy passed",
        ),
        (
            "host: 127.0.0.1\r\ntrue-client-ip: 10.0.0.1",
            "a proxy passed",
        ),
        ("host: 127.0.0.1\r\nx-client-ip: 10.0.0.1", "a proxy passed"),
        (
            "host: 127.0.0.1\r\nfastly-client-ip: 10.0.0.1",
            "a proxy passed",
        ),
        ("host: rebound.example", "as localhost or 127.0.0.1"),
        (
            "host: 127.0.0.1\r\nhost: rebound.example",
            "as localhost or 127.0.0.1",
        ),
        (
            "host: 127.0.0.1.rebound.example",
            "as localhost or 127.0.0.1",
        ),
    ] {
        let head = format!("GET /memory/figures.json HTTP/1.1\r\n{headers}");
        let mut answer = String::new();
        let mut stream = served.send(&head).await;
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert_eq!(status(&answer), "HTTP/1.1 403 Forbidden", "{headers}");
        assert!(answer.contains(reason), "{headers}: {answer}");
        assert!(!answer.contains("resident"), "{answer}");
    }
}

#[tokio::test]
async fn a_proxy_that_speaks_http_1_0_is_refused() {
    let served = Served::new().await;
    let head = "GET /memory HTTP/1.0\r\nhost: 127.0.0.1";
    let mut answer = String::new();
    let mut stream = served.send(head).await;
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(status(&answer).ends_with("403 Forbidden"), "{answer}");
}

#[tokio::test]
async fn another_machine_is_refused_unless_anyone_may_ask() {
    use tower::ServiceExt;
    let far = MockConnectInfo(SocketAddr::from(([203, 0, 113, 9], 443)));
    let mapped = MockConnectInfo(SocketAddr::from((
        std::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped(),
        443,
    )));
    let status = |app: Router| async {
        let request = http::Request::get("/memory").header("host", "localhost:3000");
        let request = request.body(axum::body::Body::empty()).expect("a request");
        app.oneshot(request)
            .await
            .expect("an answer")
            .status()
            .as_u16()
    };
    assert_eq!(status(app(Access::Loopback).layer(far)).await, 403);
    assert_eq!(status(app(Access::Loopback)).await, 403, "nobody knows who");
    assert_eq!(status(app(Access::Loopback).layer(mapped)).await, 200);
    assert_eq!(status(app(Access::Anyone).layer(far)).await, 200);
}

#[tokio::test]
async fn the_events_tell_all_first_and_then_what_is_new() {
    let served = Served::new().await;
    served.ask("GET /at/1").await;
    let head = format!("GET /memory/events HTTP/1.1\r\nhost: {}", served.address);
    let mut lines = BufReader::new(served.send(&head).await).lines();
    let mut events = Vec::new();
    while events.len() < 3 {
        let line = timeout(Duration::from_secs(20), lines.next_line()).await;
        let line = line.expect("in time").expect("sent").expect("more");
        if let Some(data) = line.strip_prefix("data: ") {
            events.push(serde_json::from_str::<Value>(data).expect("JSON"));
        }
    }
    let first = |event: &Value| event["seconds"]["at"][0].as_f64().expect("a time");
    assert!(
        events
            .iter()
            .all(|event| event["routes"][0]["requests"] == 1)
    );
    assert!(first(&events[2]) > first(&events[0]), "{events:#?}");
    let samples = events[2]["seconds"]["at"]
        .as_array()
        .expect("samples")
        .len();
    assert!((1..=3).contains(&samples), "{events:#?}");
}

/// A browser on the dashboard of a server of its own.
async fn open(test: &str) -> Option<(Browser, Served, String)> {
    let browser = Browser::start(test).await?;
    let served = Served::new().await;
    let page = format!("http://{}/memory", served.address);
    Some((browser, served, page))
}

/// The first column of the table of routes.
async fn rows(browser: &Browser) -> Value {
    let script = "return [...document.querySelectorAll('#routes tbody tr')].map((row) => row.cells[0].textContent)";
    browser.run(script).await
}

#[tokio::test]
async fn a_person_sees_which_route_grew_the_process_and_what_to_do() {
    let Some((browser, served, page)) = open("dashboard").await else {
        return;
    };
    served.ask("GET /at/300").await;
    served.ask("GET /at/350?markup").await;
    browser.client.goto(&page).await.expect("the page");

    let sentence = browser.text("#sentence").await;
    assert!(!sentence.starts_with("Waiting"), "{sentence}");
    browser
        .eventually("return document.querySelectorAll('#routes tbody tr').length === 2")
        .await;
    let sentence = browser.text("#sentence").await;
    assert!(
        sentence.contains("One warning in the last ten minutes"),
        "{sentence}"
    );
    assert!(browser.text("#next-step").await.contains("heap meter"));
    let warnings = browser.text("#warnings").await;
    assert!(
        warnings.contains("GET /at/{mib} 200, 1.0 MiB → 301.0 MiB unmetered"),
        "{warnings}"
    );
    assert!(
        warnings.contains("Install a heap meter, which is two lines"),
        "{warnings}"
    );

    // Input from outside is shown as text.
    assert_eq!(rows(&browser).await, json!(["/at/{mib}", MARKUP]));
    assert!(!browser.has("#routes img").await);

    // Sorts by name and back, with the keyboard alone.
    let head = Locator::Css("#routes th:first-child button");
    let head = browser.client.find(head).await.expect("a heading");
    head.send_keys(&char::from(Key::Enter).to_string())
        .await
        .expect("pressed");
    assert_eq!(rows(&browser).await, json!(["/at/{mib}", MARKUP]));
    head.send_keys(&char::from(Key::Enter).to_string())
        .await
        .expect("pressed");
    assert_eq!(rows(&browser).await, json!([MARKUP, "/at/{mib}"]));
    assert!(
        browser
            .has("#routes th:first-child[aria-sort=descending]")
            .await
    );

    let filter = browser
        .client
        .find(Locator::Id("filter"))
        .await
        .expect("a filter");
    filter.send_keys("AT/").await.expect("typed");
    assert_eq!(rows(&browser).await, json!(["/at/{mib}"]));
    assert_eq!(browser.text("#shown").await, "1 of 2");

    // New figures appear without a reload.
    served.ask("GET /at/700").await;
    browser
        .eventually("return document.querySelectorAll('#warnings li').length === 2")
        .await;

    // The line of the resident set and the marks of the warnings are drawn, in their exact colours.
    let drawn = "const canvas = document.querySelector('#chart canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const colours = new Set(new Uint32Array(data.buffer));
        const style = getComputedStyle(document.documentElement);
        return ['--rss', '--warning'].every((name) => {
            const [red, green, blue] = style.getPropertyValue(name).match(/[0-9a-f]{2}/g);
            return colours.has(parseInt('ff' + blue + green + red, 16));
        })";
    browser.eventually(drawn).await;
    browser.click("[data-range=minutes]").await;
    assert!(browser.has("[data-range=minutes][aria-pressed=true]").await);
    browser.eventually(drawn).await;

    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    let requested = browser.requested(&page).await;
    let own = [page.clone(), format!("{page}/events")];
    assert!(
        requested.iter().all(|address| own.contains(address)),
        "{requested:?}"
    );
    browser.close().await;
}

#[tokio::test]
async fn the_page_suits_a_phone_and_the_dark() {
    let Some((browser, served, page)) = open("phone").await else {
        return;
    };
    served.ask("GET /at/300").await;
    browser.client.goto(&page).await.expect("the page");
    browser
        .eventually("return document.querySelector('#routes tbody tr') !== null")
        .await;
    assert_eq!(browser.background().await, "rgba(246, 247, 249, 1)");
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    browser.chrome("Emulation.setEmulatedMedia", dark).await;
    assert_eq!(browser.background().await, "rgba(18, 22, 29, 1)");

    let phone = json!({"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true});
    browser
        .chrome("Emulation.setDeviceMetricsOverride", phone)
        .await;
    let fits = "return document.documentElement.scrollWidth <= innerWidth
        && document.querySelector('#chart canvas').getBoundingClientRect().right <= innerWidth";
    browser.eventually(fits).await;
    // The most important part is in sight.
    let seen = "return document.querySelector('#routes th:nth-child(2)').getBoundingClientRect().right <= innerWidth";
    browser.eventually(seen).await;
    browser.close().await;
}

/// Waits until the page says that its server sends no more figures.
async fn assert_says_that_no_figures_come(browser: &Browser) {
    let said =
        "return document.querySelector('#connection').textContent.startsWith('no figures since')";
    browser.eventually(said).await;
}

async fn live(test: &str) -> Option<(Browser, Served)> {
    let (browser, served, page) = open(test).await?;
    browser.client.goto(&page).await.expect("the page");
    let live = "return document.querySelector('#connection').textContent === 'live'";
    browser.eventually(live).await;
    Some((browser, served))
}

#[tokio::test]
async fn a_page_whose_server_is_gone_says_since_when() {
    let Some((browser, served)) = live("gone").await else {
        return;
    };
    served.task.abort();
    assert_says_that_no_figures_come(&browser).await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_whose_server_hangs_says_since_when() {
    let Some((browser, served)) = live("hangs").await else {
        return;
    };
    served.task.abort();
    let _ = served.task.await;
    let silent = TcpListener::bind(served.address).await.expect("free again");
    let hang = tokio::spawn(async move {
        let mut unanswered = Vec::new();
        while let Ok((stream, _)) = silent.accept().await {
            unanswered.push(stream);
        }
    });
    assert_says_that_no_figures_come(&browser).await;
    hang.abort();
    browser.close().await;
}
