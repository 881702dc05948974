//! Whether memory rises, and whose: in sentences, for terminal and page alike.

use super::{
    figures::Figures,
    live,
    process::Totals,
    routes::Route,
    trend::{PROCESS_NOISE, STEPS, Thirds, Trend},
    words::{change, count, counted, size, steps, visible},
};

/// Routes that are named as rising.
const NAMED: usize = 3;

/// Live heap by route: the routes where it rises, or else the one that holds most.
pub(crate) fn by_route(figures: &Figures) -> Vec<String> {
    if !figures.is_owned() {
        return Vec::new();
    }
    let rising = figures.routes.rising();
    if rising.is_empty() {
        return vec![holds_most(figures)];
    }
    let named = rising.iter().take(NAMED);
    let mut said: Vec<_> = named.map(|route| rises(figures, route)).collect();
    match rising.len().saturating_sub(NAMED) {
        0 => {}
        1 => said.push("1 more route rises.".to_owned()),
        more => said.push(format!("{} more routes rise.", count(more as u64))),
    }
    said
}

fn rises(figures: &Figures, route: &Route) -> String {
    let (start, end) = (route.live.at_start(), route.live.at_end());
    let mut said = format!(
        "{} rises: it held {} at the start and {} at the end",
        visible(&route.name),
        size(start.unwrap_or(0)),
        size(end.unwrap_or(0)),
    );
    // Without all of its requests it would be too much for each.
    let later = route.requests.saturating_sub(1);
    if let (0, 1.., Some(grown @ 1..)) = (figures.only_warned(), later, route.live.change()) {
        said += &format!(", {} per request", size(grown.unsigned_abs() / later));
    }
    said + "."
}

fn holds_most(figures: &Figures) -> String {
    let is_known = |route: &Route| !matches!(route.live.trend(), Trend::TooShort(_));
    let rises = match figures.routes.iter().any(is_known) {
        true => "No route's live heap rises. ",
        false => "",
    };
    let most = figures.routes.most(|route| route.live.at_end());
    match most.map(|route| (route, route.live.at_end())) {
        Some((route, Some(bytes @ 1..))) => format!(
            "{rises}{} holds most live heap: {} ({} since its first request in this log).",
            visible(&route.name),
            size(bytes),
            change(route.live.change()),
        ),
        _ => format!("{rises}No route holds live heap."),
    }
}

/// Whether the process grows, and where nothing else explains it, what nobody owns.
pub(crate) fn trends(figures: &Figures) -> Vec<String> {
    let steps = figures.steps.comparable();
    let of = |low: fn(&Totals) -> Option<u64>| {
        let low = |totals: &Totals| Some((low(totals)?, totals.requests));
        Trend::of(&steps, PROCESS_NOISE, low)
    };
    let resident = of(|totals| totals.resident.low());
    let live = of(|totals| totals.live.low());
    if let Trend::TooShort(readings) = resident {
        return vec![too_short(readings, steps.width())];
    }
    let mut said = vec![trend("The resident set", &resident)];
    if figures.is_metered() {
        said.push(trend("The live heap", &live));
    }
    said.extend(explanation(figures, &resident, &live));
    said.extend(nobody(figures));
    if figures.only_warned() > 0 {
        said.push("Warnings are an uneven sample of the time: read a trend with care.".to_owned());
    }
    said
}

fn too_short(readings: usize, width: i64) -> String {
    format!(
        "Too short for a trend: it takes readings in {} or more, at least two of them in each third of the period. This \
         log has {}.",
        steps(STEPS, width),
        count(readings as u64)
    )
}

fn explanation(figures: &Figures, resident: &Trend, live: &Trend) -> Option<String> {
    let said = match (resident, live) {
        (_, Trend::Rises(_)) => match (figures.is_owned(), figures.routes.rising().is_empty()) {
            (false, _) => {
                "Memory in use grows all the time, as with a leak, or a cache that is still filling. See the routes that \
                 retain most."
            }
            (true, false) => {
                "Memory in use grows all the time, as with a leak, or a cache that is still filling. See the routes that \
                 rise."
            }
            (true, true) => {
                "Memory in use grows all the time, as with a leak, or a cache that is still filling. No single route \
                 explains it."
            }
        },
        (Trend::Rises(_), Trend::Level(_) | Trend::Falls(_)) => {
            "Memory in use doesn't grow: the allocator holds more and more freed pages, or files were mapped. Consider \
             reclaim."
        }
        (Trend::Rises(_), _) => {
            "Whether it is in use is not known: install a heap meter (tower_memory::heap)."
        }
        _ => return None,
    };
    Some(said.to_owned())
}

/// What is left of the live heap when the routes' is taken off. With warnings alone, routes would be missing.
fn nobody(figures: &Figures) -> Option<String> {
    if !figures.is_owned() || figures.only_warned() > 0 {
        return None;
    }
    match live::nobody(figures) {
        (Trend::Rises(thirds), _) => {
            let beside = match figures.routes.rising().is_empty() {
                true => ", and no route does",
                false => "",
            };
            Some(format!(
                "Live heap that no request owns rises{beside}: its low in each third of the period is {}. Look for small \
                 `Bytes` or header values that are kept (each pins a whole read buffer: copy them), for tasks that carry \
                 no request, and for connections.",
                lows(&thirds)
            ))
        }
        (Trend::Level(_) | Trend::Falls(_), last) => Some(format!(
            "Live heap that no request owns doesn't rise: {} at the end.",
            size(last)
        )),
        (Trend::TooShort(_), _) => None,
    }
}

fn trend(name: &str, trend: &Trend) -> String {
    match trend {
        Trend::Rises(thirds) => {
            let (rate, of) = thirds.rate();
            format!(
                "{name} rises: its low in each third of the period is {} (+{} {of}).",
                lows(thirds),
                size(rate)
            )
        }
        Trend::Falls(thirds) => format!(
            "{name} falls: its low in each third of the period is {}.",
            lows(thirds)
        ),
        Trend::Level(thirds) => format!(
            "{name} doesn't rise throughout: its low in each third of the period is {}.",
            lows(thirds)
        ),
        Trend::TooShort(readings) => format!(
            "{name} was read too rarely for a trend ({}).",
            counted(*readings as u64, "step", "steps")
        ),
    }
}

fn lows(thirds: &Thirds) -> String {
    thirds.lows.map(size).join(", ")
}

/// A route's trend in a word.
pub(crate) fn word(route: &Route) -> &'static str {
    match route.live.trend() {
        Trend::Rises(_) => "rises",
        Trend::Falls(_) => "falls",
        Trend::Level(_) => "flat",
        Trend::TooShort(_) => "-",
    }
}
