//! The dashboard of the demo.

use crate::browser::Browser;
use fantoccini::Locator;
use serde_json::json;

#[tokio::test]
async fn a_person_finds_the_way_from_the_page_to_its_memory() {
    let Some(browser) = Browser::open("memory").await else {
        return;
    };
    let system = json!({
        "efootprint_version": "27.0.0",
        "System": {"s": {"id": "s", "name": "s", "usage_patterns": [], "edge_usage_patterns": []}},
    });
    browser.upload("s.json", &system).await;
    browser.text("#system-title").await;
    browser.click("footer a").await;
    let row = Locator::XPath("//table[@id='routes']//th[.='/api/systems']");
    browser.client.wait().for_element(row).await.unwrap();
    // The binary has a heap meter.
    let sentence = browser.text("#sentence").await;
    assert!(sentence.contains(" in use, "), "{sentence}");
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");
    browser.close().await;
}
