//! What the page makes of figures that a test makes up, in a real browser.
#![cfg(feature = "dashboard")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/figures.rs"]
mod figures;

use axum::{
    Router,
    extract::State,
    response::sse::{Event, Sse},
    routing::get,
};
use browser::Browser;
use figures::{BEGAN, LONG_NAMES, figures, route};
use futures_util::stream;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};
use tower_memory::{
    MIB,
    dashboard::{self, Access},
    routes::Routes,
};

/// The real page, with figures from the test.
struct Told {
    figures: Arc<Mutex<Value>>,
    page: String,
    task: JoinHandle<()>,
}

impl Told {
    async fn serve(figures: Value) -> Self {
        let figures = Arc::new(Mutex::new(figures));
        let app = Router::new()
            .route("/events", get(events))
            .with_state(Arc::clone(&figures))
            .fallback_service(dashboard::router::<()>(Routes::new(), Access::Anyone));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let page = format!("http://{}/", listener.local_addr().expect("bound"));
        let task = tokio::spawn(async { axum::serve(listener, app).await.expect("served") });
        Self {
            figures,
            page,
            task,
        }
    }

    fn end(&self) {
        self.task.abort();
        self.tell(Value::Null);
    }

    fn tell(&self, figures: Value) {
        *self.figures.lock().unwrap_or_else(PoisonError::into_inner) = figures;
    }
}

/// All figures, ten times a second, until there are none.
async fn events(
    State(figures): State<Arc<Mutex<Value>>>,
) -> Sse<impl stream::Stream<Item = Result<Event, Infallible>>> {
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Sse::new(stream::unfold(ticks, move |mut ticks| {
        let figures = Arc::clone(&figures);
        async move {
            ticks.tick().await;
            let now = figures.lock().unwrap_or_else(PoisonError::into_inner);
            if now.is_null() {
                return None;
            }
            let event = Event::default().data(now.to_string());
            drop(now);
            Some((Ok(event), ticks))
        }
    }))
}

async fn open(test: &str, figures: Value) -> Option<(Browser, Told)> {
    let browser = Browser::start(test).await?;
    let told = Told::serve(figures).await;
    browser.client.goto(&told.page).await.expect("the page");
    let live = "return document.querySelector('#connection').textContent === 'live'";
    browser.eventually(live).await;
    Some((browser, told))
}

/// The texts of one row of the table of routes.
async fn row(browser: &Browser, part: &str, place: usize) -> Vec<String> {
    let script = format!(
        "return [...document.querySelectorAll('#routes {part} tr')[{place}].cells].map((cell) => cell.textContent)"
    );
    serde_json::from_value(browser.run(&script).await).expect("texts")
}

#[tokio::test]
async fn the_table_leads_with_live_heap_and_adds_up() {
    let told = figures(json!([
        route("/leak", 384 * MIB, 384 * MIB),
        {"unsent": 60 * MIB, "running": 40 * MIB, "oldest_running": 200.5, "base": route("/job", 100 * MIB, 0)},
    ]));
    let Some((browser, _told)) = open("table", told).await else {
        return;
    };
    assert_eq!(
        row(&browser, "thead", 0).await,
        [
            "Route",
            "Live",
            "Share",
            "Change",
            "Unsent",
            "Running",
            "Retained",
            "Requests",
            "Warnings",
            "Last warning"
        ]
    );
    assert!(
        browser
            .has("#routes th:nth-child(2)[aria-sort=descending]")
            .await
    );
    let leak = row(&browser, "tbody", 0).await;
    assert_eq!(leak[..6], ["/leak", "384.0 MiB", "75 %", "–", "–", "–"]);
    let job = row(&browser, "tbody", 1).await;
    assert_eq!(job[..5], ["/job", "100.0 MiB", "20 %", "–", "60.0 MiB"]);
    assert_eq!(job[5], "40.0\u{a0}MiB, 3\u{a0}min");
    let nobody = row(&browser, "tfoot", 0).await;
    assert_eq!(nobody[..3], ["nobody", "28.0 MiB", "5 %"]);
    let sum = row(&browser, "tfoot", 1).await;
    assert_eq!(sum[..3], ["all live heap", "512.0 MiB", "100 %"]);

    let parts = browser.text("#parts").await;
    for part in [
        "Kept after responses",
        "Unsent responses",
        "the oldest for 3 min. /job 40.0 MiB.",
        "Connections, start-up, and tasks that carry no request. If it keeps rising, copy the small Bytes and header values that you keep: each pins a whole read buffer.",
        "Memory outside Rust's live heap",
        "(glibc), thread stacks, and memory of C code. Only their sum is known.",
    ] {
        assert!(parts.contains(part), "{part}: {parts}");
    }
    assert!(!parts.contains("untouched"), "{parts}");
    browser.close().await;
}

