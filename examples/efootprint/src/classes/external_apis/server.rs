//! What runs models behind APIs: it bears their footprints.

use super::Request;
use crate::classes::declare::{attributes, family};
use crate::classes::{
    AnyApi, AnyJob, EcoLogitsGenAIExternalAPIServer, EcoLogitsVideoGenExternalAPIServer,
};
use crate::engine::{At, Failure};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{KG, KWH};

family! {
    /// What runs models of other people.
    AnyApiServer { EcoLogitsGenAIExternalAPIServer, EcoLogitsVideoGenExternalAPIServer }
}

attributes! {
    API_SERVER of AnyApiServer {
        "E6.1" instances_manufacturing_footprint [KG]
            = "sum over jobs of requests in progress × embodied footprint of a request × 1 hour ÷ latency" =>
            |server| server.manufacturing_footprint();
        "E6.1" instances_energy [KWH]
            = "sum over jobs of requests in progress × energy of a request × 1 hour ÷ latency" =>
            |server| server.total("instances_energy", |request| request.energy);
        "E6.1" use_footprint [KG]
            = "sum over jobs of requests in progress × usage footprint of a request × 1 hour ÷ latency" =>
            |server| server.use_footprint();
    }
}

impl<'e> At<'e, AnyApiServer> {
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.referrers::<AnyApi>()
            .flat_map(|api| api.referrers::<AnyJob>())
    }

    fn total(
        self,
        attribute: &'static str,
        of_request: impl Fn(Request) -> f64,
    ) -> Result<Hours, Failure> {
        self.footprint(attribute, || {
            sum(self
                .jobs()
                .map(|job| job.adding(self.of_job(job, &of_request))))
        })
    }

    /// What one job takes by the hour.
    fn of_job(
        self,
        job: At<'e, AnyJob>,
        of_request: impl Fn(Request) -> f64,
    ) -> Result<Option<Series>, Failure> {
        let Some(requests) = job.hourly_avg_occurrences_across()? else {
            return Ok(None);
        };
        let request = self.of_request_in_progress(job)?;
        Ok(Some(requests.times(of_request(request))))
    }

    /// What an hour of a request in progress takes.
    pub(crate) fn of_request_in_progress(self, job: At<'e, AnyJob>) -> Result<Request, Failure> {
        let (request, latency) = (job.request()?, job.request_duration()?.total());
        Ok(Request {
            energy: request.energy / latency,
            usage: request.usage / latency,
            embodied: request.embodied / latency,
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.total("instances_manufacturing_footprint", |request| {
            request.embodied
        })
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.total("use_footprint", |request| request.usage)
    }
}
