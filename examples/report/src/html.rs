//! The report as a page: one file that loads nothing. What comes from the log is escaped by the template.

use super::{
    advice,
    figures::{Figures, Growth},
    live::Readings,
    memory, plot,
    process::Totals,
    routes::Route,
    sentences,
    steps::Steps,
    text,
    words::{change, count, minute, net, size, size_or_dash, step, time, visible},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What every such page begins with, so that nothing else is overwritten.
pub(crate) const BEGINNING: &str = r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="generator" content="tower-memory report">"#;

/// Columns of text among those of figures.
const WORDS: [&str; 3] = ["Next step", "Verdicts", "Grew most"];

/// Routes with a plot of their live heap.
const PLOTS: usize = 6;

const STYLE: &str = include_str!("page.css");

/// Nothing but this very style. The hash is the SHA-256 of it; a test says what it should be.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'sha256-pKe+J/kCfGkYl/wlpu5AGiWi/XP2q6nmyUhwI4+zwlM='; base-uri 'none'; form-action 'none'";

pub(crate) fn page(title: &str, figures: &Figures) -> String {
    let steps = figures.steps.within(usize::MAX);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content="tower-memory report";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { "Memory report of " (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(title, figures))
                main {
                    @if figures.is_owned() { (live_heap(figures)) }
                    (over_time(&steps))
                    (routes(figures))
                    (largest(figures))
                    (by_step(figures, &steps))
                }
            }
        }
    };
    page.into_string()
}

fn header(title: &str, figures: &Figures) -> Markup {
    html! {
        header {
            h1 { "Memory report of " (title) }
            @if let Some(period) = sentences::period(figures) { p { (period) } }
            ul.said {
                @for sentence in sentences::summary(figures) { li { (sentence) } }
            }
            p.quiet { (sentences::coverage(figures)) }
            p.quiet { (sentences::lines(figures)) }
        }
    }
}

/// A plot of each route that rises, or of those that hold most.
fn live_heap(figures: &Figures) -> Markup {
    let mut routes = figures.routes.rising();
    if routes.is_empty() {
        routes = figures.routes.sorted();
        routes.retain(|route| route.live.at_end().is_some_and(|live| live > 0));
    }
    html! {
        section aria-labelledby="live-heap" {
            h2 id="live-heap" { "Live heap by route" }
            p.quiet { "What requests of the route own, at its lowest in each step of time. " (sentences::TREND_OF_A_ROUTE) }
            div.small {
                @for route in routes.iter().take(PLOTS) {
                    figure {
                        figcaption { b.live { (visible(&route.name)) } ": " (memory::word(route)) ", " (change(route.live.change())) }
                        (plot::level(route.live.steps(), &format!("Live heap of {}", visible(&route.name)), Readings::low))
                    }
                }
            }
        }
    }
}

fn over_time(steps: &Steps<Totals>) -> Markup {
    let step = step(steps.width());
    html! {
        section aria-labelledby="over-time" {
            h2 id="over-time" { "Over time" }
            figure {
                figcaption { "Growth of all requests by " (step) ". Requests that overlap may report the same growth." }
                (plot::bars(steps, "Growth by time", |totals| Some(totals.growth)))
            }
            figure {
                figcaption {
                    "The most by " (step) " of " b.rss { "resident set" } " and " b.live { "live heap" } ", of the process."
                }
                (plot::lines(steps, "Resident set and live heap by time", &[
                    ("rss", |totals| totals.resident.high()),
                    ("live", |totals| totals.live.high()),
                ]))
            }
        }
    }
}

