//! JSON log lines of any number, for the report's tests and its bench.

#![allow(dead_code, unreachable_pub)] // Each file is a crate of its own and uses its part.

/// One request as in the log, flattened and with all the fields that a heap meter adds.
pub struct Entry {
    /// Microseconds since 2026-01-01.
    pub at: u64,
    pub level: &'static str,
    pub route: String,
    pub status: u16,
    pub duration_us: u64,
    pub before: u64,
    pub growth: u64,
    pub retained: u64,
    pub live: u64,
    /// Live heap owned by requests of the route; older logs have none.
    pub route_live: Option<u64>,
    pub verdict: &'static str,
    /// In warnings only.
    pub suppressed: Option<u64>,
}

impl Entry {
    /// The request with this number: most change nothing; one in 50 grows the process, one in 500
    /// retains.
    pub fn numbered(number: u64) -> Self {
        let grows = number.is_multiple_of(50);
        let retains = number.is_multiple_of(500);
        Self {
            at: number * 20_000,
            level: "DEBUG",
            route: format!("/api/systems/{{id}}/part-{}", number % 40),
            status: 200,
            duration_us: 800 + number % 9000,
            before: (300 << 20) + number * 4096,
            growth: if grows { 120 << 20 } else { number % 7 * 4096 },
            retained: if retains { 110 << 20 } else { 0 },
            live: (100 << 20) + number * 512,
            route_live: Some((number / 40) * 64),
            verdict: match (grows, retains) {
                (_, true) => "retained",
                (true, false) => "allocator_held",
                (false, _) => "within_threshold",
            },
            suppressed: None,
        }
    }

    /// A request at a minute since then that changed nothing but its route's live heap.
    pub fn owned(route: &str, minute: u64, route_live: u64, live: u64) -> Self {
        Self {
            at: minute * 60_000_000,
            route: route.to_owned(),
            before: 300 << 20,
            growth: 0,
            retained: 0,
            live,
            route_live: Some(route_live),
            verdict: "within_threshold",
            ..Self::numbered(minute)
        }
    }

    pub fn flat(&self) -> String {
        let (head, fields) = (self.head(), self.fields());
        format!("{{{head},{fields},\"target\":\"tower_memory\"}}\n")
    }

    pub fn nested(&self) -> String {
        let (head, fields) = (self.head(), self.fields());
        format!("{{{head},\"fields\":{{{fields}}},\"target\":\"tower_memory\"}}\n")
    }

    fn head(&self) -> String {
        let (seconds, micros) = (self.at / 1_000_000, self.at % 1_000_000);
        let (day, second) = (seconds / 86_400, seconds % 86_400);
        assert!(day < 31, "January only");
        format!(
            r#""timestamp":"2026-01-{:02}T{:02}:{:02}:{:02}.{micros:06}Z","level":"{}""#,
            day + 1,
            second / 3600,
            second / 60 % 60,
            second % 60,
            self.level
        )
    }

    fn fields(&self) -> String {
        let Self {
            route,
            status,
            before,
            growth,
            retained,
            live,
            verdict,
            ..
        } = self;
        let route_live = match self.route_live {
            Some(route_live) => format!(r#","heap.route_live":{route_live}"#),
            None => String::new(),
        };
        let after = before + growth;
        let allocated = growth + 4096;
        let freed = allocated.saturating_sub(*retained);
        let explanation = match *verdict {
            "within_threshold" | "unreadable" => String::new(),
            verdict => format!(r#","explanation":"{verdict}, for a reason. Do something""#),
        };
        let suppressed = match self.suppressed {
            Some(suppressed) => format!(r#","warnings.suppressed":{suppressed}"#),
            None => String::new(),
        };
        format!(
            "\"message\":\"memory grew {:.1} MiB -> {:.1} MiB (+{:.1} MiB) on GET {route}\",\
             \"http.request.method\":\"GET\",\"http.route\":\"{route}\",\"http.response.status_code\":{status},\
             \"http.response.body.size\":14,\"outcome\":\"completed\",\"duration_ms\":{}.{:03},\
             \"memory.before\":{before},\"memory.after\":{after},\"memory.growth\":{growth},\"memory.shrink\":0,\
             \"memory.shared_growth\":0,\"heap.allocated\":{allocated},\"heap.freed\":{freed},\"heap.allocations\":73,\
             \"heap.peak\":{allocated},\"heap.received\":0,\"heap.handed_off\":14,\"heap.retained\":{retained},\
             \"heap.released\":0,\"heap.unsent\":0,\"heap.running\":0,\"heap.live\":{live}{route_live},\
             \"requests.overlapping\":0,\"verdict\":\"{verdict}\"{explanation},\"event\":\"request\"{suppressed}",
            mib(*before),
            mib(after),
            mib(*growth),
            self.duration_us / 1000,
            self.duration_us % 1000,
        )
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A line of another part of the service.
pub fn foreign(number: u64) -> String {
    format!(
        "{{\"timestamp\":\"2026-01-01T00:00:00.000000Z\",\"level\":\"INFO\",\"message\":\"job {number} is done\",\
         \"job.id\":{number},\"job.kind\":\"import of a system from a file that somebody uploaded\",\"job.attempts\":1,\
         \"job.result\":\"{}\",\"target\":\"service::jobs\"}}\n",
        "kept ".repeat(90)
    )
}
