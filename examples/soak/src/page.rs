//! The judgement as a page: one file that loads nothing. What comes from elsewhere is escaped by the template.

use bytesize::ByteSize;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::fmt::Write;
use tower_memory::soak::Judgement;

const STYLE: &str = include_str!("page.css");

/// Nothing but this very style. The hash is the SHA-256 of it; a test says what it should be.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'sha256-8wGnBDxvBHMOem9gDn9xvxoE1EUVSGw1l3wjHTot5/E='; base-uri 'none'; form-action 'none'";

/// Units of the drawing, which is stretched.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;

pub(crate) fn page(url: &str, judgement: &Judgement) -> String {
    let what = if judgement.is_exact {
        "Live heap"
    } else {
        "Resident memory"
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" href="data:,";
                title { "Soak of " (url) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Soak of " (url) }
                p { strong { (judgement.verdict) } }
                p { (judgement.verdict.next_step()) "." }
                p.quiet { (judgement.requests) " requests, " (judgement.warm_up) " rounds of warm-up." }
                @if !judgement.rounds.is_empty() { (series(what, judgement)) }
                @if !judgement.stages.is_empty() { (stages(what, judgement)) }
                @if !judgement.routes.is_empty() { (routes(judgement)) }
            }
        }
    };
    page.into_string()
}

/// Memory over requests, with a line where each stage begins.
fn series(what: &str, judgement: &Judgement) -> Markup {
    let mut level = 0;
    let points: Vec<_> = judgement
        .rounds
        .iter()
        .map(|round| {
            level += round.grown;
            (round.sent as f64, level as f64)
        })
        .collect();
    let last = points.last().map_or(1.0, |point| point.0).max(1.0);
    let lowest = points.iter().map(|point| point.1).fold(0.0, f64::min);
    let highest = points.iter().map(|point| point.1).fold(1.0, f64::max);
    let x = |sent: f64| sent / last * WIDTH;
    let y = |bytes: f64| HEIGHT - (bytes - lowest) / (highest - lowest) * HEIGHT;
    let mut path = format!("M0 {:.1}", y(0.0));
    for (sent, bytes) in &points {
        // Writing to a string can't fail.
        let _ = write!(path, "L{:.1} {:.1}", x(*sent), y(*bytes));
    }
    let warm = judgement.rounds[..judgement.warm_up]
        .last()
        .map_or(0, |round| round.sent);
    let begins = judgement.stages.iter().scan(warm, |sent, stage| {
        let begin = *sent;
        *sent += stage.requests;
        Some(x(begin as f64))
    });
    html! {
        section {
            h2 { (what) " over requests" }
            figure {
                figcaption { "At the end of each round, when nothing is in flight, against the begin. Lines are stages; before the first is warm-up." }
                p.ends { span { (size(highest)) } }
                svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(format!("{what} over requests")) {
                    rect.noise x="0" y="0" width=(x(warm as f64)) height=(HEIGHT) {}
                    @for begin in begins { line.stage x1=(begin) x2=(begin) y1="0" y2=(HEIGHT) {} }
                    path.level d=(path) {}
                }
                p.ends { span { "0 requests, " (size(lowest)) } span { (last) " requests" } }
            }
        }
    }
}

fn stages(what: &str, judgement: &Judgement) -> Markup {
    html! {
        section {
            h2 { "Stages" }
            div.scroll {
                table {
                    thead { tr { th { "Requests" } th { (what) } th { "A request" } th { "Noise up to" } th { "Resident" } th { "Seconds" } } }
                    tbody {
                        @for stage in &judgement.stages {
                            tr {
                                td { (stage.requests) }
                                td { (format!("{:+} B", stage.grown)) }
                                td { (format!("{:.1} B", stage.per_request)) }
                                td { (format!("{:.1} B", stage.floor)) }
                                td { (stage.resident.map_or_else(|| "unknown".to_owned(), |bytes| format!("{bytes:+} B"))) }
                                td { (format!("{:.1}", stage.seconds)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn routes(judgement: &Judgement) -> Markup {
    html! {
        section {
            h2 { "Live heap by route" }
            div.scroll {
                table {
                    thead { tr { th { "Route" } th { "Growth" } th { "A request" } } }
                    tbody {
                        @for route in &judgement.routes {
                            tr {
                                td { (route.route) }
                                td { (format!("{:+} B", route.grown)) }
                                td { (format!("{:.1} B", route.per_request)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn size(bytes: f64) -> String {
    let sign = if bytes < 0.0 { "-" } else { "" };
    format!("{sign}{}", ByteSize(bytes.abs() as u64).display().iec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_STANDARD};
    use sha2::{Digest, Sha256};

    #[test]
    fn the_policy_allows_this_very_style() {
        let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "it is {hash}");
    }
}
