//! Steps of journeys.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyJob, Elapsed, StepOf, UsageJourney, UsagePattern};
use crate::engine::{At, Entries, Failure};
use crate::objects::Weighted;
use crate::series::Series;
use crate::units::measure::CONCURRENT;
use crate::values::{Scalar, Time, Weight};

class! {
    /// A time spent, and the jobs that run at its start.
    UsageJourneyStep {
        user_time_spent: Scalar<Time>,
        jobs: Weighted<AnyJob, Weight>,
    }
}

impl Answers for UsageJourneyStep {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Step);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[USAGE_JOURNEY_STEP];
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
