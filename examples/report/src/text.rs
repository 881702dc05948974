//! The report for a terminal of 100 columns.

use super::{
    advice,
    figures::{Figures, Growth},
    memory,
    routes::Route,
    sentences,
    words::{change, count, counted, minute, net, size, size_or_dash, step, time, visible},
};
use std::io::{self, Write};

const COLUMNS: usize = 100;

/// As much as a person reads at once. The page has all of it.
const ROUTES: usize = 20;
const STEPS: usize = 24;

pub(crate) fn write(out: &mut impl Write, title: &str, figures: &Figures) -> io::Result<()> {
    let period = sentences::period(figures).unwrap_or_default();
    paragraph(out, "", &format!("Memory report of {title}: {period}"))?;
    paragraph(out, "", &sentences::lines(figures))?;
    paragraph(out, "", &sentences::coverage(figures))?;
    writeln!(out)?;
    for sentence in sentences::summary(figures) {
        paragraph(out, "", &sentence)?;
    }
    routes(out, figures)?;
    steps(out, figures)?;
    largest(out, figures)
}

fn routes(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    let routes = figures.routes.sorted();
    let is_owned = figures.is_owned();
    match is_owned {
        true => writeln!(
            out,
            "\n{:<22}{:>10}{:>12}{:>13}{:>8}{:>12}{:>11}{:>12}",
            "ROUTE", "REQUESTS", "LIVE HEAP", "CHANGE", "TREND", "GROWTH", "P95", "MAX"
        )?,
        false => writeln!(
            out,
            "\n{:<22}{:>10}{:>13}{:>11}{:>11}{:>11}{:>11}{:>11}",
            "ROUTE", "REQUESTS", "RETAINED", "GROWTH", "P50", "P95", "P99", "MAX"
        )?,
    }
    let shown = &routes[..routes.len().min(ROUTES)];
    for route in shown {
        self::route(out, route, is_owned)?;
    }
    if let more @ 1.. = routes.len() - shown.len() {
        let more = counted(more as u64, "more route", "more routes");
        writeln!(out, "and {more}: see the page")?;
    }
    if is_owned {
        paragraph(out, "", sentences::TREND_OF_A_ROUTE)?;
    }
    match shown.iter().any(|route| route.is_quiet()) {
        true => paragraph(out, "", "Nothing to do for routes without a next step."),
        false => Ok(()),
    }
}

fn route(out: &mut impl Write, route: &Route, is_owned: bool) -> io::Result<()> {
    let name = visible(&route.name);
    // A long one has a line of its own.
    let name = match name.chars().count() {
        0..22 => name,
        _ => {
            writeln!(out, "{}", fit(&name, COLUMNS))?;
            String::new()
        }
    };
    write!(out, "{name:<22}{:>10}", count(route.requests))?;
    let [p50, p95, p99, max] = route.growths().map(size);
    let growth = size(route.growth());
    match is_owned {
        true => writeln!(
            out,
            "{:>12}{:>13}{:>8}{growth:>12}{p95:>11}{max:>12}",
            size_or_dash(route.live.at_end()),
            change(route.live.change()),
            memory::word(route)
        )?,
        false => writeln!(
            out,
            "{:>13}{growth:>11}{p50:>11}{p95:>11}{p99:>11}{max:>11}",
            net(route.retained)
        )?,
    }
    if route.is_quiet() {
        return Ok(());
    }
    let mut details = vec![
        format!("shrink {}", size(route.shrink)),
        format!("peak {}", size_or_dash(route.peak)),
        counted(route.warnings, "warning", "warnings"),
    ];
    if is_owned {
        details.insert(0, format!("retained {} at their ends", net(route.retained)));
    }
    for (most, name) in [(route.unsent, "unsent"), (route.running, "running")] {
        if most > 0 {
            details.push(format!("{name} up to {}", size(most)));
        }
    }
    if route.suppressed > 0 {
        details.push(format!("{} suppressed", count(route.suppressed)));
    }
    if route.late > 0 {
        details.push(format!(
            "{} of late work",
            counted(route.late, "piece", "pieces")
        ));
    }
    if route.requests > 0 {
        details.push(sentences::verdicts(route));
    }
    paragraph(out, "    ", &details.join(", "))?;
    let mut steps = advice::next_steps(route).into_iter();
    steps.try_for_each(|step| paragraph(out, "    ", step))
}

