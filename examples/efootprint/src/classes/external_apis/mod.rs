//! Generative models behind other people's APIs, with impacts by EcoLogits.

mod language;
mod server;
mod video;

pub use self::language::*;
use self::server::API_SERVER;
pub use self::server::AnyApiServer;
pub use self::video::*;
use crate::classes::AnyJob;
use crate::classes::declare::{ModelOf, attributes, family};
use crate::engine::{At, Failure};
use crate::series::sum;
use crate::units::measure::OCCURRENCES;

family! {
    /// An API of other people.
    AnyApi { EcoLogitsGenAIExternalAPI, EcoLogitsVideoGenExternalAPI }
}

/// What a request to a model of other people costs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Request {
    /// In kWh.
    energy: f64,
    /// In kg.
    pub(crate) usage: f64,
    /// In kg.
    pub(crate) embodied: f64,
}

/// Hardware serves for three years, in hours (E6.2).
const HARDWARE_LIFE: f64 = 3.0 * 365.0 * 24.0;

attributes! {
    /// What every job of an API has.
    API_JOB of AnyJob {
        "4.6" hourly_occurrences_across_usage_patterns [OCCURRENCES]
            = "sum over patterns of hourly occurrences" => |job| {
                sum(job.usage_patterns().into_iter().map(|pattern| job.hourly_occurrences(pattern)))
            };
    }
}

impl At<'_, AnyJob> {
    /// What a request costs. To servers of one's own it costs nothing here.
    fn request(self) -> Result<Request, Failure> {
        match self.get() {
            AnyJob::EcoLogitsGenAIExternalAPIJob(job) => self.at(job).request(),
            AnyJob::EcoLogitsVideoGenExternalAPIJob(job) => self.at(job).request(),
            AnyJob::Job(_) | AnyJob::GPUJob(_) | AnyJob::VideoStreamingJob(_) => {
                Ok(Request::default())
            }
        }
    }
}

impl AnyApi {
    /// The place of its server.
    pub(crate) fn server(self, model: &ModelOf<Self>) -> usize {
        match self {
            Self::EcoLogitsGenAIExternalAPI(api) => model.get(api).server.index(),
            Self::EcoLogitsVideoGenExternalAPI(api) => model.get(api).server.index(),
        }
    }
}

impl<'e> At<'e, AnyApi> {
    pub(crate) fn server(self) -> At<'e, AnyApiServer> {
        match self.get() {
            AnyApi::EcoLogitsGenAIExternalAPI(api) => self.at(self.at(api).get().server).of(),
            AnyApi::EcoLogitsVideoGenExternalAPI(api) => self.at(self.at(api).get().server).of(),
        }
    }
}