#[tokio::test]
async fn growth_is_not_taken_for_latency() {
    let told = figures(json!([route("/a", MIB, MIB)]));
    let Some((browser, _told)) = open("growth", told).await else {
        return;
    };
    browser.click("[data-view=growth]").await;
    let heads = row(&browser, "thead", 0).await;
    for quantile in ["p50", "p95", "p99"] {
        let head = format!("Growth {quantile}");
        assert!(heads.contains(&head), "{heads:?}");
    }
    assert_eq!(browser.text("#by-route").await, "Growth by route");
    browser.close().await;
}

#[tokio::test]
async fn a_table_without_rows_says_why() {
    let Some((browser, told)) = open("empty", figures(json!([]))).await else {
        return;
    };
    let said = browser.text("#no-routes").await;
    assert!(said.starts_with("No requests yet"), "{said}");
    told.tell(figures(json!([route("/a", MIB, MIB)])));
    browser
        .eventually("return document.querySelector('#no-routes').hidden")
        .await;
    browser
        .client
        .find(fantoccini::Locator::Id("filter"))
        .await
        .expect("a filter")
        .send_keys("nowhere")
        .await
        .expect("typed");
    let said = browser.text("#no-routes").await;
    assert_eq!(said, "No route has this in its name.");
    browser.close().await;
}

#[tokio::test]
async fn no_column_is_cut_on_a_desk_and_long_names_keep_their_ends() {
    let names = LONG_NAMES.map(|name| route(name, 100 * MIB, 100 * MIB));
    let Some((browser, _told)) = open("wide", figures(json!(names))).await else {
        return;
    };
    for width in [1440, 1024] {
        browser.widen(width).await;
        for view in ["growth", "verdicts", "heap"] {
            browser.click(&format!("[data-view={view}]")).await;
            let fits = format!(
                "const {{ scrollWidth, clientWidth }} = document.querySelector('.wide');
                return innerWidth === {width} && scrollWidth <= clientWidth"
            );
            browser.eventually(&fits).await;
        }
        // The end of a name is in its cell, and all of it can be read.
        let ends = browser
            .run(
                "return [...document.querySelectorAll('#routes tbody th')].map((cell) => {
                    const end = cell.querySelector('.name > :last-child');
                    const inside = end.getBoundingClientRect().right <= cell.getBoundingClientRect().right;
                    return [inside, cell.title, cell.textContent];
                })",
            )
            .await;
        assert_eq!(ends, json!(LONG_NAMES.map(|name| (true, name, name))));
    }
    browser.widen(390).await;
    // The sticky column keeps its border.
    let line = "const style = getComputedStyle(document.querySelector('#routes tbody th'));
        return document.documentElement.scrollWidth <= innerWidth
            && getComputedStyle(document.querySelector('#routes')).borderCollapse === 'separate'
            && style.borderBottomWidth === '1px'";
    browser.eventually(line).await;
    browser.close().await;
}

#[tokio::test]
async fn many_routes_are_shown_when_asked_for() {
    let routes: Vec<_> = (0..40)
        .map(|place| route(&format!("/{place}"), (40 - place) * MIB, 0))
        .collect();
    let Some((browser, _told)) = open("many", figures(json!(routes))).await else {
        return;
    };
    let rows = "return document.querySelectorAll('#routes tbody tr').length";
    assert_eq!(browser.run(rows).await, 10);
    assert_eq!(browser.text("#all").await, "Show all 40 routes");
    browser.click("#all").await;
    assert_eq!(browser.run(rows).await, 40);
    browser.close().await;
}

