use crate::{
    report::{LateWork, Outcome, Report},
    resident::Resident,
    verdict::Verdict,
};
use http::{Method, StatusCode};
use std::time::SystemTime;

/// A warning about a request, or about work that it left behind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Warning {
    /// When it ended.
    pub at: SystemTime,
    /// The request's method.
    pub method: Method,
    /// The response's status; `None` when there was no response.
    pub status: Option<StatusCode>,
    /// How the request ended; `None` for work that it left behind.
    pub outcome: Option<Outcome>,
    /// The resident set when the request began.
    pub before: Option<Resident>,
    /// The resident set when the request ended.
    pub after: Option<Resident>,
    /// The explanation. Its `Display` is a sentence, and [`next_step`](Verdict::next_step)
    /// says what to do.
    pub verdict: Verdict,
}

impl Warning {
    pub(super) fn of(report: &Report) -> Self {
        Self {
            at: SystemTime::now(),
            method: report.method.clone(),
            status: report.status,
            outcome: Some(report.outcome),
            before: report.before,
            after: report.after,
            verdict: report.verdict,
        }
    }

    pub(super) fn of_late(work: &LateWork) -> Self {
        Self {
            at: SystemTime::now(),
            method: work.method.clone(),
            status: None,
            outcome: None,
            before: None,
            after: None,
            verdict: work.verdict,
        }
    }
}
