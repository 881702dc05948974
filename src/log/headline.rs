use crate::{
    report::{LateWork, Report},
    verdict::Verdict,
};
use bytesize::ByteSize;
use std::{cmp::Ordering, fmt};

/// The message of an event, such as
/// `memory grew 26.1 MiB -> 486.3 MiB (+460.2 MiB) on POST /api/systems`, then the [`Explanation`].
pub(super) struct Headline<'a> {
    pub(super) report: &'a Report,
    pub(super) suppressed: u64,
}

impl fmt::Display for Headline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        match (report.before, report.after) {
            (Some(before), Some(after)) => {
                let (old, new) = (ByteSize(before.total), ByteSize(after.total));
                let change = ByteSize(before.total.abs_diff(after.total));
                match after.total.cmp(&before.total) {
                    Ordering::Greater => write!(f, "memory grew {old} -> {new} (+{change})")?,
                    Ordering::Less => write!(f, "memory shrank {old} -> {new} (-{change})")?,
                    Ordering::Equal => write!(f, "memory stayed at {old}")?,
                }
            }
            _ => {
                let (method, route) = (&report.method, &report.route);
                write!(f, "memory could not be read for {method} {route}")?;
                return finish(f, report, self.suppressed);
            }
        }
        write!(f, " on {} {}", report.method, report.route)?;
        finish(f, report, self.suppressed)
    }
}

fn finish(f: &mut fmt::Formatter<'_>, report: &Report, suppressed: u64) -> fmt::Result {
    match report.overlap {
        0 => {}
        1 => f.write_str(" while 1 other request ran")?,
        others => write!(f, " while {others} other requests ran")?,
    }
    explain(f, &report.verdict)?;
    count(f, suppressed)
}

/// The message for work that a request left behind.
pub(super) struct LateHeadline<'a> {
    pub(super) work: &'a LateWork,
    pub(super) suppressed: u64,
}

impl fmt::Display for LateHeadline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LateWork {
            method,
            route,
            heap,
            verdict,
            ..
        } = self.work;
        let net = ByteSize(heap.net().unsigned_abs());
        let sign = if heap.net() < 0 { '-' } else { '+' };
        write!(
            f,
            "background work from {method} {route} changed the live heap by {sign}{net}"
        )?;
        explain(f, verdict)?;
        count(f, self.suppressed)
    }
}

fn explain(f: &mut fmt::Formatter<'_>, verdict: &Verdict) -> fmt::Result {
    if !verdict.is_warning() {
        return Ok(());
    }
    write!(f, ": {}", Explanation(verdict))
}

/// The verdict's sentence, and what to do.
pub(super) struct Explanation<'a>(pub(super) &'a Verdict);

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(verdict) = self;
        match verdict.next_step() {
            Some(step) => write!(f, "{verdict}. {step}"),
            None => write!(f, "{verdict}"),
        }
    }
}

fn count(f: &mut fmt::Formatter<'_>, suppressed: u64) -> fmt::Result {
    match suppressed {
        0 => Ok(()),
        1 => f.write_str(" (1 more warning suppressed)"),
        more => write!(f, " ({more} more warnings suppressed)"),
    }
}
