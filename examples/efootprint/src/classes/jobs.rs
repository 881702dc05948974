//! Requests to servers.

use std::collections::{HashMap, HashSet};

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class, family};
use super::{
    AnyApi, AnyJob, AnyServer, AnyUsagePattern, BoaviztaCloudServer, EdgeUsagePattern, GPUServer,
    RecurrentServerNeed, Server, UsageJourney, UsageJourneyStep, UsagePattern, VideoStreaming,
};
use crate::engine::{At, Entries, Failure};
use crate::objects::{Change, Ref};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, MB, MB_STORED, OCCURRENCES};
use crate::values::Amount;
use crate::values::{CpuCores, Data, Gpus, Ram, Scalar, Stored, Time};

class! {
    /// A request to a server.
    Job {
        data_transferred: Scalar<Data>,
        data_stored: Scalar<Stored>,
        request_duration: Scalar<Time>,
        ram_needed: Scalar<Ram>,
        compute_needed: Scalar<CpuCores>,
        server: Ref<CpuServer>,
    }
}

class! {
    /// A request to a GPU server.
    GPUJob {
        data_transferred: Scalar<Data>,
        data_stored: Scalar<Stored>,
        request_duration: Scalar<Time>,
        ram_needed: Scalar<Ram>,
        compute_needed: Scalar<Gpus>,
        server: Ref<GPUServer>,
    }
}

family! {
    /// A server that computes on processor cores.
    CpuServer { Server, BoaviztaCloudServer }
}

impl Answers for Job {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[JOB];
}

impl Answers for GPUJob {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Job);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[JOB];
}

attributes! {
    /// What every job has, whatever its class.
    JOB of AnyJob {
        "4.6" hourly_occurrences_per_usage_pattern [OCCURRENCES]
            = "over the steps with this job: occurrences of the pattern, later by the time that passes before the step, × times" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_occurrences(pattern))
            }));
        "4.6" hourly_avg_occurrences_per_usage_pattern [CONCURRENT]
            = "requests in progress: hourly occurrences, for the request duration" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_avg_occurrences(pattern))
            }));
        "7" hourly_avg_occurrences_per_coordinate [CONCURRENT]
            = "requests in progress that one place in the usage tree starts" =>
            |job| Entries(job.hourly_avg_occurrences_by_place().map(|(place, requests)| {
                (place.path(), requests)
            }));
        "4.6" hourly_avg_occurrences_across_usage_patterns [CONCURRENT]
            = "sum over patterns" => |job| job.hourly_avg_occurrences_across();
        "4.6" hourly_data_transferred_per_usage_pattern [MB]
            = "requests in progress × data transferred × 1 hour ÷ request duration" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_data_transferred(pattern))
            }));
        "7" hourly_data_transferred_per_coordinate [MB]
            = "the same, for requests that one place in the usage tree starts" =>
            |job| Entries(job.hourly_avg_occurrences_by_place().map(move |(place, requests)| {
                (place.path(), requests.and_then(|requests| job.hourly_data_transferred_by(requests)))
            }));
        "4.6" hourly_data_transferred_across_usage_patterns [MB]
            = "sum over patterns" => |job| sum(job.usage_patterns().into_iter().map(|pattern| {
                job.hourly_data_transferred(pattern)
            }));
        "4.6" hourly_data_stored_per_usage_pattern [MB_STORED]
            = "requests in progress × data stored × 1 hour ÷ request duration" =>
            |job| Entries(job.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), job.hourly_data_stored(pattern))
            }));
        "4.6" hourly_data_stored_across_usage_patterns [MB_STORED]
            = "sum over patterns" => |job| job.hourly_data_stored_across();
    }
}

/// A place in the usage tree that starts a job: a step of a journey of a pattern, or a server need
/// of devices (sections 7 and E9.1).
#[derive(Clone, Copy)]
pub(crate) enum Coordinate<'e> {
    Step {
        pattern: At<'e, UsagePattern>,
        journey: At<'e, UsageJourney>,
        step: At<'e, UsageJourneyStep>,
        /// Hours that pass before the step.
        delay: f64,
        /// How often the place starts the job for one occurrence of the pattern.
        times: f64,
    },
    Need {
        pattern: At<'e, EdgeUsagePattern>,
        need: At<'e, RecurrentServerNeed>,
        /// How often the need starts the job.
        times: f64,
    },
}

