//! How the footprints of storages are split.

use super::jobs::{Cell, Part, ratio, requests_of};
use super::rows::Stream;
use crate::classes::{AnyJob, Phase, Storage};
use crate::engine::{At, Failure};
use crate::series::Series;

/// How a storage's footprint is split.
pub(crate) struct Keeping<'e> {
    storage: At<'e, Storage>,
    /// In kg, of each terabyte that was written and is kept.
    of_terabyte: Series,
    /// In kg, of what is there besides.
    baseline: f64,
    /// Requests of all jobs, and how many jobs there are.
    requests: f64,
    jobs: usize,
}

impl<'e> Keeping<'e> {
    pub(crate) fn of(storage: At<'e, Storage>) -> Result<Option<Self>, Failure> {
        let (Some(written), Some(retention), Some(baseline), Some(server)) = (
            storage.written()?,
            storage.retention_footprint()?,
            storage.baseline_footprint()?,
            storage.server()?,
        ) else {
            return Ok(None);
        };
        let mut requests = 0.0;
        for job in server.jobs() {
            requests += requests_of(job)?;
        }
        Ok(Some(Self {
            storage,
            of_terabyte: retention.with(&written, ratio)?,
            baseline: baseline.sum(),
            requests,
            jobs: server.jobs().count(),
        }))
    }

    /// What the job causes of the storage's footprint.
    pub(crate) fn parts_of(&self, job: At<'e, AnyJob>) -> Result<Vec<Part<'_, 'e>>, Failure> {
        let share = match self.requests {
            0.0 => 1.0 / self.jobs as f64,
            all => requests_of(job)? / all,
        };
        let of_job = job.hourly_avg_occurrences_across()?;
        let retention = move |cell: &Cell<'e>| {
            let Some((requests, of_job)) = cell.requests.as_ref().zip(of_job.as_ref()) else {
                return Ok(0.0);
            };
            // What a place wrote is kept for as long as others go on writing.
            let requests = of_job.with(requests, |_, requests| requests)?;
            let kept = self.storage.kept(&job.hourly_data_stored_by(&requests)?);
            Ok(kept.dot(&self.of_terabyte))
        };
        let baseline = move |cell: &Cell<'e>| Ok(self.baseline * share * cell.flat_share);
        let (source, phase) = (self.storage.index(), Phase::Manufacturing);
        Ok(vec![
            Part::new(source, Stream::Retention, phase, retention),
            Part::new(source, Stream::Baseline, phase, baseline),
        ])
    }
}
