//! Loading systems, looking at them, removing them.

use crate::browser::Browser;
use fantoccini::Locator;
use serde_json::{Value, json};

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
    let empty = browser.text("#no-systems").await;
    assert!(empty.starts_with("None yet. Load an example"), "{empty}");
    assert!(empty.contains("how much the allocator kept"), "{empty}");

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
    let empty = browser.text("#no-systems").await;
    assert!(empty.starts_with("None yet. Load an example"), "{empty}");
    assert!(empty.contains("how much the allocator kept"), "{empty}");

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
    let empty = browser.text("#no-systems").await;
    assert!(empty.starts_with("None yet. Load an example"), "{empty}");
    assert!(empty.contains("how much the allocator kept"), "{empty}");

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
    let empty = browser.text("#no-systems").await;
    assert!(empty.starts_with("None yet. Load an example"), "{empty}");
    assert!(empty.contains("how much the allocator kept"), "{empty}");
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
