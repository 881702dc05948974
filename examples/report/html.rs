//! The report as a page: one file that loads nothing. What comes from the log is escaped by the template.

use super::{
    figures::{Figures, Growth},
    plot,
    routes::Route,
    sentences, text,
    words::{count, hour, net, size, size_or_dash, step, time, visible},
};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What every such page begins with, so that nothing else is overwritten.
pub(crate) const BEGINNING: &str = r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="generator" content="tower-memory report">"#;

/// Columns of text among those of figures.
const WORDS: [&str; 3] = ["Next step", "Verdicts", "Grew most"];

const STYLE: &str = include_str!("page.css");

/// Nothing but this very style. The hash is the SHA-256 of it; a test says what it should be.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'sha256-tlO1xCqd35ypnCDkikfVdwhrvYj8Pyj3BqtGRFapq0g='; base-uri 'none'; form-action 'none'";

pub(crate) fn page(title: &str, figures: &Figures) -> String {
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
                    (over_time(figures))
                    (routes(figures))
                    (largest(figures))
                    (hours(figures))
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
                @for sentence in sentences::headline(figures).iter().chain(&sentences::trends(figures)) {
                    li { (sentence) }
                }
            }
            p.quiet { (sentences::coverage(figures)) }
            p.quiet { (sentences::lines(figures)) }
        }
    }
}

fn over_time(figures: &Figures) -> Markup {
    let (hours, step) = (&figures.hours, step(&figures.hours));
    html! {
        section aria-labelledby="over-time" {
            h2 id="over-time" { "Over time" }
            figure {
                figcaption { "Growth of all requests by " (step) ". Those that overlap may tell of the same growth." }
                (plot::bars(hours, "Growth by time", |hour| Some(hour.growth)))
            }
            figure {
                figcaption {
                    "The most by " (step) " of " b.rss { "resident set" } " and " b.live { "live heap" } ", of the process."
                }
                (plot::lines(hours, "Resident set and live heap by time", &[
                    ("rss", |hour| hour.resident.high()),
                    ("live", |hour| hour.live.high()),
                ]))
            }
        }
    }
}

fn routes(figures: &Figures) -> Markup {
    const HEADS: [&str; 15] = [
        "Route",
        "Requests",
        "Retained",
        "Growth",
        "Next step",
        "Verdicts",
        "p50",
        "p95",
        "p99",
        "Max",
        "Shrink",
        "Peak",
        "Warnings",
        "Suppressed",
        "Late work",
    ];
    html! {
        section aria-labelledby="routes" {
            h2 id="routes" { "Routes" }
            p.quiet { "What retains most comes first. Quantiles are of the growth of single requests." }
            (table("routes", &HEADS, html! { @for route in figures.routes.sorted() { (self::route(route)) } }))
        }
    }
}

fn route(route: &Route) -> Markup {
    html! {
        tr {
            th scope="row" { (visible(&route.name)) }
            td { (count(route.requests)) }
            td { (net(route.retained)) }
            td { (size(route.growth())) }
            td.words { (sentences::next_steps(route).join(". ")) }
            td.words { (sentences::verdicts(route)) }
            @for growth in route.growths() { td { (size(growth)) } }
            td { (size(route.shrink)) }
            td { (size_or_dash(route.peak)) }
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
        @if growth.is_warned() { p { (visible(&growth.message)) } }
        p.quiet { (time(growth.at)) " UTC" }
    }
}

fn hours(figures: &Figures) -> Markup {
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
        @for (at, told) in figures.hours.iter() {
            tr {
                th scope="row" { (hour(at)) }
                td { (count(told.requests)) }
                td { (count(told.warnings)) }
                td { (size(told.growth)) }
                td { (size(told.shrink)) }
                td { (net(told.retained)) }
                td { (size_or_dash(told.resident.high())) }
                td { (size_or_dash(told.live.high())) }
                td.words {
                    @if let Some(place) = told.grew_most() { (visible(&figures.routes.get(place).name)) }
                }
            }
        }
    };
    html! {
        section aria-labelledby="hours" {
            h2 id="hours" { "By " (step(&figures.hours)) }
            (table("hours", &HEADS, rows))
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
