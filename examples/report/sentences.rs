//! The report in sentences, for terminal and page alike.

use super::{
    event::{VERDICTS, verdict},
    figures::Figures,
    hours::Hour,
    routes::Route,
    trend::{Thirds, Trend},
    words::{count, counted, size, time, visible},
};

/// From when to when, and how long that is.
pub(crate) fn period(figures: &Figures) -> Option<String> {
    let (first, last) = (figures.first?, figures.last?);
    let minutes = last.duration_since(first).as_secs().unsigned_abs() / 60;
    let length = match (minutes / 60, minutes % 60) {
        (0, 0) => "less than a minute".to_owned(),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{} h {minutes} min", count(hours)),
    };
    Some(format!("{} to {} UTC, {length}", time(first), time(last)))
}

/// What was read and what was not.
pub(crate) fn lines(figures: &Figures) -> String {
    let tally = &figures.tally;
    let mut text = format!(
        "{} ({}): {} of requests",
        counted(tally.lines, "line", "lines"),
        size(figures.bytes),
        counted(tally.events, "event", "events"),
    );
    let skipped = [
        (tally.others, "other of tower_memory"),
        (tally.foreign(), "of others, skipped"),
        (
            tally.unreadable,
            "unreadable though they name tower_memory, skipped",
        ),
        (tally.torn, "torn at the end, skipped"),
        (tally.overlong, "longer than 256 KiB, skipped"),
    ];
    for (number, what) in skipped {
        if number > 0 {
            text += &format!("; {} {what}", count(number));
        }
    }
    text
}

/// Which requests the figures are of.
pub(crate) fn coverage(figures: &Figures) -> String {
    let (all, warned) = (figures.at_debug, figures.only_warned());
    let mut text = match (all, warned) {
        (0, 0) => "Covers late work only: the log has no request.".to_owned(),
        (0, warned) => format!(
            "Covers warned requests only, {}: nothing is known of others, because DEBUG of tower_memory was off.",
            count(warned)
        ),
        (all, 0) => format!(
            "Covers all requests, by their DEBUG events: {}.",
            count(all)
        ),
        (all, warned) => format!(
            "Covers {} while DEBUG of tower_memory was on, and {} while it was off, when nothing is known of others.",
            counted(all, "request", "requests"),
            counted(warned, "warned request", "warned requests"),
        ),
    };
    let suppressed = figures.suppressed();
    if suppressed > 0 {
        let were = counted(suppressed, "warning was", "warnings were");
        text += &match warned {
            0 => format!(" {were} suppressed; these requests are in the figures."),
            _ => format!(" {were} suppressed; of these only requests at DEBUG are in the figures."),
        };
    }
    if figures.doubtful() > 0 {
        text += &format!(
            " Up to {} of these may be counted twice, by warning and DEBUG event, which were too far apart to be matched.",
            count(figures.doubtful())
        );
    }
    text
}

/// Who grew the process most, and what it was; who retains most.
pub(crate) fn headline(figures: &Figures) -> Vec<String> {
    let mut said = Vec::new();
    match figures.routes.most(Route::own_growth) {
        Some(route) if route.own_growth() > 0 => said.extend(grew_most(route, figures.growth())),
        _ => said.push("No request grew the process by itself.".to_owned()),
    }
    let retains = figures.routes.most(|route| route.retained);
    match retains.map(|route| (route, route.retained)) {
        Some((route, Some(bytes @ 1..))) => said.push(format!(
            "{} retains most: {} outlive its requests.",
            visible(&route.name),
            size(bytes.unsigned_abs())
        )),
        _ if figures.is_metered() => said.push("No route retains anything.".to_owned()),
        _ => said.push("What is retained is not known: no heap meter counted.".to_owned()),
    }
    if figures.tally.reclaims > 0 {
        said.push(format!(
            "Pages were given back {}: {}.",
            counted(figures.tally.reclaims, "time", "times"),
            size(figures.tally.reclaimed)
        ));
    }
    said
}

fn grew_most(route: &Route, all: u64) -> [String; 2] {
    let own = route.own_growth();
    let percent = u128::from(own) * 100 / u128::from(all.max(1));
    let kinds = 0..VERDICTS.len();
    let kind = kinds
        .filter(|at| *at != verdict::OTHER_REQUESTS)
        .max_by_key(|at| route.grown[*at])
        .unwrap_or(verdict::UNKNOWN);
    [
        format!(
            "{} grew memory most: {} in {}, {percent} % of all growth.",
            visible(&route.name),
            size(own),
            counted(route.requests, "request", "requests"),
        ),
        format!(
            "{} of it came as {}: {}.",
            size(route.grown[kind]),
            VERDICTS[kind],
            meaning(kind)
        ),
    ]
}

