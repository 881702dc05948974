//! People using the service.

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class, family};
use super::{
    Country, Device, EcoLogitsGenAIExternalAPIJob, EcoLogitsVideoGenExternalAPIJob,
    EdgeUsagePattern, GPUJob, Job, Network, VideoStreamingJob,
};
use crate::engine::{At, Entries, Failure, Problem, ProblemKind};
use crate::objects::{Change, List, Ref, Weighted};
use crate::series::{Hours, Series, sum};
use crate::units::Unit;
use crate::units::measure::{CONCURRENT, HOUR, NUMBER, OCCURRENCES};
use crate::values::{Hourly, PositiveWeight, Scalar, Starts, Time, Weight};

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

class! {
    /// Steps one after the other; their order is their order in time.
    UsageJourney {
        uj_steps: Weighted<UsageJourneyStep, Weight>,
    }
}

class! {
    /// A time spent, and the jobs that run at its start.
    UsageJourneyStep {
        user_time_spent: Scalar<Time>,
        jobs: Weighted<AnyJob, Weight>,
    }
}

family! {
    /// A job of any class.
    AnyJob { Job, GPUJob, VideoStreamingJob, EcoLogitsGenAIExternalAPIJob, EcoLogitsVideoGenExternalAPIJob }
}

family! {
    /// People or devices in a country.
    AnyUsagePattern { UsagePattern, EdgeUsagePattern }
}

impl Answers for UsagePattern {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Pattern);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[USAGE_PATTERN];
}

impl Answers for UsageJourney {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Journey);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[USAGE_JOURNEY];
}

impl Answers for UsageJourneyStep {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Step);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[USAGE_JOURNEY_STEP];
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

attributes! {
    USAGE_JOURNEY of UsageJourney {
        "4.5" duration [HOUR]
            = "sum over steps of times × time spent" => |journey| journey.duration();
        "4.5" nb_usage_journeys_in_parallel_per_usage_pattern [CONCURRENT]
            = "journeys in progress: occurrences × times, for the duration of a journey" =>
            |journey| Entries(journey.usage_patterns().map(move |pattern| {
                (pattern.id(), journey.nb_in_parallel(pattern))
            }));
    }
}

attributes! {
    USAGE_JOURNEY_STEP of UsageJourneyStep {
        "4.5" hourly_avg_occurrences_per_usage_coordinate [CONCURRENT]
            = "for each pattern and journey, journeys that are at this step" =>
            |step| Entries(step.usages().map(move |(pattern, journey)| {
                let path = format!("{}/journey/{}", pattern.id(), journey.id());
                (path, step.hourly_avg_occurrences(pattern, journey))
            }));
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
    fn starts_of(self, journey: At<'e, UsageJourney>) -> Result<Hours, Failure> {
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

impl<'e> At<'e, UsageJourney> {
    pub(crate) fn usage_patterns(self) -> impl Iterator<Item = At<'e, UsagePattern>> {
        self.referrers()
    }

    /// In hours.
    fn duration(self) -> Option<f64> {
        let mut duration = Elapsed::default();
        for step in self.steps() {
            duration.add(step.times, &step.step.get().user_time_spent);
        }
        (!self.get().uj_steps.is_empty()).then(|| duration.hours())
    }

    fn nb_in_parallel(self, pattern: At<'e, UsagePattern>) -> Result<Hours, Failure> {
        let attribute = "nb_usage_journeys_in_parallel_per_usage_pattern";
        self.shared_for(attribute, pattern.index(), || {
            let starts = pattern.starts_of(self)?;
            match (starts, self.duration()) {
                (Some(starts), Some(duration)) => Ok(starts.aged(0.0, duration)?),
                _ => Ok(None),
            }
        })
    }

    /// The steps in the order of time.
    pub(crate) fn steps(self) -> impl Iterator<Item = StepOf<'e>> {
        let steps = self.get().uj_steps.iter();
        steps.map(move |(step, times)| StepOf {
            step: self.at(*step),
            times: times.number(),
        })
    }
}

/// A step of a journey.
pub(crate) struct StepOf<'e> {
    pub(crate) step: At<'e, UsageJourneyStep>,
    /// How often the journey makes it.
    pub(crate) times: f64,
}

/// Time that passes in a journey.
///
/// It adds up in the unit of its first step, and goes on in hours once it was asked for: the last
/// bit may decide about a whole hour (4.6).
#[derive(Default)]
pub(crate) struct Elapsed<'e> {
    amount: f64,
    unit: Option<&'e Unit>,
    /// How many hours one of the unit is.
    hours: f64,
}

impl<'e> Elapsed<'e> {
    pub(crate) fn add(&mut self, times: f64, time: &'e Scalar<Time>) {
        let amount = times * time.value;
        match self.unit {
            None if self.hours == 0.0 => {
                *self = Self {
                    amount,
                    unit: Some(&time.unit),
                    hours: time.amount_in("hour").factor,
                };
            }
            None => self.amount += amount * time.amount_in("hour").factor,
            Some(unit) => self.amount += amount * time.unit.factor_to(unit).unwrap_or(f64::NAN),
        }
    }

    pub(crate) fn hours(&mut self) -> f64 {
        if self.unit.take().is_some() {
            self.amount *= self.hours;
        }
        self.amount
    }
}

impl<'e> At<'e, UsageJourneyStep> {
    /// Each pattern and journey with this step.
    fn usages(self) -> impl Iterator<Item = (At<'e, UsagePattern>, At<'e, UsageJourney>)> {
        self.referrers::<UsageJourney>().flat_map(|journey| {
            journey
                .usage_patterns()
                .map(move |pattern| (pattern, journey))
        })
    }

    /// How many journeys are at this step.
    pub(crate) fn hourly_avg_occurrences(
        self,
        pattern: At<'e, UsagePattern>,
        journey: At<'e, UsageJourney>,
    ) -> Result<Option<Series>, Failure> {
        let Some(starts) = pattern.starts_of(journey)? else {
            return Ok(None);
        };
        let mut elapsed = Elapsed::default();
        for StepOf { step, times } in journey.steps() {
            let begin = elapsed.hours();
            elapsed.add(times, &step.get().user_time_spent);
            if step == self {
                return Ok(starts.aged(begin, elapsed.hours())?);
            }
        }
        Ok(None)
    }
}

impl<'e> At<'e, AnyUsagePattern> {
    pub(crate) fn country(self) -> At<'e, Country> {
        self.at(match self.get() {
            AnyUsagePattern::UsagePattern(pattern) => self.at(pattern).get().country,
            AnyUsagePattern::EdgeUsagePattern(pattern) => self.at(pattern).get().country,
        })
    }

    pub(crate) fn network(self) -> At<'e, Network> {
        self.at(match self.get() {
            AnyUsagePattern::UsagePattern(pattern) => self.at(pattern).get().network,
            AnyUsagePattern::EdgeUsagePattern(pattern) => self.at(pattern).get().network,
        })
    }

    /// In kg for each kWh.
    pub(crate) fn carbon_intensity(self) -> f64 {
        self.country().get().average_carbon_intensity.kg_per_kwh()
    }
}