#[tokio::test]
async fn what_the_chart_marks_has_a_legend_and_times_are_those_of_the_log() {
    let mut told = figures(json!([route("/leak", MIB, MIB)]));
    // Half past one in the afternoon, wherever the browser is.
    let at = BEGAN + 30.5 * 60.0;
    told["warnings"] = json!([{
        "at": at, "method": "GET", "route": "/leak", "status": 200, "outcome": "completed",
        "before": MIB, "after": 2 * MIB, "verdict": "retained", "sentence": "It stays", "next_step": null,
    }]);
    let Some(browser) = Browser::start("legend").await else {
        return;
    };
    let zone = json!({"timezoneId": "America/Los_Angeles"});
    browser.chrome("Emulation.setTimezoneOverride", zone).await;
    let served = Told::serve(told.clone()).await;
    browser.client.goto(&served.page).await.expect("the page");
    let warnings = browser.text("#warnings").await;
    assert!(
        warnings.contains("2027-01-15 13:30:30 UTC GET /leak"),
        "{warnings}"
    );
    let chart = browser.text("#chart").await;
    assert!(chart.contains("13:40:00"), "{chart}");
    let marks = browser.text("#marks").await;
    assert!(marks.contains("▼ a request with a warning"), "{marks}");
    assert!(marks.contains("limit of the cgroup"), "{marks}");
    assert!(browser.text("#now").await.contains("Limit (cgroup)"));

    told["limit_kind"] = json!("machine");
    served.tell(told);
    browser
        .eventually(
            "return document.querySelector('#now').textContent.includes('Machine\\'s memory')",
        )
        .await;
    let marks = browser.text("#marks").await;
    assert!(
        marks.contains("the machine's memory; the process has no limit"),
        "{marks}"
    );
    browser.close().await;
}

#[tokio::test]
async fn figures_of_a_server_that_is_gone_fade_and_have_an_age() {
    let told = figures(json!([route("/leak", MIB, MIB)]));
    let Some((browser, served)) = open("fade", told).await else {
        return;
    };
    let host = served
        .page
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let title = browser.client.title().await.expect("a title");
    assert_eq!(title, format!("60 % · {host} · Memory"));
    served.end();
    let faded =
        "return document.querySelector('#connection').textContent.startsWith('no figures since')
        && getComputedStyle(document.querySelector('main')).opacity < .6";
    browser.eventually(faded).await;
    let said = browser.text("#connection").await;
    assert!(
        said.ends_with(" s ago") && said.contains(" UTC, "),
        "{said}"
    );
    assert_eq!(browser.text("#level").await.to_lowercase(), "no answer");
    let title = browser.client.title().await.expect("a title");
    assert_eq!(title, format!("no answer · {host} · Memory"));
    browser.close().await;
}

#[tokio::test]
async fn what_was_seen_before_a_restart_stays() {
    let mut first = figures(json!([route("/before", 300 * MIB, 300 * MIB)]));
    first["warnings"] = json!([{
        "at": BEGAN + 60.0, "method": "GET", "route": "/before", "status": 200, "outcome": "completed",
        "before": MIB, "after": 2 * MIB, "verdict": "retained", "sentence": "It stays", "next_step": null,
    }]);
    let Some((browser, served)) = open("restart", first.clone()).await else {
        return;
    };
    assert!(
        !browser
            .run("return document.querySelector('#before').hidden === false")
            .await
            .as_bool()
            .expect("a bool")
    );
    let mut second = figures(json!([route("/after", MIB, MIB)]));
    let began = BEGAN + 45.0 * 60.0;
    second["began_at"] = json!(began);
    second["at"] = json!(began + 2.0);
    for series in ["seconds", "minutes"] {
        second[series] = json!({"at": [began], "resident": [9 * MIB], "live": [8 * MIB], "held": [MIB], "in_flight": [0]});
    }
    served.tell(second);
    browser
        .eventually("return document.querySelector('#routes tbody').textContent.includes('/after')")
        .await;
    let before = browser.text("#before").await;
    assert!(before.contains("Restarted at"), "{before}");
    assert!(before.contains("/before"), "{before}");
    assert!(before.contains("300.0 MiB"), "{before}");
    assert!(before.contains("What the test says"), "{before}");
    let warnings = browser.text("#warnings").await;
    assert!(warnings.contains("Before the restart at"), "{warnings}");
    assert!(warnings.contains("GET /before"), "{warnings}");
    let marks = browser.text("#marks").await;
    assert!(marks.contains("restarted"), "{marks}");
    // The line of the chart goes back beyond the restart, with a gap.
    let line = "const [moments, resident] = chart.data;
        const gap = resident.indexOf(null);
        return gap > 0 && resident[gap - 1] > 0 && resident[gap + 1] > 0 && moments[0] < figures.began_at";
    assert_eq!(browser.run(line).await, true);
    browser.close().await;
}

#[tokio::test]
async fn what_is_reserved_but_untouched_has_a_line_of_its_own() {
    let mut told = figures(json!([route("/reserve", 484 * MIB, 484 * MIB)]));
    told["resident"] = json!(112 * MIB);
    told["held"] = json!(0);
    let Some((browser, _served)) = open("reserved", told).await else {
        return;
    };
    let parts = browser.text("#parts").await;
    assert!(
        parts.contains("Reserved but untouched\n440.0 MiB"),
        "{parts}"
    );
    browser.close().await;
}