impl<'e> Coordinate<'e> {
    pub(crate) fn pattern(&self) -> At<'e, AnyUsagePattern> {
        match self {
            Self::Step { pattern, .. } => pattern.of(),
            Self::Need { pattern, .. } => pattern.of(),
        }
    }

    fn path(&self) -> String {
        match self {
            Self::Step {
                pattern,
                journey,
                step,
                ..
            } => format!(
                "{}/journey/{}/step/{}",
                pattern.id(),
                journey.id(),
                step.id()
            ),
            Self::Need { pattern, need, .. } => {
                format!("{}/recurrent-server-need/{}", pattern.id(), need.id())
            }
        }
    }
}

impl<'e> At<'e, AnyJob> {
    /// How long a request takes.
    pub(crate) fn request_duration(self) -> Result<Amount, Failure> {
        let duration = match self.get() {
            AnyJob::Job(job) => self.at(job).get().request_duration.amount_in("hour"),
            AnyJob::GPUJob(job) => self.at(job).get().request_duration.amount_in("hour"),
            AnyJob::VideoStreamingJob(job) => self.at(job).get().video_duration.amount_in("hour"),
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => {
                Amount::of(self.at(job).generation_latency())
            }
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => {
                Amount::of(self.at(job).generation_latency())
            }
        };
        self.divisor("request_duration", duration.value)?;
        Ok(duration)
    }

    /// In MB.
    fn data_transferred(self) -> Amount {
        match self.get() {
            AnyJob::Job(job) => self.at(job).get().data_transferred.amount_in("megabyte"),
            AnyJob::GPUJob(job) => self.at(job).get().data_transferred.amount_in("megabyte"),
            AnyJob::VideoStreamingJob(job) => Amount::of(self.at(job).data_transferred()),
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => {
                Amount::of(self.at(job).data_transferred())
            }
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => {
                Amount::of(self.at(job).data_transferred())
            }
        }
    }

    /// In MB.
    fn data_stored(self) -> Amount {
        let data_stored = match self.get() {
            AnyJob::Job(job) => &self.at(job).get().data_stored,
            AnyJob::GPUJob(job) => &self.at(job).get().data_stored,
            AnyJob::VideoStreamingJob(job) => &self.at(job).get().data_stored,
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => &self.at(job).get().data_stored,
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => &self.at(job).get().data_stored,
        };
        data_stored.amount_in("megabyte_stored")
    }

    /// In GB.
    pub(crate) fn ram_needed(self) -> Amount {
        match self.get() {
            AnyJob::Job(job) => self.at(job).get().ram_needed.amount_in("gigabyte_ram"),
            AnyJob::GPUJob(job) => self.at(job).get().ram_needed.amount_in("gigabyte_ram"),
            AnyJob::VideoStreamingJob(job) => self.at(job).ram_needed(),
            // Other people's servers have what it takes.
            AnyJob::EcoLogitsGenAIExternalAPIJob(_)
            | AnyJob::EcoLogitsVideoGenExternalAPIJob(_) => Amount::of(0.0),
        }
    }

    /// In processor cores or GPUs.
    pub(crate) fn compute_needed(self) -> Amount {
        match self.get() {
            AnyJob::Job(job) => self.at(job).get().compute_needed.amount_in("cpu_core"),
            AnyJob::GPUJob(job) => self.at(job).get().compute_needed.amount_in("gpu"),
            AnyJob::VideoStreamingJob(job) => Amount::of(self.at(job).compute_needed()),
            AnyJob::EcoLogitsGenAIExternalAPIJob(_)
            | AnyJob::EcoLogitsVideoGenExternalAPIJob(_) => Amount::of(0.0),
        }
    }

