//! Patterns of people who use the service.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyJob, Country, Device, Network, UsageJourney};
use crate::engine::{At, Failure, Problem, ProblemKind};
use crate::objects::{List, Ref, Weighted};
use crate::series::{Hours, sum};
use crate::units::measure::{NUMBER, OCCURRENCES};
use crate::values::{Hourly, PositiveWeight, Starts};

class! {
    /// People of one country going through journeys.
    UsagePattern {
        hourly_occurrences: Hourly<Starts>,
        usage_journeys: Weighted<UsageJourney, PositiveWeight>,
        devices: List<Device>,
        network: Ref<Network>,
        country: Ref<Country>,
    }
}

impl Answers for UsagePattern {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Pattern);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[USAGE_PATTERN];
}

attributes! {
    USAGE_PATTERN of UsagePattern {
        "4.4" utc_hourly_occurrences [OCCURRENCES]
            = "hourly occurrences, from the clocks of the country to UTC" =>
            |pattern| pattern.utc_hourly_occurrences();
        guard "4.11" usage_journeys_validation [NUMBER]
            = "there is a journey" => |pattern| pattern.check_journeys();
    }
}

impl<'e> At<'e, UsagePattern> {
    pub(crate) fn utc_hourly_occurrences(self) -> Result<Hours, Failure> {
        self.shared("utc_hourly_occurrences", || {
            let pattern = self.get();
            Ok(Some(
                self.at(pattern.country).utc(&pattern.hourly_occurrences),
            ))
        })
    }

    fn check_journeys(self) -> Result<(), Failure> {
        if self.get().usage_journeys.is_empty() {
            let detail = "has no usage journey; add one, or remove the pattern.";
            let problem: Problem =
                self.problem(ProblemKind::WrongLink, "usage_journeys_validation", detail);
            return Err(problem.into());
        }
        Ok(())
    }

    /// The journeys, and how often each is made for one occurrence of the pattern.
    pub(crate) fn journeys(self) -> impl Iterator<Item = (At<'e, UsageJourney>, f64)> {
        let journeys = self.get().usage_journeys.iter();
        journeys.map(move |(journey, times)| (self.at(*journey), times.number()))
    }

    /// How many journeys are in progress.
    pub(crate) fn nb_journeys_in_parallel(self) -> Result<Hours, Failure> {
        self.shared("nb_journeys_in_parallel", || {
            sum(self
                .journeys()
                .map(|(journey, _)| journey.nb_in_parallel(self)))
        })
    }

    /// Starts of a journey.
    pub(super) fn starts_of(self, journey: At<'e, UsageJourney>) -> Result<Hours, Failure> {
        let occurrences = self.utc_hourly_occurrences()?;
        let times = self.journeys().find(|(of, _)| *of == journey);
        Ok(occurrences
            .zip(times)
            .map(|(occurrences, (_, times))| occurrences.scaled(times)))
    }

    /// The jobs of all steps. One may come several times.
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.journeys()
            .flat_map(|(journey, _)| journey.get().uj_steps.iter())
            .flat_map(move |(step, _)| self.at(*step).get().jobs.iter())
            .map(move |(job, _)| self.at(*job))
    }
}
