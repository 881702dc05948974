//! What jobs cause, split by the places that start them.

use std::collections::HashSet;

use super::rows::{Row, Stream, Way};
use crate::classes::{AnyJob, Coordinate, EdgeUsagePattern, Path, Phase};
use crate::engine::{At, Failure};
use crate::series::Hours;

/// A place that starts a job, with what it starts.
pub(super) struct Cell<'e> {
    pub(super) place: Coordinate<'e>,
    /// Requests in progress.
    pub(super) requests: Hours,
    /// Its part of all the job's requests.
    pub(super) flat_share: f64,
}

/// What a place causes of a part, in kg.
pub(super) type OfCell<'a, 'e> = Box<dyn Fn(&Cell<'e>) -> Result<f64, Failure> + 'a>;

/// A part of a footprint that a job causes, to be split by the places that start the job.
pub(super) struct Part<'a, 'e> {
    source: usize,
    stream: Stream,
    phase: Phase,
    of_cell: OfCell<'a, 'e>,
}

impl<'a, 'e> Part<'a, 'e> {
    pub(super) fn new(
        source: usize,
        stream: Stream,
        phase: Phase,
        of_cell: impl Fn(&Cell<'e>) -> Result<f64, Failure> + 'a,
    ) -> Self {
        Self {
            source,
            stream,
            phase,
            of_cell: Box::new(of_cell),
        }
    }
}

/// Splits what a job causes by the places that start it: one after the other, for there may be
/// more than memory has room for the requests of.
pub(super) fn split_job<'e>(
    job: At<'e, AnyJob>,
    parts: &[Part<'_, 'e>],
    networks: &HashSet<usize>,
    rows: &mut Vec<Row>,
) -> Result<(), Failure> {
    let all = requests_of(job)?;
    let count = job.places().len() as f64;
    let moved = job.data_of_request_in_progress()?;
    for (place, requests) in job.hourly_avg_occurrences_by_place() {
        let requests = requests?;
        let of_place = requests.as_ref().map_or(0.0, |requests| requests.sum());
        let flat_share = match all {
            0.0 => 1.0 / count,
            all => of_place / all,
        };
        let cell = Cell {
            place,
            requests,
            flat_share,
        };
        for part in parts {
            let value = (part.of_cell)(&cell)?;
            let row = cell.row(part.source, part.stream, part.phase, job.index(), value);
            cell.add(row, rows);
        }
        let pattern = place.pattern();
        let network = pattern.network();
        if networks.contains(&network.index()) {
            let value = moved * of_place * network.footprint_of_megabyte(pattern);
            let (source, stream) = (network.index(), Stream::Single);
            let row = cell.row(source, stream, Phase::Use, job.index(), value);
            cell.add(row, rows);
        }
    }
    Ok(())
}

impl Cell<'_> {
    /// The row of a part with that value, of a job's source.
    fn row(&self, source: usize, stream: Stream, phase: Phase, job: usize, value: f64) -> Row {
        let mut way = match self.place {
            Coordinate::Step {
                pattern,
                journey,
                step,
                ..
            } => Way {
                step: Some(step.index() as u32),
                journey: journey.index() as u32,
                pattern: pattern.index() as u32,
                country: pattern.of().country().index() as u32,
                ..Way::default()
            },
            // All ways to the need together; they are told apart after.
            Coordinate::Need { pattern, need, .. } => Way {
                server_need: Some(need.index() as u32),
                pattern: pattern.index() as u32,
                country: pattern.of().country().index() as u32,
                ..Way::default()
            },
        };
        way.job = Some(job as u32);
        Row {
            source: source as u32,
            stream,
            phase,
            value,
            way,
        }
    }

    /// Adds a part, by each way that leads to its place.
    fn add(&self, row: Row, rows: &mut Vec<Row>) {
        match self.place {
            Coordinate::Step { .. } => rows.push(row),
            Coordinate::Need { pattern, need, .. } => {
                add_by_paths(row, need.paths(), pattern, rows);
            }
        }
    }
}

/// Adds a part of a pattern's footprint, as much of it by each path as the path is listed.
fn add_by_paths<'e>(
    row: Row,
    paths: impl Iterator<Item = Path<'e>>,
    pattern: At<'e, EdgeUsagePattern>,
    rows: &mut Vec<Row>,
) {
    let paths: Vec<_> = paths.filter(|path| path.pattern == pattern).collect();
    let all: f64 = paths.iter().map(|path| path.times).sum();
    for path in paths {
        rows.push(Row {
            value: row.value * path.times / all,
            way: Way {
                function: Some(path.function.index() as u32),
                journey: path.journey.index() as u32,
                pattern: pattern.index() as u32,
                country: pattern.of().country().index() as u32,
                ..row.way
            },
            ..row
        });
    }
}

pub(super) fn ratio(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Hours of requests in progress.
pub(super) fn requests_of(job: At<'_, AnyJob>) -> Result<f64, Failure> {
    Ok(job
        .hourly_avg_occurrences_across()?
        .map_or(0.0, |requests| requests.sum()))
}
