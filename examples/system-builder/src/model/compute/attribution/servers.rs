//! How the footprints of servers are split.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::{At, Failure, Series};
use super::{Cell, Row, Stream, ratio};
use crate::model::classes::{AnyJob, AnyServer, Phase};
use crate::model::values::Strategy;

/// What a server's jobs ask of it, in instances of the resource that is short.
struct Demand<'e> {
    /// The server's compute and RAM.
    compute: f64,
    ram: f64,
    /// For each hour, whether compute is short: 1, or else RAM: 0.
    compute_binds: Series,
    /// Instances.
    n: Arc<Series>,
    all: Series,
    server: At<'e, AnyServer>,
}

impl<'e> Demand<'e> {
    fn of(server: At<'e, AnyServer>) -> Result<Option<Self>, Failure> {
        let (Some(ram_need), Some(compute_need), Some(n)) = (
            server.ram_need()?,
            server.compute_need()?,
            server.nb_of_instances()?,
        ) else {
            return Ok(None);
        };
        let (ram, compute) = (server.available_ram()?, server.available_compute()?);
        let (of_ram, of_compute) = (ram as f32, compute as f32);
        let compute_binds = compute_need.with(&ram_need, |compute_need, ram_need| {
            f32::from(u8::from(compute_need / of_compute >= ram_need / of_ram))
        })?;
        let all = n.filled_with(0.0);
        let mut demand = Self {
            compute,
            ram,
            compute_binds,
            n,
            all,
            server,
        };
        for job in server.jobs() {
            if let Some(of_job) = demand.of_job(job)? {
                demand.all.add(&of_job)?;
            }
        }
        Ok(Some(demand))
    }

    /// For each hour, what one request in progress asks for.
    fn of_request(&self, job: At<'e, AnyJob>) -> Result<Series, Failure> {
        let choose = |binds: f32, of_compute: f32, of_ram: f32| {
            if binds == 1.0 { of_compute } else { of_ram }
        };
        let of_compute = (job.compute_needed().total() / self.compute) as f32;
        let of_ram = (job.ram_needed().total() / self.ram) as f32;
        let mut each = self
            .compute_binds
            .map(|binds| choose(binds, of_compute, of_ram));
        if let Some(service) = job.service() {
            let of_compute = (service.base_compute() / self.compute) as f32;
            let of_ram = (service.base_ram() / self.ram) as f32;
            if let Some(volume) = service.total_job_volume()? {
                let standing = self
                    .compute_binds
                    .with(&self.n, |binds, n| choose(binds, of_compute, of_ram) * n)?
                    .with(&volume, ratio)?;
                each.add(&standing)?;
            }
        }
        Ok(each)
    }

    /// For each hour, what the job asks for.
    fn of_job(&self, job: At<'e, AnyJob>) -> Result<Option<Series>, Failure> {
        let Some(requests) = job.hourly_avg_occurrences_across()? else {
            return Ok(None);
        };
        let each = self.of_request(job)?;
        Ok(Some(
            each.with(&requests, |each, requests| each * requests)?,
        ))
    }

    /// Each job's part of the instances that stand on premise: of the first, by demand in all
    /// hours that need it; of the second, in those that need two; and so on.
    fn provisioned_shares(&self) -> Result<Vec<f64>, Failure> {
        let Some(raw) = self.server.raw_nb_of_instances()? else {
            return Ok(Vec::new());
        };
        // In hours that need so many instances, the sum of demand: of all, and of each job.
        let tiers = f64::from(self.n.max()).round_ties_even() as usize;
        let tier_of = |raw: f32| (raw.max(0.0).ceil() as usize).min(tiers);
        let used = f64::from(raw.max()).ceil().max(0.0) as usize;
        let by_tier = |series: &Series| {
            let mut sums = vec![0.0; used.min(tiers) + 1];
            raw.together(series, |raw, value, hours| {
                sums[tier_of(raw)] += f64::from(value) * hours as f64;
            });
            // What needs three instances needs the first and the second too.
            for tier in (0..sums.len() - 1).rev() {
                sums[tier] += sums[tier + 1];
            }
            sums
        };
        let all = by_tier(&self.all);
        let count = self.server.jobs().count() as f64;
        let shares = self.server.jobs().map(|job| {
            let Some(of_job) = self.of_job(job)? else {
                return Ok(0.0);
            };
            let of_job = by_tier(&of_job);
            // The instances that no hour needs go by the whole period.
            let of_period = if all[0] == 0.0 {
                1.0 / count
            } else {
                of_job[0] / all[0]
            };
            let of_tiers = all.iter().zip(&of_job).skip(1);
            let of_tiers =
                of_tiers.map(|(&all, &job)| if all == 0.0 { of_period } else { job / all });
            let idle_tiers = (tiers + 1 - all.len()) as f64;
            Ok((of_tiers.sum::<f64>() + idle_tiers * of_period) / tiers.max(1) as f64)
        });
        shares.collect()
    }
}

/// How a server's footprint is split.
pub(super) struct Provision<'e> {
    demand: Demand<'e>,
    manufacturing: Arc<Series>,
    idle: Arc<Series>,
    load: Arc<Series>,
    /// On premise, each job's part of the instances, by the job's place in the file.
    shares: Option<HashMap<usize, f64>>,
}

impl<'e> Provision<'e> {
    pub(super) fn of(server: At<'e, AnyServer>) -> Result<Option<Self>, Failure> {
        let (Some(manufacturing), Some(idle), Some(load)) = (
            server.manufacturing_footprint()?,
            server.idle_use_footprint()?,
            server.load_use_footprint()?,
        ) else {
            return Ok(None);
        };
        let Some(demand) = Demand::of(server)? else {
            return Ok(None);
        };
        let shares = match server.server_type() {
            Strategy::OnPremise => {
                let jobs = server.jobs().map(At::index);
                Some(jobs.zip(demand.provisioned_shares()?).collect())
            }
            Strategy::Autoscaling | Strategy::Serverless => None,
        };
        Ok(Some(Self {
            demand,
            manufacturing,
            idle,
            load,
            shares,
        }))
    }

    pub(super) fn split(
        &self,
        job: At<'e, AnyJob>,
        cells: &[Cell<'e>],
        rows: &mut Vec<Row>,
    ) -> Result<(), Failure> {
        let streams = [
            (
                Stream::Provisioned,
                Phase::Manufacturing,
                &self.manufacturing,
            ),
            (Stream::Provisioned, Phase::Use, &self.idle),
            (Stream::Dynamic, Phase::Use, &self.load),
        ];
        // Of each request in progress, its share of all demand.
        let share = self.demand.of_request(job)?.with(&self.demand.all, ratio)?;
        for (stream, phase, footprint) in streams {
            let of_request = share.with(footprint, |share, footprint| share * footprint)?;
            for cell in cells {
                let value = match (stream, &self.shares) {
                    (Stream::Provisioned, Some(shares)) => {
                        let share = shares.get(&job.index()).copied().unwrap_or(0.0);
                        footprint.sum() * share * cell.flat_share
                    }
                    _ => cell
                        .requests
                        .as_ref()
                        .map_or(0.0, |requests| requests.dot(&of_request)),
                };
                let server = self.demand.server.index();
                cell.add(cell.row(server, stream, phase, job.index(), value), rows);
            }
        }
        Ok(())
    }
}
