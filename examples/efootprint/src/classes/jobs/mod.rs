//! Jobs: requests to servers, and what they need.

mod coordinate;
mod gpu_job;
mod job;
mod occurrences;

pub(crate) use self::coordinate::Coordinate;
pub use self::gpu_job::*;
pub use self::job::*;
pub(in crate::classes) use self::occurrences::JOB;
use crate::classes::declare::family;
use crate::classes::{
    AnyApi, AnyServer, CpuServer, EcoLogitsGenAIExternalAPIJob, EcoLogitsVideoGenExternalAPIJob,
    VideoStreaming, VideoStreamingJob,
};
use crate::engine::{At, Failure};
use crate::values::Amount;

family! {
    /// A job of any class.
    AnyJob { Job, GPUJob, VideoStreamingJob, EcoLogitsGenAIExternalAPIJob, EcoLogitsVideoGenExternalAPIJob }
}

impl<'e> At<'e, AnyJob> {
    /// How long a request takes.
    pub(crate) fn request_duration(self) -> Result<Amount, Failure> {
        let duration = match self.get() {
            AnyJob::Job(job) => self.at(job).get().request_duration.amount_in("hour"),
            AnyJob::GPUJob(job) => self.at(job).get().request_duration.amount_in("hour"),
            AnyJob::VideoStreamingJob(job) => self.at(job).get().video_duration.amount_in("hour"),
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => {
                Amount::of(self.at(job).generation_latency()?)
            }
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => {
                Amount::of(self.at(job).generation_latency()?)
            }
        };
        let input = match self.get() {
            AnyJob::Job(_) | AnyJob::GPUJob(_) => "request_duration",
            AnyJob::VideoStreamingJob(_) => "video_duration",
            AnyJob::EcoLogitsGenAIExternalAPIJob(_) => "output_token_count",
            AnyJob::EcoLogitsVideoGenExternalAPIJob(_) => "duration",
        };
        self.divisor(input, duration.value)?;
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

    /// The service that it is a request to.
    pub(crate) fn service(self) -> Option<At<'e, VideoStreaming>> {
        match self.get() {
            AnyJob::VideoStreamingJob(job) => Some(self.at(self.at(job).get().service)),
            AnyJob::Job(_)
            | AnyJob::GPUJob(_)
            | AnyJob::EcoLogitsGenAIExternalAPIJob(_)
            | AnyJob::EcoLogitsVideoGenExternalAPIJob(_) => None,
        }
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
