//! Patterns of people or of devices.

use crate::classes::declare::family;
use crate::classes::{Country, EdgeUsagePattern, Network, UsagePattern};
use crate::engine::At;

family! {
    /// People or devices in a country.
    AnyUsagePattern { UsagePattern, EdgeUsagePattern }
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
