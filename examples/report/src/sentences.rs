//! The report in sentences, for terminal and page alike.

use super::{
    event::{VERDICTS, verdict},
    figures::Figures,
    memory,
    routes::Route,
    words::{count, counted, size, time, visible},
};

pub(crate) const TREND_OF_A_ROUTE: &str = "A route rises where its lowest live heap rises in each third of the period and doesn't level off at \
     the end; \"-\" is too few readings for a trend.";

/// First whose memory rises, then all else that is told in sentences.
pub(crate) fn summary(figures: &Figures) -> Vec<String> {
    let mut said = memory::by_route(figures);
    said.extend(headline(figures));
    said.extend(memory::trends(figures));
    said
}

/// The period's ends and its length.
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
            "Covers only requests with a warning, {}: nothing is known of others, because DEBUG of tower_memory was off.",
            count(warned)
        ),
        (all, 0) => format!(
            "Covers all requests, by their DEBUG events: {}.",
            count(all)
        ),
        (all, warned) => format!(
            "Covers {} while DEBUG of tower_memory was on, and {} while it was off, when nothing is known of others.",
            counted(all, "request", "requests"),
            counted(warned, "request with a warning", "requests with a warning"),
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

/// Which route grew the process most, and how; without live heap by route, which retains most.
fn headline(figures: &Figures) -> Vec<String> {
    let mut said = Vec::new();
    match figures.routes.most(Route::own_growth) {
        Some(route) if route.own_growth() > 0 => said.extend(grew_most(route, figures.growth())),
        _ => said.push("No request grew the process by itself.".to_owned()),
    }
    if !figures.is_owned() {
        said.extend(retains_most(figures));
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

fn retains_most(figures: &Figures) -> Vec<String> {
    if !figures.is_metered() {
        return vec!["What is retained is not known: no heap meter counted.".to_owned()];
    }
    let retains = figures.routes.most(|route| route.retained);
    let most = match retains.map(|route| (route, route.retained)) {
        Some((route, Some(bytes @ 1..))) => format!(
            "{} retains most: {} outlive its requests.",
            visible(&route.name),
            size(bytes.unsigned_abs())
        ),
        _ => "No route retains anything.".to_owned(),
    };
    let missing = "Live heap by route is not in this log. It needs tower_memory::heap::TrackingAllocator and a version \
                   that logs heap.route_live; until then this report adds up what requests retained, a sum that drifts.";
    vec![most, missing.to_owned()]
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
            meaning(VERDICTS[kind])
        ),
    ]
}

/// Growth of a verdict.
fn meaning(verdict: &str) -> &'static str {
    match verdict {
        "within_threshold" => "growths too small to be explained",
        "peaked" => "memory that was live at once and was given back",
        "retained" => "live heap that outlives the requests",
        "running" => "live heap in use by work that still ran when the response was gone",
        "unsent" => "responses that their clients had not read yet",
        "reserved" => "live heap that is hardly touched, so little of it is resident",
        "allocator_held" => "mostly freed memory the allocator still holds",
        "mapped" => "mostly files or shared memory, not heap",
        "other_requests" => "mostly growth of other requests",
        "outside" => {
            "growth from outside of these requests while no other ran: other threads, C code, stacks, or huge pages"
        }
        "overlapped" => "other requests ran meanwhile, and it may be theirs",
        "unmetered" => "live heap or freed pages, which only a heap meter can tell apart",
        "unreadable" => "not known, because the resident set could not be read",
        _ => "a verdict that this version of the report doesn't know",
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