fn routes(figures: &Figures) -> Markup {
    const LIVE: [&str; 3] = ["Live heap", "Change", "Trend"];
    const HEADS: [&str; 17] = [
        "Route",
        "Requests",
        "Growth",
        "Next step",
        "Verdicts",
        "Retained",
        "p50",
        "p95",
        "p99",
        "Max",
        "Shrink",
        "Peak",
        "Unsent",
        "Running",
        "Warnings",
        "Suppressed",
        "Late work",
    ];
    let is_owned = figures.is_owned();
    let (first, others) = HEADS.split_at(2);
    let live: &[_] = if is_owned { &LIVE } else { &[] };
    let heads = [first, live, others].concat();
    let order = match is_owned {
        true => "Routes that rise come first, then those with most live heap.",
        false => "Routes that retain most come first.",
    };
    html! {
        section aria-labelledby="routes" {
            h2 id="routes" { "Routes" }
            p.quiet {
                (order) " Quantiles are of the growth of single requests; \"Retained\" adds up what requests left when they ended, \
                 \"Unsent\" and \"Running\" are the most of one request at its end."
            }
            (table("routes", &heads, html! { @for route in figures.routes.sorted() { (self::route(route, is_owned)) } }))
        }
    }
}

fn route(route: &Route, is_owned: bool) -> Markup {
    html! {
        tr {
            th scope="row" { (visible(&route.name)) }
            td { (count(route.requests)) }
            @if is_owned {
                td { (size_or_dash(route.live.at_end())) }
                td { (change(route.live.change())) }
                td { (memory::word(route)) }
            }
            td { (size(route.growth())) }
            td.words { (advice::next_steps(route).join(". ")) }
            td.words { (sentences::verdicts(route)) }
            td { (net(route.retained)) }
            @for growth in route.growths() { td { (size(growth)) } }
            td { (size(route.shrink)) }
            td { (size_or_dash(route.peak)) }
            td { (size(route.unsent)) }
            td { (size(route.running)) }
            td { (count(route.warnings)) }
            td { (count(route.suppressed)) }
            td { (count(route.late)) }
        }
    }
}

fn largest(figures: &Figures) -> Markup {
    html! {
        section aria-labelledby="largest" {
            h2 id="largest" { "Largest single growths" }
            @if figures.largest.is_empty() { p { "None." } }
            ol { @for growth in &figures.largest { li { (self::growth(growth)) } } }
        }
    }
}

fn growth(growth: &Growth) -> Markup {
    html! {
        p { b { "+" (size(growth.bytes)) } " " (text::request(growth)) " " b { (growth.verdict) } }
        @if let Some(why) = text::why(growth) { p { (why) } }
        p.quiet { (time(growth.at)) " UTC" }
    }
}

fn by_step(figures: &Figures, steps: &Steps<Totals>) -> Markup {
    const HEADS: [&str; 9] = [
        "From (UTC)",
        "Requests",
        "Warnings",
        "Growth",
        "Shrink",
        "Retained",
        "RSS max",
        "Live heap max",
        "Grew most",
    ];
    let rows = html! {
        @for (at, totals) in steps.iter() {
            tr {
                th scope="row" { (minute(at)) }
                td { (count(totals.requests)) }
                td { (count(totals.warnings)) }
                td { (size(totals.growth)) }
                td { (size(totals.shrink)) }
                td { (net(totals.retained)) }
                td { (size_or_dash(totals.resident.high())) }
                td { (size_or_dash(totals.live.high())) }
                td.words {
                    @if let Some(place) = totals.grew_most() { (visible(&figures.routes.get(place).name)) }
                }
            }
        }
    };
    html! {
        section aria-labelledby="steps" {
            h2 id="steps" { "By " (step(steps.width())) }
            (table("steps", &HEADS, rows))
        }
    }
}

/// With a keyboard it can be scrolled, too.
fn table(id: &str, heads: &[&str], rows: Markup) -> Markup {
    html! {
        div.wide.tall tabindex="0" role="region" aria-labelledby=(id) {
            table {
                thead { tr { @for head in heads { th.words[WORDS.contains(head)] scope="col" { (head) } } } }
                tbody { (rows) }
            }
        }
    }
}
