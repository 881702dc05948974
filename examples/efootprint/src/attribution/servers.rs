//! How the footprints of servers are split.

use std::collections::HashMap;
use std::sync::Arc;

use super::jobs::{Cell, Part, ratio};
use super::rows::Stream;
use crate::classes::{AnyJob, AnyServer, Phase};
use crate::engine::{At, Failure};
use crate::series::Series;
use crate::values::Strategy;

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
        let standing = f64::from(self.n.max()).round_ties_even();
        let needed = |raw: f32| f64::from(raw.max(0.0)).ceil().min(standing);
        // How many instances hours need, each number once: there may be more instances than memory
        // has places.
        let mut levels = Vec::new();
        raw.together(&self.all, |raw, _, _| levels.push(needed(raw)));
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        // In hours that need so many instances or more, the sum of demand: of all, and of each job.
        let by_level = |series: &Series| {
            let mut sums = vec![0.0; levels.len()];
            raw.together(series, |raw, value, hours| {
                let level = levels.partition_point(|level| *level < needed(raw));
                sums[level] += f64::from(value) * hours as f64;
            });
            // What needs three instances needs the first and the second too.
            for level in (1..sums.len()).rev() {
                sums[level - 1] += sums[level];
            }
            sums
        };
        let all = by_level(&self.all);
        let instances = levels.iter().scan(0.0, |below, level| {
            let instances = level - *below;
            *below = *level;
            Some(instances)
        });
        let instances: Vec<f64> = instances.collect();
        let idle = standing - levels.last().copied().unwrap_or(0.0);
        let count = self.server.jobs().count() as f64;
        let shares = self.server.jobs().map(|job| {
            let Some(of_job) = self.of_job(job)? else {
                return Ok(0.0);
            };
            let of_job = by_level(&of_job);
            // The instances that no hour needs go by the whole period.
            let of_period = match all.first().zip(of_job.first()) {
                Some((&all, &job)) if all != 0.0 => job / all,
                _ => 1.0 / count,
            };
            let of_levels = instances.iter().zip(all.iter().zip(&of_job));
            let of_levels = of_levels.map(|(instances, (&all, &job))| {
                instances * if all == 0.0 { of_period } else { job / all }
            });
            Ok((of_levels.sum::<f64>() + idle * of_period) / standing.max(1.0))
        });
        shares.collect()
    }
}

/// How a server's footprint is split.
pub(crate) struct Provision<'e> {
    demand: Demand<'e>,
    manufacturing: Arc<Series>,
    idle: Arc<Series>,
    load: Arc<Series>,
    /// On premise, each job's part of the instances, by the job's place in the file.
    shares: Option<HashMap<usize, f64>>,
}

impl<'e> Provision<'e> {
    pub(crate) fn of(server: At<'e, AnyServer>) -> Result<Option<Self>, Failure> {
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

    /// What the job causes of the server's footprint.
    pub(crate) fn parts_of(&self, job: At<'e, AnyJob>) -> Result<Vec<Part<'_, 'e>>, Failure> {
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
        let server = self.demand.server.index();
        let parts = streams.map(|(stream, phase, footprint)| {
            if let (Stream::Provisioned, Some(shares)) = (stream, &self.shares) {
                let of_job = shares.get(&job.index()).copied().unwrap_or(0.0);
                let value = footprint.sum() * of_job;
                let flat = move |cell: &Cell<'e>| Ok(value * cell.flat_share);
                return Ok(Part::new(server, stream, phase, flat));
            }
            let of_request = share.with(footprint, |share, footprint| share * footprint)?;
            let by_hour = move |cell: &Cell<'e>| {
                let requests = cell.requests.as_ref();
                Ok(requests.map_or(0.0, |requests| requests.dot(&of_request)))
            };
            Ok(Part::new(server, stream, phase, by_hour))
        });
        parts.into_iter().collect()
    }
}