/// What growth of a verdict is.
fn meaning(at: usize) -> &'static str {
    match VERDICTS[at] {
        "within_threshold" => "growths too small to be explained",
        "peaked" => "what was live at once and given back",
        "retained" => "live heap outlives the requests",
        "allocator_held" => "mostly freed pages the allocator keeps",
        "mapped" => "mostly files or shared memory, not heap",
        "overlapped" => "other requests ran meanwhile, and it may be theirs",
        "unmetered" => "live heap or kept pages, which takes a heap meter to tell",
        _ => "not explained",
    }
}

/// What to do about a route, as tower-memory's own log says it of the verdict.
pub(crate) fn next_steps(route: &Route) -> Vec<&'static str> {
    let explanations = route.explanations().into_iter();
    explanations
        .filter_map(|at| next_step(VERDICTS[at]))
        .collect()
}

fn next_step(verdict: &str) -> Option<&'static str> {
    match verdict {
        "peaked" => Some("Not retained: consider streaming, or a limit on how many run at once"),
        "retained" => Some(
            "Look for what this route stores (a cache, a session, a queue), and whether each request adds to it",
        ),
        "allocator_held" => Some("Not retained: consider reclaim, MALLOC_ARENA_MAX, or jemalloc"),
        "mapped" => Some("The kernel takes pages of files back when memory is short"),
        "other_requests" => Some("Look for the warnings of the requests that ran meanwhile"),
        "overlapped" => Some("Install a heap meter to tell requests apart: tower_memory::heap"),
        "unmetered" => Some("A heap meter tells live heap from kept pages: tower_memory::heap"),
        _ => None,
    }
}

/// Each verdict that was given, with how often.
pub(crate) fn verdicts(route: &Route) -> String {
    let given = VERDICTS
        .iter()
        .zip(route.verdicts)
        .filter(|given| given.1 > 0);
    let given: Vec<_> = given
        .map(|(name, times)| format!("{} {name}", count(times)))
        .collect();
    given.join(", ")
}

/// Whether the process grows from hour to hour.
pub(crate) fn trends(figures: &Figures) -> Vec<String> {
    let resident = Trend::of(&figures.hours, |hour: &Hour| hour.resident);
    let live = Trend::of(&figures.hours, |hour: &Hour| hour.live);
    if let Trend::TooShort(readings) = resident {
        return vec![format!(
            "Too short for a trend, which takes six hours with readings, some in each third of the period: it has {}.",
            count(readings as u64)
        )];
    }
    let mut said = vec![trend("The resident set", &resident)];
    if figures.is_metered() {
        said.push(trend("The live heap", &live));
    }
    match (resident, live) {
        (_, Trend::Rises(_)) => said.push(
            "What is in use grows all the time: so does a leak, and a cache that still fills. See the routes that retain most."
                .to_owned(),
        ),
        (Trend::Rises(_), Trend::Level(_) | Trend::Falls(_)) => said.push(
            "What is in use doesn't grow: the allocator keeps more and more, or files were mapped. Consider reclaim."
                .to_owned(),
        ),
        (Trend::Rises(_), _) => said.push(
            "Whether it is in use is not known: a heap meter tells (tower_memory::heap).".to_owned(),
        ),
        _ => {}
    }
    if figures.only_warned() > 0 {
        said.push("Warnings are no even sample of the time: read a trend with care.".to_owned());
    }
    said
}

fn trend(what: &str, trend: &Trend) -> String {
    let lows = |thirds: &Thirds| thirds.lows.map(size).join(", ");
    match trend {
        Trend::Rises(thirds) => format!(
            "{what} rises: its low in each third of the period is {} (+{} an hour).",
            lows(thirds),
            size(thirds.rise_an_hour())
        ),
        Trend::Falls(thirds) => {
            format!(
                "{what} falls: its low in each third of the period is {}.",
                lows(thirds)
            )
        }
        Trend::Level(thirds) => format!(
            "{what} doesn't rise throughout: its low in each third of the period is {}.",
            lows(thirds)
        ),
        Trend::TooShort(_) => format!("{what} was read in too few hours for a trend."),
    }
}
