//! Patterns of deployments.

use std::sync::Arc;

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyJob, Country, EdgeFunction, EdgeUsageJourney, Network};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::shown;
use crate::objects::{List, Ref};
use crate::series::{Hours, Series};
use crate::units::measure::{CONCURRENT, NUMBER, OCCURRENCES};
use crate::values::{Hourly, Scalar, Starts, Time};

class! {
    /// Deployments in one country. A journey listed twice needs everything twice.
    EdgeUsagePattern {
        hourly_deployment_starts: Hourly<Starts>,
        edge_usage_journeys: List<EdgeUsageJourney>,
        usage_span: Scalar<Time>,
        network: Ref<Network>,
        country: Ref<Country>,
    }
}

impl Answers for EdgeUsagePattern {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Pattern);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[EDGE_USAGE_PATTERN];
}

attributes! {
    EDGE_USAGE_PATTERN of EdgeUsagePattern {
        "E4.1" utc_hourly_deployment_starts [OCCURRENCES]
            = "hourly deployment starts, from the clocks of the country to UTC" =>
            |pattern| pattern.utc_starts();
        "E4.1" nb_deployments_in_parallel [CONCURRENT]
            = "deployments in use: starts, for the usage span" =>
            |pattern| pattern.nb_deployments_in_parallel();
        guard "E4.1" edge_usage_journeys_validation [NUMBER]
            = "there are journeys, each once" => |pattern| pattern.check_journeys();
    }
}

impl<'e> At<'e, EdgeUsagePattern> {
    fn utc_starts(self) -> Series {
        let pattern = self.get();
        self.at(pattern.country)
            .utc(&pattern.hourly_deployment_starts)
    }

    /// How many deployments are in use.
    pub(crate) fn nb_deployments_in_parallel(self) -> Result<Hours, Failure> {
        self.shared("nb_deployments_in_parallel", || {
            Ok(self.utc_starts().aged(0.0, self.get().usage_span.hours())?)
        })
    }

    /// How many deployments are in use; there have to be some at some time.
    pub(crate) fn deployments(self) -> Result<Arc<Series>, Failure> {
        self.divisor("usage_span", self.get().usage_span.hours().max(0.0))?;
        let deployments = self.nb_deployments_in_parallel()?;
        Ok(deployments.unwrap_or_else(|| Arc::new(self.utc_starts())))
    }

    fn check_journeys(self) -> Result<(), Failure> {
        let journeys = &self.get().edge_usage_journeys;
        let twice = journeys
            .iter()
            .enumerate()
            .find(|(i, journey)| journeys[..*i].contains(journey));
        let detail = match twice {
            Some((_, journey)) => {
                format!(
                    "has the journey “{}” twice; list it once.",
                    shown(self.at(*journey).name())
                )
            }
            None if journeys.is_empty() => {
                "has no journey; add one, or remove the pattern.".to_owned()
            }
            None => return Ok(()),
        };
        let attribute = "edge_usage_journeys_validation";
        Err(self
            .problem(ProblemKind::WrongLink, attribute, detail)
            .into())
    }

    pub(crate) fn journeys(self) -> impl Iterator<Item = At<'e, EdgeUsageJourney>> {
        self.get()
            .edge_usage_journeys
            .iter()
            .map(move |journey| self.at(*journey))
    }

    /// The functions of all journeys, as often as they are listed.
    pub(crate) fn functions(self) -> impl Iterator<Item = At<'e, EdgeFunction>> {
        self.journeys()
            .flat_map(|journey| journey.get().edge_functions.iter())
            .map(move |function| self.at(*function))
    }

    /// The jobs that its devices start. One may come several times.
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.functions()
            .flat_map(|function| function.get().recurrent_server_needs.iter())
            .flat_map(move |need| self.at(*need).get().jobs.iter())
            .map(move |(job, _)| self.at(*job))
    }
}
