use super::{series::Round, verdict::Verdict};
use serde_json::{Value, json};
use std::fmt;

/// One stage of a soak.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Stage {
    /// Its requests.
    pub requests: u64,
    /// By how many bytes memory grew: live heap where it is known, else resident memory.
    pub grown: i64,
    /// The growth less what the process grows by without requests, in bytes a request.
    pub per_request: f64,
    /// The part of it that routes own; `None` where blocks have no owner.
    pub of_routes: Option<f64>,
    /// Bytes a request up to which it counts as level.
    pub floor: f64,
    /// By how many bytes resident memory grew; `None` where it could not be read.
    pub resident: Option<i64>,
    /// How long it took.
    pub seconds: f64,
}

/// By how much the live heap of one route grew.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RouteGrowth {
    /// The route.
    pub route: String,
    /// Bytes in all stages together.
    pub grown: i64,
    /// Bytes a request of the soak.
    pub per_request: f64,
}

/// The result of a soak. [`Display`](fmt::Display) formats it as a sentence and a table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Judgement {
    /// Whether memory is kept per request.
    pub verdict: Verdict,
    /// The stages, each with twice the requests of the one before.
    pub stages: Vec<Stage>,
    /// Growth by route, the largest first; empty where blocks have no owner.
    pub routes: Vec<RouteGrowth>,
    /// The raw series, warm-up included.
    pub rounds: Vec<Round>,
    /// How many of the first rounds were warm-up.
    pub warm_up: usize,
    /// All requests.
    pub requests: u64,
    /// Whether live heap was known. If not, growth is that of resident memory.
    pub is_exact: bool,
}

impl Judgement {
    /// Of a soak that could not begin.
    pub(super) fn invalid(reason: String) -> Self {
        Self {
            verdict: Verdict::Invalid { reason },
            stages: Vec::new(),
            routes: Vec::new(),
            rounds: Vec::new(),
            warm_up: 0,
            requests: 0,
            is_exact: false,
        }
    }

    /// Bytes a request in the last stage; 0 without a stage.
    pub fn per_request(&self) -> f64 {
        self.stages.last().map_or(0.0, |stage| stage.per_request)
    }

    /// Passes if memory no longer rises with requests ([`Verdict::is_settled`]).
    ///
    /// # Panics
    ///
    /// Otherwise, with the verdict and the table: inconclusive and invalid runs fail too.
    #[track_caller]
    pub fn assert_settled(&self) {
        assert!(self.verdict.is_settled(), "{self}");
    }

    /// All of it with the raw series, as JSON.
    pub fn to_json(&self) -> String {
        let stages = self.stages.iter().map(|stage| {
            json!({
                "requests": stage.requests,
                "grown": stage.grown,
                "per_request": stage.per_request,
                "of_routes": stage.of_routes,
                "floor": stage.floor,
                "resident": stage.resident,
                "seconds": stage.seconds,
            })
        });
        let routes = self.routes.iter().map(
            |it| json!({ "route": it.route, "grown": it.grown, "per_request": it.per_request }),
        );
        let rounds = self.rounds.iter().map(|round| {
            json!({
                "requests": round.requests,
                "sent": round.sent,
                "grown": round.grown,
                "owned": round.owned,
                "resident": round.resident,
                "seconds": round.seconds,
            })
        });
        let all = json!({
            "verdict": self.verdict.as_str(),
            "sentence": self.verdict.to_string(),
            "next_step": self.verdict.next_step(),
            "requests": self.requests,
            "per_request": self.per_request(),
            "is_exact": self.is_exact,
            "warm_up": self.warm_up,
            "stages": stages.collect::<Value>(),
            "routes": routes.collect::<Value>(),
            "rounds": rounds.collect::<Value>(),
        });
        all.to_string()
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_exact {
            "live heap"
        } else {
            "resident"
        };
        writeln!(f, "{}", self.verdict)?;
        writeln!(f, "Next: {}.", self.verdict.next_step())?;
        if self.stages.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\nstage  requests  {what:>13}  a request  of routes  noise up to       resident"
        )?;
        for (number, stage) in (1..).zip(&self.stages) {
            let of_routes = stage.of_routes.map(|rate| format!("{rate:.1} B"));
            let resident = stage.resident.map(|bytes| format!("{bytes:+} B"));
            writeln!(
                f,
                "{number:>5}  {:>8}  {:>11} B  {:>7.1} B  {:>9}  {:>9.1} B  {:>13}",
                stage.requests,
                format!("{:+}", stage.grown),
                stage.per_request,
                of_routes.as_deref().unwrap_or("unknown"),
                stage.floor,
                resident.as_deref().unwrap_or("unknown"),
            )?;
        }
        let grew = self.routes.iter().filter(|route| route.per_request >= 0.05);
        for route in grew {
            writeln!(
                f,
                "       {} keeps {:.1} B a request",
                route.route, route.per_request
            )?;
        }
        Ok(())
    }
}
