//! Places in the usage tree that start jobs.

use std::collections::{HashMap, HashSet};

use crate::classes::{
    AnyJob, AnyUsagePattern, EdgeUsagePattern, Elapsed, RecurrentServerNeed, UsageJourney,
    UsageJourneyStep, UsagePattern,
};
use crate::engine::At;

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

    pub(super) fn path(&self) -> String {
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

    /// Every place that starts this job.
    pub(crate) fn places(self) -> Vec<Coordinate<'e>> {
        let patterns = self.usage_patterns().into_iter();
        patterns
            .flat_map(|pattern| self.places_in(pattern))
            .collect()
    }

    /// The places in a pattern that start this job.
    pub(super) fn places_in(self, pattern: At<'e, AnyUsagePattern>) -> Vec<Coordinate<'e>> {
        match pattern.get() {
            AnyUsagePattern::UsagePattern(pattern) => self.steps_in(self.at(pattern)),
            AnyUsagePattern::EdgeUsagePattern(pattern) => self.needs_in(self.at(pattern)),
        }
    }

    fn steps_in(self, pattern: At<'e, UsagePattern>) -> Vec<Coordinate<'e>> {
        let mut places = Vec::new();
        for (journey, journeys) in pattern.journeys() {
            let mut elapsed = Elapsed::default();
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
}
