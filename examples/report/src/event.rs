//! One line of the log: what tower-memory says of a request there, in the JSON of `tracing-subscriber`. Names of fields
//! are those of the contract in the documentation of `tower_memory::Log`.

use jiff::Timestamp;
use serde::Deserialize;
use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
};

pub(crate) const TARGET: &str = "tower_memory";

/// As the log names them; the last stands for those that this version doesn't know.
pub(crate) const VERDICTS: [&str; 14] = [
    "within_threshold",
    "peaked",
    "retained",
    "running",
    "unsent",
    "reserved",
    "allocator_held",
    "mapped",
    "other_requests",
    "outside",
    "overlapped",
    "unmetered",
    "unreadable",
    "unknown",
];

/// Where names stand in [`VERDICTS`].
pub(crate) mod verdict {
    pub(crate) const WITHIN_THRESHOLD: usize = 0;
    pub(crate) const RETAINED: usize = 2;
    pub(crate) const OTHER_REQUESTS: usize = 8;
    pub(crate) const UNREADABLE: usize = 12;
    pub(crate) const UNKNOWN: usize = 13;
}

/// What a line that names tower-memory turns out to be.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events, and each is moved but once"
)]
pub(crate) enum Line {
    Event(Event),
    /// Pages were given back; bytes.
    Reclaimed(u64),
    /// Of tower-memory, and not of a request.
    Other,
    /// Of a request, without a time that can be read.
    Undated,
    /// Of somebody else who names it.
    Foreign,
    /// As docker keeps lines: each as a text within JSON of its own.
    Wrapped,
    /// Not JSON, or of tower-memory in another layout.
    Unreadable,
}

/// What is said of one request, or of work that it left behind. Its texts are kept elsewhere: see [`Texts`].
pub(crate) struct Event {
    pub(crate) at: Timestamp,
    pub(crate) late: bool,
    pub(crate) method: Range<usize>,
    pub(crate) route: Range<usize>,
    /// Empty where nothing grew.
    pub(crate) explanation: Range<usize>,
    /// Requests that shared its window.
    pub(crate) overlapping: u64,
    pub(crate) status: Option<u16>,
    /// Index in [`VERDICTS`].
    pub(crate) verdict: usize,
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    /// Bytes; `None` where it could not be read.
    pub(crate) growth: Option<u64>,
    pub(crate) shrink: u64,
    /// Retained less released; `None` without a heap meter.
    pub(crate) retained: Option<i64>,
    pub(crate) peak: Option<u64>,
    /// What the client had not read, and what work of the request still used.
    pub(crate) unsent: u64,
    pub(crate) running: u64,
    /// Of the process.
    pub(crate) live: Option<u64>,
    /// Of all requests of the route; `None` where blocks have no owner. The two events of a request may differ in it.
    pub(crate) route_live: Option<u64>,
    /// `Some` in warnings: how many of the route were held back before.
    pub(crate) suppressed: Option<u64>,
    /// The same for the warning and the DEBUG event of one request; `None` where there can be no warning.
    pub(crate) fingerprint: Option<u64>,
}

impl Event {
    /// Growth that can be its own.
    pub(crate) fn own_growth(&self) -> Option<u64> {
        self.growth
            .filter(|_| self.verdict != verdict::OTHER_REQUESTS)
    }
}

/// Texts of many events, in one allocation.
#[derive(Default)]
pub(crate) struct Texts(String);

impl Texts {
    pub(crate) fn get(&self, range: &Range<usize>) -> &str {
        self.0.get(range.clone()).unwrap_or_default()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.0.len();
        self.0.push_str(text);
        start..self.0.len()
    }
}

impl Line {
    /// Reads a line; texts of its event go to `texts`.
    pub(crate) fn read(line: &[u8], texts: &mut Texts) -> Self {
        // At once, which is faster than text by text.
        let Ok(line) = str::from_utf8(line) else {
            return Self::Unreadable;
        };
        // Where `copytruncate` cut the log under a writer that doesn't append, the gap is full of zeros.
        let line = line.trim_start_matches('\0');
        let Ok(json) = serde_json::from_str::<Json>(line) else {
            // Others may name a field like one of ours and put something else there.
            return match serde_json::from_str::<Targeted>(line) {
                Ok(targeted) if targeted.target != TARGET => Self::Foreign,
                Ok(targeted) if targeted.timestamp.is_number() => Self::Undated,
                _ => Self::Unreadable,
            };
        };
        if json.target != TARGET {
            return match serde_json::from_str::<Docker>(line) {
                Ok(docker) if docker.log.contains(TARGET) => Self::Wrapped,
                _ => Self::Foreign,
            };
        }
        let fields = json.fields.as_deref().unwrap_or(&json);
        if fields.route.is_empty() || fields.verdict.is_empty() {
            return fields.reclaimed.map_or(Self::Other, Self::Reclaimed);
        }
        match json.timestamp.parse() {
            Ok(at) => Self::Event(fields.event(at, texts)),
            Err(_) => Self::Undated,
        }
    }
}

