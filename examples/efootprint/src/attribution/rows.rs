//! Parts of footprints, and the ways that lead to them.

use serde::Serialize;

use crate::classes::Phase;

/// A part of the footprint of an object over the whole period, and the way that leads to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The object whose footprint it is a part of.
    pub source: u32,
    /// What kind of part it is.
    pub stream: Stream,
    /// The phase of life.
    pub phase: Phase,
    /// In kg.
    pub value: f64,
    /// The objects on the way.
    pub way: Way,
}

/// The objects between a source and its country, by their place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Way {
    /// The job.
    pub job: Option<u32>,
    /// The need of a component.
    pub component_need: Option<u32>,
    /// The need of a server.
    pub server_need: Option<u32>,
    /// The need of a device.
    pub device_need: Option<u32>,
    /// The function of a device.
    pub function: Option<u32>,
    /// The step of a journey.
    pub step: Option<u32>,
    /// The journey.
    pub journey: u32,
    /// The usage pattern.
    pub pattern: u32,
    /// The country.
    pub country: u32,
}

impl Row {
    /// The objects from the source to the country.
    pub fn chain(&self) -> impl Iterator<Item = u32> {
        let Way {
            job,
            component_need,
            server_need,
            device_need,
            function,
            step,
            journey,
            pattern,
            country,
        } = self.way;
        let between = [
            job,
            component_need,
            server_need,
            device_need,
            function,
            step,
        ];
        let above = [journey, pattern, country].map(Some);
        let chain = [Some(self.source)].into_iter().chain(between).chain(above);
        chain.flatten()
    }
}

/// Why a part of a footprint is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Instances stand ready.
    Provisioned,
    /// Instances work.
    Dynamic,
    /// Storage holds what was written.
    Retention,
    /// Storage holds nothing that was written.
    Baseline,
    /// There is but one reason.
    Single,
}