    /// The server, unless it is other people's.
    pub(crate) fn server(self) -> Option<At<'e, AnyServer>> {
        let cpu_server = match self.get() {
            AnyJob::GPUJob(job) => return Some(self.at(self.at(job).get().server).of()),
            AnyJob::Job(job) => self.at(job).get().server,
            AnyJob::VideoStreamingJob(job) => self.at(self.at(job).get().service).get().server,
            AnyJob::EcoLogitsGenAIExternalAPIJob(_)
            | AnyJob::EcoLogitsVideoGenExternalAPIJob(_) => return None,
        };
        Some(match self.at(cpu_server).get() {
            CpuServer::Server(server) => self.at(server).of(),
            CpuServer::BoaviztaCloudServer(server) => self.at(server).of(),
        })
    }

    /// The patterns that start this job: those of people, and those of devices.
    pub(crate) fn usage_patterns(self) -> Vec<At<'e, AnyUsagePattern>> {
        let web = self.referrers::<UsageJourneyStep>();
        let web = web.flat_map(|step| step.referrers::<UsageJourney>());
        let web = web.flat_map(At::<UsageJourney>::usage_patterns);
        let edge = self.referrers::<RecurrentServerNeed>();
        let edge = edge.flat_map(At::<RecurrentServerNeed>::usage_patterns);
        // In the order in which the reference implementation comes to them: that decides about the last
        // bit of a sum, and so in which hour a storage is full.
        let mut known = HashSet::new();
        let patterns = web.map(At::of).chain(edge.map(At::of));
        patterns
            .filter(|pattern: &At<'_, AnyUsagePattern>| known.insert(pattern.index()))
            .collect()
    }

    /// What it moves over networks. That takes what its server takes too, and is best known before
    /// that is forgotten.
    pub(crate) fn move_data(self) -> Result<(), Failure> {
        for pattern in self.usage_patterns() {
            pattern.network().use_footprint_of(self)?;
        }
        Ok(())
    }

    /// Every place that starts this job.
    pub(crate) fn places(self) -> Vec<Coordinate<'e>> {
        let patterns = self.usage_patterns().into_iter();
        patterns
            .flat_map(|pattern| self.places_in(pattern))
            .collect()
    }

    /// The places in a pattern that start this job.
    fn places_in(self, pattern: At<'e, AnyUsagePattern>) -> Vec<Coordinate<'e>> {
        match pattern.get() {
            AnyUsagePattern::UsagePattern(pattern) => self.steps_in(self.at(pattern)),
            AnyUsagePattern::EdgeUsagePattern(pattern) => self.needs_in(self.at(pattern)),
        }
    }

    fn steps_in(self, pattern: At<'e, UsagePattern>) -> Vec<Coordinate<'e>> {
        let mut places = Vec::new();
        for (journey, journeys) in pattern.journeys() {
            let mut elapsed = super::web_usage::Elapsed::default();
            for step in journey.steps() {
                let inputs = step.step.get();
                if let Some((_, jobs)) = inputs.jobs.iter().find(|(job, _)| self == self.at(*job)) {
                    places.push(Coordinate::Step {
                        pattern,
                        journey,
                        step: step.step,
                        delay: elapsed.hours(),
                        times: journeys * step.times * jobs.number(),
                    });
                }
                elapsed.add(step.times, &inputs.user_time_spent);
            }
        }
        places
    }

    fn needs_in(self, pattern: At<'e, EdgeUsagePattern>) -> Vec<Coordinate<'e>> {
        let needs = self.referrers::<RecurrentServerNeed>();
        let needs = needs.filter(|need| need.usage_patterns().contains(&pattern));
        let mut needs: Vec<_> = needs.collect();
        if needs.len() > 1 {
            // In the order in which the pattern lists them, for the last bit of sums over them.
            let listed = pattern.functions();
            let listed = listed.flat_map(|function| function.get().recurrent_server_needs.iter());
            let mut order = HashMap::new();
            for (i, need) in listed.enumerate() {
                order.entry(self.at(*need).index()).or_insert(i);
            }
            needs.sort_by_key(|need| order.get(&need.index()).copied());
        }
        let places = needs.into_iter().flat_map(|need| {
            let jobs = need.get().jobs.iter();
            let times = jobs.filter(|(job, _)| self == self.at(*job));
            times.map(move |(_, times)| Coordinate::Need {
                pattern,
                need,
                times: times.number(),
            })
        });
        places.collect()
    }

    fn hourly_occurrences_at(self, place: &Coordinate<'e>) -> Result<Option<Series>, Failure> {
        self.check_cancelled()?;
        match *place {
            Coordinate::Step {
                pattern,
                delay,
                times,
                ..
            } => match pattern.utc_hourly_occurrences()? {
                Some(starts) => Ok(Some(starts.times(times).later(delay)?)),
                None => Ok(None),
            },
            Coordinate::Need {
                pattern,
                need,
                times,
            } => {
                let devices = pattern.nb_deployments_in_parallel()?;
                let volume = need.unitary_hourly_volume(pattern)?;
                Ok(match devices.zip(volume) {
                    Some((devices, volume)) => {
                        let times = times as f32;
                        Some(volume.with(&devices, |volume, devices| volume * devices * times)?)
                    }
                    None => None,
                })
            }
        }
    }

    pub(crate) fn hourly_occurrences(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Hours, Failure> {
        let places = self.places_in(pattern);
        sum(places.iter().map(|place| self.hourly_occurrences_at(place)))
    }

    pub(crate) fn hourly_avg_occurrences(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("hourly_avg_occurrences", pattern.index(), || {
            let duration = self.request_duration()?.total();
            match self.hourly_occurrences(pattern)? {
                Some(occurrences) => Ok(occurrences.aged(0.0, duration)?),
                None => Ok(None),
            }
        })
    }

    /// Requests in progress that each place starts. There may be many places.
    pub(crate) fn hourly_avg_occurrences_by_place(
        self,
    ) -> impl Iterator<Item = (Coordinate<'e>, Result<Hours, Failure>)> {
        let patterns = self.usage_patterns().into_iter();
        patterns.flat_map(move |pattern| {
            let places = self.places_in(pattern);
            let is_only = places.len() == 1;
            places.into_iter().map(move |place| {
                let requests = match is_only {
                    true => self.hourly_avg_occurrences(pattern),
                    false => self.hourly_avg_occurrences_at(&place),
                };
                (place, requests)
            })
        })
    }

    fn hourly_avg_occurrences_at(self, place: &Coordinate<'e>) -> Result<Hours, Failure> {
        let duration = self.request_duration()?.total();
        Ok(match self.hourly_occurrences_at(place)? {
            Some(occurrences) => occurrences.aged(0.0, duration)?.map(Into::into),
            None => None,
        })
    }

    pub(crate) fn hourly_avg_occurrences_across(self) -> Result<Hours, Failure> {
        self.shared("hourly_avg_occurrences_across_usage_patterns", || {
            let patterns = self.usage_patterns().into_iter();
            sum(patterns.map(|pattern| self.hourly_avg_occurrences(pattern)))
        })
    }

    /// What an hour of requests in progress moves of `data`, which a request moves.
    fn hourly(self, data: &Amount, requests: &Series) -> Result<Series, Failure> {
        let duration = self.request_duration()?;
        let rate = (data.value / duration.value) as f32;
        let conversion = (data.factor / duration.factor) as f32;
        Ok(requests.map(|requests| requests * rate * conversion))
    }

    pub(crate) fn hourly_data_transferred(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Option<Series>, Failure> {
        self.hourly_data_transferred_by(self.hourly_avg_occurrences(pattern)?)
    }

    fn hourly_data_transferred_by(self, requests: Hours) -> Result<Option<Series>, Failure> {
        let data = self.data_transferred();
        requests
            .map(|requests| self.hourly(&data, &requests))
            .transpose()
    }

    fn hourly_data_stored(
        self,
        pattern: At<'e, AnyUsagePattern>,
    ) -> Result<Option<Series>, Failure> {
        let requests = self.hourly_avg_occurrences(pattern)?;
        requests
            .map(|requests| self.hourly_data_stored_by(&requests))
            .transpose()
    }

    /// What an hour of a request in progress transfers, in MB.
    pub(crate) fn data_of_request_in_progress(self) -> Result<f64, Failure> {
        Ok(self.data_transferred().total() / self.request_duration()?.total())
    }

    /// What so many requests in progress store by the hour.
    pub(crate) fn hourly_data_stored_by(self, requests: &Series) -> Result<Series, Failure> {
        self.hourly(&self.data_stored(), requests)
    }

    /// The service that it is a request to.
    pub(crate) fn service(self) -> Option<At<'e, VideoStreaming>> {
        match self.get() {
            AnyJob::VideoStreamingJob(job) => Some(self.at(self.at(job).get().service)),
            _ => None,
        }
    }

    pub(crate) fn hourly_data_stored_across(self) -> Result<Hours, Failure> {
        self.shared("hourly_data_stored_across_usage_patterns", || {
            let patterns = self.usage_patterns().into_iter();
            sum(patterns.map(|pattern| self.hourly_data_stored(pattern)))
        })
    }

    /// The API, if other people do the job.
    pub(crate) fn api(self) -> Option<At<'e, AnyApi>> {
        match self.get() {
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => {
                Some(self.at(self.at(job).get().external_api).of())
            }
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => {
                Some(self.at(self.at(job).get().external_api).of())
            }
            AnyJob::Job(_) | AnyJob::GPUJob(_) | AnyJob::VideoStreamingJob(_) => None,
        }
    }
}
