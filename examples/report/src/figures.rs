//! What the report is made of: figures of a bounded size, however long the log.

use super::{
    event::{Event, Texts, VERDICTS},
    pairs::Pairs,
    process::Totals,
    routes::{LONGEST_LABEL, Route, Routes},
    scan::Tally,
    steps::Steps,
};
use jiff::Timestamp;

/// Steps of time that are kept: seventeen hours of minutes, or six weeks of hours.
const STEPS: usize = 1024;

/// Single growths that are told.
const LARGEST: usize = 10;

/// Bytes of the longest explanation that is kept. tower-memory's own are shorter.
const LONGEST_EXPLANATION: usize = 1024;

pub(crate) struct Figures {
    pub(crate) bytes: u64,
    pub(crate) tally: Tally,
    pub(crate) routes: Routes,
    pub(crate) steps: Steps<Totals>,
    /// The largest first, of equal ones the earlier.
    pub(crate) largest: Vec<Growth>,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// Requests told by a DEBUG event. Of all others only the warning is known.
    pub(crate) at_debug: u64,
    pairs: Pairs,
}

/// One request that grew the process.
pub(crate) struct Growth {
    pub(crate) bytes: u64,
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    pub(crate) route: String,
    pub(crate) status: Option<u16>,
    pub(crate) verdict: &'static str,
    pub(crate) explanation: String,
    pub(crate) overlapping: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            bytes: 0,
            tally: Tally::default(),
            routes: Routes::default(),
            steps: Steps::at_most(STEPS),
            largest: Vec::new(),
            first: None,
            last: None,
            at_debug: 0,
            pairs: Pairs::default(),
        }
    }
}

impl Figures {
    pub(crate) fn count(&mut self, event: &Event, texts: &Texts) {
        self.first = Some(self.first.map_or(event.at, |first| first.min(event.at)));
        self.last = self.last.max(Some(event.at));
        let at = self.routes.index(texts.get(&event.route));
        let step = self.steps.of(event.at);
        let route = self.routes.get_mut(at);
        if let Some(suppressed) = event.suppressed {
            route.warnings += 1;
            route.suppressed = route.suppressed.saturating_add(suppressed);
            step.warnings += 1;
        } else if !event.late {
            self.at_debug += 1;
        }
        let counts = event.fingerprint.is_none_or(|fingerprint| {
            let is_warning = event.suppressed.is_some();
            self.pairs.is_first(fingerprint, is_warning, event.at)
        });
        route.live.read(event, counts && !event.late);
        if counts {
            route.count(event);
            step.count(event, at);
            self.compare(event, texts);
        }
    }

    /// Requests, each of them once.
    pub(crate) fn requests(&self) -> u64 {
        self.routes.iter().map(|route| route.requests).sum()
    }

    /// Requests that were only warned of, because DEBUG was off.
    pub(crate) fn only_warned(&self) -> u64 {
        self.requests().saturating_sub(self.at_debug)
    }

    pub(crate) fn suppressed(&self) -> u64 {
        let suppressed = self.routes.iter().map(|route| route.suppressed);
        suppressed.fold(0, u64::saturating_add)
    }

    /// The most requests that may have been counted twice.
    pub(crate) fn doubtful(&self) -> u64 {
        self.pairs.doubtful()
    }

    /// Whether any heap meter counted.
    pub(crate) fn is_metered(&self) -> bool {
        self.routes.iter().any(|route| route.retained.is_some())
    }

    /// Whether the log says what the requests of a route own.
    pub(crate) fn is_owned(&self) -> bool {
        self.routes
            .iter()
            .any(|route| route.live.at_end().is_some())
    }

    /// The growth of all requests.
    pub(crate) fn growth(&self) -> u64 {
        let growth = self.routes.iter().map(Route::growth);
        growth.fold(0, u64::saturating_add)
    }

    /// Keeps it if it is among the largest.
    fn compare(&mut self, event: &Event, texts: &Texts) {
        let Some(bytes @ 1..) = event.growth else {
            return;
        };
        let is_before = |known: &Growth| (known.bytes, event.at) >= (bytes, known.at);
        let place = self.largest.partition_point(is_before);
        if place == LARGEST {
            return;
        }
        self.largest.truncate(LARGEST - 1);
        let (method, route) = (texts.get(&event.method), texts.get(&event.route));
        let growth = Growth {
            bytes,
            at: event.at,
            method: start_of(method, LONGEST_LABEL).to_owned(),
            route: start_of(route, LONGEST_LABEL).to_owned(),
            status: event.status,
            verdict: VERDICTS[event.verdict],
            explanation: start_of(texts.get(&event.explanation), LONGEST_EXPLANATION).to_owned(),
            overlapping: event.overlapping,
        };
        self.largest.insert(place, growth);
    }
}

/// As much of it as fits.
fn start_of(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
