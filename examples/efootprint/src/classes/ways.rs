//! The branches of the usage tree, counted before any is computed.

use std::sync::Arc;

use super::{
    EdgeFunction, EdgeUsageJourney, EdgeUsagePattern, Engine, Model, UsageJourney,
    UsageJourneyStep, UsagePattern, missing,
};
use crate::engine::{At, Cancel, Failure};

/// Most ways in which patterns may reach jobs and needs. Each costs a few series.
const MOST_WAYS: u64 = 250_000;

impl Engine {
    /// An engine for that model, that computes until it is told to stop.
    ///
    /// # Errors
    ///
    /// [`Failure::TooManyWays`]: a small file can describe a usage tree of billions of branches.
    pub fn new(model: Arc<Model>, cancel: Cancel) -> Result<Self, Failure> {
        let engine = Self::of(model, cancel);
        if engine.ways() > MOST_WAYS {
            return Err(Failure::TooManyWays);
        }
        Ok(engine)
    }

    /// What is missing of what the file's systems emit: a result is complete where nothing is.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`], and nothing else.
    pub fn missing(&self) -> Result<Vec<Failure>, Failure> {
        missing(self)
    }

    /// In how many ways the patterns reach jobs and needs.
    fn ways(&self) -> u64 {
        // From the leaves up: what an object leads to is known before it is asked for.
        let count = |ways: &[u64], to: &mut dyn Iterator<Item = usize>| {
            to.fold(0_u64, |sum, place| sum.saturating_add(ways[place]))
        };
        let mut ways = vec![0_u64; self.model().objects.len()];
        for step in self.all::<UsageJourneyStep>() {
            // Its own occurrences are told for each way, with jobs or without.
            ways[step.index()] = step.get().jobs.len().max(1) as u64;
        }
        for journey in self.all::<UsageJourney>() {
            let steps = &mut journey.get().uj_steps.iter().map(|(step, _)| step.index());
            ways[journey.index()] = count(&ways, steps);
        }
        for function in self.all::<EdgeFunction>() {
            let inputs = function.get();
            let needs = inputs.recurrent_edge_device_needs.iter();
            let needs = needs.map(|need| self.at(*need).component_needs().len() as u64);
            let jobs = inputs.recurrent_server_needs.iter();
            let jobs = jobs.map(|need| self.at(*need).get().jobs.len() as u64);
            ways[function.index()] = needs.chain(jobs).fold(0, u64::saturating_add);
        }
        for journey in self.all::<EdgeUsageJourney>() {
            let functions = &mut journey.get().edge_functions.iter().map(|of| of.index());
            ways[journey.index()] = count(&ways, functions);
        }
        let web = self.all::<UsagePattern>();
        let web = web.flat_map(|pattern| pattern.journeys().map(|(journey, _)| journey.index()));
        let edge = self.all::<EdgeUsagePattern>();
        let edge = edge.flat_map(|pattern| pattern.journeys().map(At::index));
        count(&ways, &mut web.chain(edge))
    }
}