fn steps(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    let steps = figures.steps.within(STEPS);
    writeln!(
        out,
        "\n{:<16}{:>10}{:>8}{:>11}{:>13}{:>11}{:>11}  GREW MOST",
        format!("BY {}", step(steps.width()).to_uppercase()),
        "REQUESTS",
        "WARNED",
        "GROWTH",
        "RETAINED",
        "RSS MAX",
        "LIVE MAX"
    )?;
    for (at, totals) in steps.iter() {
        let grew = totals.grew_most();
        let route = grew.map(|place| visible(&figures.routes.get(place).name));
        let line = format!(
            "{:<16}{:>10}{:>8}{:>11}{:>13}{:>11}{:>11}  {}",
            minute(at),
            count(totals.requests),
            count(totals.warnings),
            size(totals.growth),
            net(totals.retained),
            size_or_dash(totals.resident.high()),
            size_or_dash(totals.live.high()),
            route.unwrap_or_default()
        );
        writeln!(out, "{}", fit(line.trim_end(), COLUMNS))?;
    }
    Ok(())
}

fn largest(out: &mut impl Write, figures: &Figures) -> io::Result<()> {
    if figures.largest.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nLARGEST SINGLE GROWTHS")?;
    for growth in &figures.largest {
        let line = format!(
            "{:>11}  {}  {}  {}",
            format!("+{}", size(growth.bytes)),
            time(growth.at),
            request(growth),
            growth.verdict
        );
        paragraph(out, "", &line)?;
        if let Some(why) = why(growth) {
            paragraph(out, "             ", &why)?;
        }
    }
    Ok(())
}

/// What the log explains it by, and whether it may be of others.
pub(crate) fn why(growth: &Growth) -> Option<String> {
    if growth.explanation.is_empty() {
        return None;
    }
    let explanation = visible(&growth.explanation);
    Some(match growth.overlapping {
        0 => explanation,
        others => format!(
            "while {} ran: {explanation}",
            counted(others, "other request", "other requests")
        ),
    })
}

/// Method, route and status.
pub(crate) fn request(growth: &Growth) -> String {
    let status = growth
        .status
        .map_or_else(|| "no response".to_owned(), |status| status.to_string());
    format!(
        "{} {} {status}",
        visible(&growth.method),
        visible(&growth.route)
    )
}

/// Breaks it between words, and where a word is longer than a line. Further lines of a paragraph without an indent have
/// one.
fn paragraph(out: &mut impl Write, indent: &str, text: &str) -> io::Result<()> {
    let hanging = if indent.is_empty() { "  " } else { indent };
    let mut line = indent.to_owned();
    let mut used = line.chars().count();
    let mut empty = true;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if !empty && used + 1 + word.len() > COLUMNS {
            writeln!(out, "{}", line.trim_end())?;
            line = hanging.to_owned();
            (used, empty) = (hanging.len(), true);
        }
        if !empty {
            line.push(' ');
            used += 1;
        }
        while used + word.len() > COLUMNS {
            let rest = word.split_off(COLUMNS - used);
            line.extend(word);
            writeln!(out, "{line}")?;
            line = hanging.to_owned();
            (word, used) = (rest, hanging.len());
        }
        used += word.len();
        line.extend(word);
        empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}

/// As much of it as fits, with a sign that there was more.
fn fit(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns) {
        None => text.to_owned(),
        Some(_) => text.chars().take(columns - 1).chain(['…']).collect(),
    }
}
