//! What people use, and where.

use crate::model::class::class;
use crate::model::values::{
    CarbonIntensity, EnergyPerData, Mass, Power, Ratio, Scalar, Time, Zone,
};

class! {
    /// A phone, a laptop, a screen.
    Device {
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Scalar<Ratio>,
    }
}

class! {
    /// What carries the data.
    Network {
        bandwidth_energy_intensity: Scalar<EnergyPerData>,
    }
}

class! {
    /// An electricity mix and a time zone.
    Country {
        short_name: Option<Box<str>> = None,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        timezone: Zone,
    }
}
