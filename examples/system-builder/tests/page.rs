//! The page in a real browser: headless Chromium, driven through chromedriver.
//!
//! Without chromedriver these tests are skipped with a note, unless `CI` is `true`.

mod binary;

use binary::Binary;
use fantoccini::{
    Client, ClientBuilder, Locator,
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

/// A browser on the page of a server of its own.
struct Browser {
    client: Client,
    server: Binary,
    driver: Child,
    /// Holds the browser's profile and the files to upload, until the test ends well.
    directory: PathBuf,
}

impl Browser {
    /// Opens the page, or returns `None` where there is no browser to open it.
    async fn open(test: &str) -> Option<Self> {
        Self::open_with(test, &[]).await
    }

    /// Opens the page of a server with these flags.
    async fn open_with(test: &str, flags: &[&str]) -> Option<Self> {
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
        let directory = format!("page-{}-{test}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(directory);
        fs::create_dir(&directory).unwrap();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&directory.join("profile")))
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        let server = Binary::with_flags(flags).await;
        client
            .goto(&format!("http://{}/", server.address))
            .await
            .unwrap();
        Some(Self {
            client,
            server,
            driver,
            directory,
        })
    }

    /// Chooses a file in the page, as a person does.
    async fn upload(&self, name: &str, content: &Value) {
        let file = self.directory.join(name);
        fs::write(&file, content.to_string()).unwrap();
        let input = self.client.find(Locator::Id("file")).await.unwrap();
        input.send_keys(file.to_str().unwrap()).await.unwrap();
    }

    /// Waits for an element that is displayed and returns its text.
    async fn text(&self, selector: &str) -> String {
        let element = self
            .client
            .wait()
            .for_element(Locator::Css(selector))
            .await
            .unwrap();
        let displayed = async { while !element.is_displayed().await.unwrap() {} };
        let in_time = timeout(Duration::from_secs(60), displayed).await;
        assert!(in_time.is_ok(), "{selector} stays hidden");
        element.text().await.unwrap()
    }

    async fn click(&self, selector: &str) {
        let element = self
            .client
            .wait()
            .for_element(Locator::Css(selector))
            .await
            .unwrap();
        element.click().await.unwrap();
    }

    async fn command(&self, path: &'static str, body: Value) -> Value {
        self.client
            .issue_cmd(ChromeCommand { path, body })
            .await
            .unwrap()
    }

    async fn chrome(&self, method: &str, parameters: Value) {
        let body = json!({"cmd": method, "params": parameters});
        self.command("goog/cdp/execute", body).await;
    }

    /// Sets the fragment of the address to the value of an expression.
    async fn go_to_hash(&self, expression: &str) {
        let script = format!("location.hash = {expression}");
        self.client.execute(&script, vec![]).await.unwrap();
    }

    async fn has(&self, selector: &str) -> bool {
        let found = self.client.find_all(Locator::Css(selector)).await.unwrap();
        !found.is_empty()
    }

    /// What the console says, of what a person should not see there.
    async fn complaints(&self) -> Vec<Value> {
        let log = self.command("se/log", json!({"type": "browser"})).await;
        log.as_array().unwrap().clone()
    }

    /// Every address that the page asked for, its own first.
    async fn requested(&self, page: &str) -> Vec<String> {
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

    async fn background(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.unwrap();
        body.css_value("background-color").await.unwrap()
    }

    async fn close(mut self) {
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

    fn method_and_body(&self, _: &Url) -> (axum::http::Method, Option<String>) {
        (axum::http::Method::POST, Some(self.body.to_string()))
    }
}

/// A system with a name that would run if it were taken for markup.
fn system(power_unit: &str) -> Value {
    let quantity =
        |value: f64, unit: &str| json!({"value": value, "unit": unit, "label": "from a test"});
    json!({
        "efootprint_version": "27.0.0",
        "System": {"s": {
            "id": "s",
            "name": "<img src=x onerror=alert(1)>",
            "usage_patterns": [],
            "edge_usage_patterns": [],
        }},
        "Device": {"device-1": {
            "id": "device-1",
            "name": "A laptop",
            "carbon_footprint_manufacturing": quantity(1156.5, "kilogram"),
            "power": quantity(50.0, power_unit),
            "lifespan": quantity(6.0, "year"),
            "fraction_of_usage_time": quantity(7.0, "hour / day"),
        }},
    })
}

#[tokio::test]
async fn a_person_loads_a_system_looks_at_it_and_removes_it() {
    let Some(browser) = Browser::open("load").await else {
        return;
    };
    assert_eq!(browser.text("#no-systems").await, "None yet.");

    browser.upload("good.json", &system("watt")).await;
    assert_eq!(
        browser.text("#system-title").await,
        "<img src=x onerror=alert(1)>"
    );
    assert_eq!(browser.text("#systems .count").await, "2 objects");
    assert_eq!(browser.text("#found").await, "2 objects");

    browser.click("[data-id='device-1'] summary").await;
    let table = browser.text("[data-id='device-1'] table").await;
    assert!(
        table.contains("carbon_footprint_manufacturing 1,156.5 kilogram"),
        "{table}"
    );
    assert!(
        table.contains("fraction_of_usage_time 7 hour / day"),
        "{table}"
    );

    let search = browser.client.find(Locator::Id("search")).await.unwrap();
    search.send_keys("laptop").await.unwrap();
    assert_eq!(browser.text("#found").await, "1 of 2 objects");
    assert_eq!(browser.text("#classes .class > summary").await, "Device1");

    browser.click("#systems button").await;
    browser.client.accept_alert().await.unwrap();
    assert_eq!(browser.text("#no-systems").await, "None yet.");

    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    let origin = format!("http://{}/", browser.server.address);
    let requested = browser.requested(&origin).await;
    assert!(requested.len() > 5, "{requested:?}");
    assert!(
        requested.iter().all(|url| url.starts_with(&origin)),
        "{requested:?}"
    );
    browser.close().await;
}

#[tokio::test]
async fn a_refused_file_is_explained_with_its_place() {
    let Some(browser) = Browser::open("refuse").await else {
        return;
    };
    browser.upload("bad.json", &system("parsec")).await;
    let problem = browser.text("#problem").await;
    assert!(problem.contains("Unknown unit"), "{problem}");
    for (name, value) in [
        ("class", "Device"),
        ("object", "device-1"),
        ("attribute", "power"),
    ] {
        assert!(problem.contains(&format!("{name}\n{value}")), "{problem}");
    }
    assert_eq!(browser.text("#no-systems").await, "None yet.");

    // Chromium notes the refusal itself; the page has nothing to add.
    let complaints = browser.complaints().await;
    assert_eq!(complaints.len(), 1, "{complaints:?}");
    assert_eq!(complaints[0]["source"], "network");

    browser.upload("good.json", &system("watt")).await;
    browser.text("#system").await;
    assert!(
        !browser
            .client
            .find(Locator::Id("problem"))
            .await
            .unwrap()
            .is_displayed()
            .await
            .unwrap()
    );
    browser.close().await;
}

#[tokio::test]
async fn a_link_leads_to_an_object_beyond_those_that_its_search_lists() {
    let Some(browser) = Browser::open("reveal").await else {
        return;
    };
    let mut file = system("watt");
    let device = file["Device"]["device-1"].clone();
    // Each contains the id of the last one.
    let before = (1000..1300).map(|number| format!("0{number}"));
    for id in before.chain(["1".to_owned()]) {
        file["Device"][&id] = device.clone();
        file["Device"][&id]["id"] = json!(id);
    }
    browser.upload("many.json", &file).await;
    browser.text("#system").await;
    assert!(!browser.has(".object[data-id='1']").await);
    browser.go_to_hash("location.hash + '/1'").await;
    let table = browser.text(".object[data-id='1'] table").await;
    assert!(table.contains("1,156.5 kilogram"), "{table}");
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
}

#[tokio::test]
async fn an_address_that_means_nothing_is_explained() {
    let Some(browser) = Browser::open("address").await else {
        return;
    };
    browser.go_to_hash("'/%'").await;
    let problem = browser.text("#problem").await;
    assert!(problem.contains("There is no system %"), "{problem}");
    browser.close().await;
}

#[tokio::test]
async fn attributes_that_did_not_come_are_fetched_when_the_object_is_unfolded_again() {
    let Some(browser) = Browser::open("again").await else {
        return;
    };
    browser.upload("good.json", &system("watt")).await;
    browser.text("#system").await;
    browser.chrome("Network.enable", json!({})).await;
    let block = |urls: Value| browser.chrome("Network.setBlockedURLs", json!({"urls": urls}));
    block(json!(["*/objects/*"])).await;
    browser.click("[data-id='device-1'] summary").await;
    let problem = browser.text("#problem").await;
    assert!(problem.contains("could not be reached"), "{problem}");
    block(json!([])).await;
    browser.click("[data-id='device-1'] summary").await;
    browser.click("[data-id='device-1'] summary").await;
    browser.text("[data-id='device-1'] table").await;
    browser.close().await;
}

#[tokio::test]
async fn an_answer_that_is_not_the_servers_is_explained_and_another_file_can_be_sent() {
    let Some(browser) = Browser::open("answer").await else {
        return;
    };
    let stranger = "Object.defineProperty(XMLHttpRequest.prototype, 'responseText', \
                    {get: () => '<h1>Bad Gateway</h1>'})";
    browser.client.execute(stranger, vec![]).await.unwrap();
    browser.upload("good.json", &system("watt")).await;
    let problem = browser.text("#problem").await;
    assert!(problem.contains("could not be read"), "{problem}");
    browser.text("#upload").await;
    browser.close().await;
}

#[tokio::test]
async fn a_full_store_is_explained_and_has_room_once_a_system_is_removed() {
    let flags = ["--store-limit", "2KiB"];
    let Some(browser) = Browser::open_with("full", &flags).await else {
        return;
    };
    browser.upload("first.json", &system("watt")).await;
    browser.text("#system").await;
    browser.upload("second.json", &system("watt")).await;
    let problem = browser.text("#problem").await;
    assert!(problem.contains("Insufficient Storage"), "{problem}");
    assert!(problem.contains("delete a system"), "{problem}");

    browser.click("#systems button").await;
    browser.client.accept_alert().await.unwrap();
    assert_eq!(browser.text("#no-systems").await, "None yet.");
    browser.upload("third.json", &system("watt")).await;
    browser.text("#system").await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_follows_the_colour_scheme() {
    let Some(browser) = Browser::open("scheme").await else {
        return;
    };
    let mut backgrounds = Vec::new();
    for scheme in ["light", "dark"] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.chrome("Emulation.setEmulatedMedia", features).await;
        backgrounds.push(browser.background().await);
    }
    assert_eq!(
        backgrounds,
        ["rgba(246, 247, 245, 1)", "rgba(19, 23, 21, 1)"]
    );
    browser.close().await;
}

#[tokio::test]
async fn the_page_fits_a_phone() {
    let Some(browser) = Browser::open("phone").await else {
        return;
    };
    let metrics = json!({"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true});
    browser
        .chrome("Emulation.setDeviceMetricsOverride", metrics)
        .await;
    browser.upload("phone.json", &system("watt")).await;
    browser.click("[data-id='device-1'] summary").await;
    browser.text("[data-id='device-1'] table").await;
    let width = browser
        .client
        .execute("return document.documentElement.scrollWidth", vec![])
        .await
        .unwrap();
    assert_eq!(width, 360);
    browser.close().await;
}
