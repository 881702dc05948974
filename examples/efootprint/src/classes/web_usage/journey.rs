//! Journeys.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{Elapsed, UsageJourneyStep, UsagePattern};
use crate::engine::{At, Entries, Failure};
use crate::objects::Weighted;
use crate::series::Hours;
use crate::units::measure::{CONCURRENT, HOUR};
use crate::values::Weight;

class! {
    /// Steps one after the other; their order is their order in time.
    UsageJourney {
        uj_steps: Weighted<UsageJourneyStep, Weight>,
    }
}

impl Answers for UsageJourney {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Journey);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[USAGE_JOURNEY];
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

    pub(super) fn nb_in_parallel(self, pattern: At<'e, UsagePattern>) -> Result<Hours, Failure> {
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