#[derive(Deserialize)]
struct Targeted<'a> {
    #[serde(borrow, default)]
    target: Cow<'a, str>,
    #[serde(default)]
    timestamp: serde_json::Value,
}

/// A line of docker's `json-file`.
#[derive(Deserialize)]
struct Docker<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
}

/// A line with its fields beside the timestamp (`flatten_event(true)`), or once more in `fields`. Spans can repeat the
/// names, and are not read.
#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow, default)]
    timestamp: Cow<'a, str>,
    #[serde(borrow, default)]
    target: Cow<'a, str>,
    #[serde(borrow)]
    fields: Option<Box<Json<'a>>>,
    #[serde(borrow, default, rename = "http.request.method")]
    method: Cow<'a, str>,
    #[serde(borrow, default, rename = "http.route")]
    route: Cow<'a, str>,
    #[serde(rename = "http.response.status_code")]
    status: Option<u16>,
    #[serde(rename = "http.response.body.size")]
    response_size: Option<u64>,
    #[serde(borrow)]
    outcome: Option<&'a str>,
    duration_ms: Option<f64>,
    #[serde(rename = "memory.before")]
    before: Option<u64>,
    #[serde(rename = "memory.after")]
    after: Option<u64>,
    #[serde(rename = "memory.growth")]
    growth: Option<u64>,
    #[serde(rename = "memory.shrink")]
    shrink: Option<u64>,
    #[serde(rename = "heap.allocated")]
    allocated: Option<u64>,
    #[serde(rename = "heap.freed")]
    freed: Option<u64>,
    #[serde(rename = "heap.peak")]
    peak: Option<u64>,
    #[serde(rename = "heap.retained")]
    retained: Option<u64>,
    #[serde(rename = "heap.released")]
    released: Option<u64>,
    #[serde(rename = "heap.unsent")]
    unsent: Option<u64>,
    #[serde(rename = "heap.running")]
    running: Option<u64>,
    #[serde(rename = "heap.live")]
    live: Option<u64>,
    #[serde(rename = "heap.route_live")]
    route_live: Option<u64>,
    #[serde(borrow, default)]
    verdict: Cow<'a, str>,
    #[serde(borrow, default)]
    explanation: Cow<'a, str>,
    #[serde(borrow)]
    event: Option<&'a str>,
    #[serde(rename = "requests.overlapping")]
    overlapping: Option<u64>,
    #[serde(rename = "warnings.suppressed")]
    suppressed: Option<u64>,
    #[serde(rename = "reclaim.bytes")]
    reclaimed: Option<u64>,
}

impl Json<'_> {
    fn event(&self, at: Timestamp, texts: &mut Texts) -> Event {
        let known = VERDICTS.iter().position(|name| *name == self.verdict);
        let verdict = known.unwrap_or(verdict::UNKNOWN);
        let warned = !matches!(verdict, verdict::WITHIN_THRESHOLD | verdict::UNREADABLE);
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Event {
            at,
            late: self.event == Some("late_work"),
            method: texts.keep(&self.method),
            route: texts.keep(&self.route),
            explanation: match self.growth {
                Some(1..) => texts.keep(&self.explanation),
                _ => 0..0,
            },
            overlapping: self.overlapping.unwrap_or(0),
            status: self.status,
            verdict,
            before: self.before,
            after: self.after,
            growth: self.growth,
            shrink: self.shrink.unwrap_or(0),
            retained: self
                .retained
                .map(|retained| signed(retained) - signed(self.released.unwrap_or(0))),
            peak: self.peak,
            unsent: self.unsent.unwrap_or(0),
            running: self.running.unwrap_or(0),
            live: self.live,
            route_live: self.route_live,
            suppressed: self.suppressed,
            fingerprint: warned.then(|| self.fingerprint()),
        }
    }

    /// Of what both events of a request have in common. With durations to the microsecond and bytes of the whole
    /// process in it, no other request has the same.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let texts = (&self.method, &self.route, self.outcome, &self.verdict);
        let request = (
            self.status,
            self.response_size,
            self.duration_ms.map(f64::to_bits),
        );
        let memory = (self.before, self.after, self.growth, self.shrink);
        let heap = (self.allocated, self.freed, self.peak, self.live);
        (texts, request, memory, heap).hash(&mut hasher);
        hasher.finish()
    }
}
