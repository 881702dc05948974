use crate::report::Report;
use bytesize::ByteSize;
use std::{cmp::Ordering, fmt};

/// The message of an event, such as
/// `memory grew 26.1 MiB -> 486.3 MiB (+460.2 MiB) on POST /api/systems`.
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
            _ => f.write_str("memory could not be read")?,
        }
        write!(f, " on {} {}", report.method, report.route)?;
        match report.overlap {
            0 => {}
            1 => f.write_str(" while 1 other request ran")?,
            others => write!(f, " while {others} other requests ran")?,
        }
        match self.suppressed {
            0 => Ok(()),
            1 => f.write_str(" (1 more warning suppressed)"),
            more => write!(f, " ({more} more warnings suppressed)"),
        }
    }
}
