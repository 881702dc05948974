//! The footprint of a system.

use crate::browser::Browser;
use fantoccini::Locator;
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A system of the engine's tests.
fn system(name: &str) -> Value {
    let systems = Path::new(env!("CARGO_MANIFEST_DIR")).join("../efootprint/tests/systems");
    let file = fs::read(systems.join(format!("{name}.json"))).unwrap();
    serde_json::from_slice(&file).unwrap()
}

/// The names in the table of objects, from top to bottom.
async fn emitters(browser: &Browser) -> Vec<String> {
    let script =
        "return [...document.querySelectorAll('#emitters tbody th a')].map((a) => a.textContent)";
    let names = browser.client.execute(script, vec![]).await.unwrap();
    serde_json::from_value(names).unwrap()
}

/// Waits until a chart is drawn, and returns how it describes itself.
async fn chart(browser: &Browser, selector: &str) -> String {
    // The picture itself is made anew at every change.
    let canvas = format!("{selector} canvas");
    browser
        .client
        .wait()
        .for_element(Locator::Css(&canvas))
        .await
        .unwrap();
    let chart = browser.client.find(Locator::Css(selector)).await.unwrap();
    chart.attr("aria-label").await.unwrap().unwrap()
}

/// How many colours a chart has.
async fn colours(browser: &Browser, selector: &str) -> u64 {
    let script = "
        const canvas = document.querySelector(arguments[0] + ' canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size";
    let colours = browser
        .client
        .execute(script, vec![json!(selector)])
        .await
        .unwrap();
    colours.as_u64().unwrap()
}

#[tokio::test]
async fn a_person_sees_what_a_system_emits_over_time_by_cause_and_by_object() {
    let Some(browser) = Browser::open("results").await else {
        return;
    };
    browser.upload("mixed.json", &system("mixed_example")).await;
    assert_eq!(browser.text("#total").await, "23.95 kg");
    let categories = browser.text("#categories").await;
    assert!(
        categories.contains("External APIs 1.57 14.4 16 66.6 %"),
        "{categories}"
    );
    assert!(
        categories.contains("Total 5.72 18.2 24 100 %"),
        "{categories}"
    );

    let over_time = chart(&browser, "#over-time").await;
    assert!(
        over_time.contains("by month, by category and phase; 23.95 kg in all"),
        "{over_time}"
    );
    assert!(colours(&browser, "#over-time").await > 10);
    let flows = chart(&browser, "#flows").await;
    assert!(
        flows.contains(
            "Attribution of 23.95 kg, from the system over France 5.717 kg, France 18.23 kg"
        ),
        "{flows}"
    );
    assert!(colours(&browser, "#flows").await > 10);

    assert_eq!(emitters(&browser).await[..2], ["VGen", "Dev"]);
    browser.click("#emitters [data-sort='name'] button").await;
    assert_eq!(emitters(&browser).await[..2], ["App", "B-HDD"]);
    browser.click("#emitters [data-sort='name'] button").await;
    assert_eq!(emitters(&browser).await[..2], ["VGen", "Srv"]);
    browser.click("#emitters [data-sort='use'] button").await;
    assert_eq!(
        emitters(&browser).await[..2],
        ["VGen", "Default mobile network"]
    );

    // A link of the table leads to the object, whose values explain themselves.
    browser.click("#emitters [data-id='Srv'] a").await;
    let computed = browser.text("[data-id='Srv'] .computed").await;
    assert!(
        computed.contains("RAM × utilization rate − occupied RAM (§ 4.9)"),
        "{computed}"
    );
    browser
        .click("[data-id='Srv'] [aria-label='Chart of nb_of_instances']")
        .await;
    let series = chart(&browser, "[data-id='Srv'] .series .chart").await;
    assert_eq!(series, "nb_of_instances, by the day, in concurrent");

    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    let origin = format!("http://{}/", browser.server.address);
    let requested = browser.requested(&origin).await;
    assert!(
        requested.iter().any(|url| url.contains("/echarts-")),
        "{requested:?}"
    );
    assert!(
        requested.iter().all(|url| url.starts_with(&origin)),
        "{requested:?}"
    );
    browser.close().await;
}

#[tokio::test]
async fn what_a_system_can_t_have_is_told_beside_the_object_and_the_rest_stays_visible() {
    let Some(browser) = Browser::open("impossible").await else {
        return;
    };
    let mut system = system("mixed_example");
    system["Server"]["Srv"]["utilization_rate"]["value"] = json!(0.001);
    browser.upload("impossible.json", &system).await;
    let problem = browser.text("#impossible-list").await;
    assert!(
        problem.starts_with(
            "Server “Srv” has 0.128 gigabyte_ram of usable RAM, needs 2; give it more RAM"
        ),
        "{problem}"
    );
    let total = browser.text("#total").await;
    assert!(total.ends_with("kg, a part of the total"), "{total}");
    let beside = browser.text("#emitters [data-id='Srv'] .trouble").await;
    assert!(problem.starts_with(&beside), "{beside}");
    let row = browser.text("#emitters [data-id='Srv']").await;
    assert!(row.ends_with("Server ? ? ?"), "{row}");
    let other = browser.text("#emitters [data-id='Lap']").await;
    assert!(other.ends_with("Device 0.407 0.088 0.495"), "{other}");
    chart(&browser, "#flows").await;

    // Chromium notes the refusal itself; the page has nothing to add.
    let complaints = browser.complaints().await;
    assert!(
        complaints
            .iter()
            .all(|complaint| complaint["source"] == "network"),
        "{complaints:?}"
    );
    browser.close().await;
}

#[tokio::test]
async fn charts_follow_the_colour_scheme_and_the_choices_of_the_person() {
    let Some(browser) = Browser::open("choices").await else {
        return;
    };
    browser.upload("mixed.json", &system("mixed_example")).await;
    chart(&browser, "#flows").await;
    let dark = json!({"features": [{"name": "prefers-color-scheme", "value": "dark"}]});
    browser.chrome("Emulation.setEmulatedMedia", dark).await;
    chart(&browser, "#flows").await;
    assert!(colours(&browser, "#over-time").await > 10);

    let choose = async |control: &str, choice: &str| {
        let control = browser.client.find(Locator::Id(control)).await.unwrap();
        control.select_by_label(choice).await.unwrap();
    };
    choose("phase", "use").await;
    browser
        .text("#flows[aria-label^='Attribution of 18.23 kg']")
        .await;
    choose("step", "day").await;
    browser.text("#over-time[aria-label*='by day']").await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    browser.close().await;
}

async fn resize(browser: &Browser, width: u32, height: u32) {
    let metrics =
        json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    let set = "Emulation.setDeviceMetricsOverride";
    browser.chrome(set, metrics).await;
}

#[tokio::test]
async fn the_example_of_an_empty_page_has_shares_of_one_unit_and_three_digits() {
    let Some(browser) = Browser::open("example").await else {
        return;
    };
    browser.click("#example").await;
    assert_eq!(browser.text("#total").await, "23.95 kg");
    let unit = browser.text("#categories-unit").await;
    assert_eq!(unit, "In kg of CO2 equivalents");
    let cells = browser.text("#categories").await;
    let mut words = cells.split_whitespace();
    assert!(words.all(|word| word != "kg" && word != "g"), "{cells}");
    let script = "
        const done = arguments[0];
        import('/numbers.js').then(({ percent }) => done(percent(0.000004013)))";
    let share = browser.client.execute_async(script, vec![]);
    assert_eq!(share.await.unwrap(), "< 0.1 %");
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_no_number_and_no_date_breaks_and_the_page_is_no_wider_than_it() {
    let Some(browser) = Browser::open("phone-numbers").await else {
        return;
    };
    resize(&browser, 360, 740).await;
    browser.upload("mixed.json", &system("mixed_example")).await;
    chart(&browser, "#flows").await;
    browser.click("#emitters [data-id='Srv'] a").await;
    browser.text("[data-id='Srv'] .computed").await;
    let script = "
        const pieces = [...document.querySelectorAll('td.number, .whole')];
        const broken = pieces.filter((piece) => {
          const range = document.createRange();
          range.selectNodeContents(piece);
          return new Set([...range.getClientRects()].map((rect) => rect.top)).size > 1;
        });
        return [pieces.length, broken.map((piece) => piece.textContent),
          document.documentElement.scrollWidth,
          // What is wider scrolls within its box.
          [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > 360
            && !one.closest('.wide, .scrolled, .object')).map((one) => one.outerHTML.slice(0, 200))];";
    let seen = browser.client.execute(script, vec![]).await.unwrap();
    assert!(seen[0].as_u64().unwrap() > 40, "{seen}");
    assert_eq!(seen[1], json!([]), "{seen}");
    assert!(seen[2].as_u64().unwrap() <= 360, "{seen}");
    browser.close().await;
}

#[tokio::test]
async fn a_wide_window_is_the_diagram_s() {
    let Some(browser) = Browser::open("wide").await else {
        return;
    };
    resize(&browser, 1440, 900).await;
    browser.upload("mixed.json", &system("mixed_example")).await;
    chart(&browser, "#flows").await;
    let script = "
        const { left, right } = document.getElementById('flows').getBoundingClientRect();
        return [left, right, document.documentElement.scrollWidth]";
    let seen = browser.client.execute(script, vec![]).await.unwrap();
    let edge = |place: usize| seen[place].as_f64().unwrap();
    assert!(edge(1) - edge(0) > 1_350.0, "{seen}");
    assert!(edge(0) >= 0.0 && edge(2) <= 1_440.0, "{seen}");
    browser.close().await;
}
