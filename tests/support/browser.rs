//! Headless Chromium, driven through chromedriver. The demo's tests use this file, too.

// Each file of tests is a crate of its own and uses its part; the lint knows test functions only.
#![allow(dead_code, clippy::unwrap_used)]

use axum::http::Method;
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use url::{ParseError, Url};

/// A browser with a profile of its own.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    /// Holds the browser's profile and the test's files, until the test ends well.
    pub(crate) directory: PathBuf,
}

impl Browser {
    /// Starts a browser, or returns `None` if there is none.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut driver = match driver {
            Ok(driver) => driver,
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && env::var("CI").as_deref() != Ok("true") =>
            {
                eprintln!("skipped: chromedriver is not installed");
                return None;
            }
            Err(error) => panic!("chromedriver does not start: {error}"),
        };
        let port = driver_port(&mut driver).await;
        let directory = format!("browser-{}-{test}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(directory);
        fs::create_dir(&directory).unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&directory.join("profile")))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        Some(Self {
            client,
            driver,
            directory,
        })
    }

    /// Waits for an element that is displayed and returns its text.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let element = self.element(selector).await;
        let displayed = async { while !element.is_displayed().await.unwrap() {} };
        let in_time = timeout(Duration::from_secs(60), displayed).await;
        assert!(in_time.is_ok(), "{selector} stays hidden");
        element.text().await.unwrap()
    }

    /// Waits until a script returns something, and returns it.
    pub(crate) async fn eventually(&self, script: &str) -> Value {
        let wait = async {
            loop {
                let value = self.run(script).await;
                if value != Value::Null && value != json!(false) {
                    break value;
                }
            }
        };
        let value = timeout(Duration::from_secs(30), wait).await;
        value.unwrap_or_else(|_| panic!("never true: {script}"))
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// As wide as a screen of this many pixels.
    pub(crate) async fn widen(&self, width: u32) {
        let screen =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600});
        self.chrome("Emulation.setDeviceMetricsOverride", screen)
            .await;
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.element(selector).await.click().await.unwrap();
    }

    /// Waits for an element.
    async fn element(&self, selector: &str) -> Element {
        let wait = self.client.wait();
        wait.for_element(Locator::Css(selector)).await.unwrap()
    }

    pub(crate) async fn command(&self, path: &'static str, body: Value) -> Value {
        self.client
            .issue_cmd(ChromeCommand { path, body })
            .await
            .unwrap()
    }

    pub(crate) async fn chrome(&self, method: &str, parameters: Value) {
        let body = json!({"cmd": method, "params": parameters});
        self.command("goog/cdp/execute", body).await;
    }

    pub(crate) async fn has(&self, selector: &str) -> bool {
        let found = self.client.find_all(Locator::Css(selector)).await.unwrap();
        !found.is_empty()
    }

    /// Console messages that a user should not see.
    pub(crate) async fn complaints(&self) -> Vec<Value> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        log.as_array().unwrap().clone()
    }

    /// Every address that the page requested, its own first.
    pub(crate) async fn requested(&self, page: &str) -> Vec<String> {
        let log = self.command("se/log", json!({"type": "performance"})).await;
        let events = log.as_array().unwrap().iter().map(|entry| -> Value {
            serde_json::from_str(entry["message"].as_str().unwrap()).unwrap()
        });
        events
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|mut event| event["message"]["params"].take())
            // Chromium shows a new tab first, which is a document of many files of its own.
            .filter(|request| {
                let document = request["documentURL"].as_str().unwrap();
                document.starts_with(page)
            })
            .map(|request| request["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) async fn background(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.unwrap();
        body.css_value("background-color").await.unwrap()
    }

    pub(crate) async fn close(mut self) {
        self.client.close().await.unwrap();
        self.driver.kill().await.unwrap();
        fs::remove_dir_all(self.directory).unwrap();
    }
}

/// The port that chromedriver took.
async fn driver_port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return port.trim_end_matches('.').parse().unwrap();
        }
    }
}

fn capabilities(profile: &Path) -> Capabilities {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1000,900",
        &format!("--user-data-dir={}", profile.display()),
    ];
    let capabilities = json!({
        "goog:chromeOptions": {"args": arguments},
        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
    });
    serde_json::from_value(capabilities).unwrap()
}

/// A command that Chromium has and WebDriver doesn't.
#[derive(Debug)]
struct ChromeCommand {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for ChromeCommand {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
