//! Amounts of inputs, in the units that formulas count in.

use std::sync::LazyLock;

use super::quantity::*;
use super::scalar::Scalar;
use crate::units::Unit;
use crate::units::measure::known;

macro_rules! units_of_inputs {
    ($($quantity:ident: $method:ident, $unit:literal;)*) => {$(
        impl Scalar<$quantity> {
            #[doc = concat!("The amount in `", $unit, "`.")]
            pub fn $method(&self) -> f64 {
                static UNIT: LazyLock<Unit> = LazyLock::new(|| known($unit));
                self.value * self.per(&UNIT)
            }
        }
    )*};
}

units_of_inputs! {
    Time: hours, "hour";
    Mass: kg, "kilogram";
    Power: watts, "watt";
    Data: bits, "bit";
    Ram: gb, "gigabyte_ram";
    Stored: tb, "terabyte_stored";
    CpuCores: cores, "cpu_core";
    Gpus: gpus, "gpu";
    Ratio: number, "dimensionless";
    Weight: number, "dimensionless";
    PositiveWeight: number, "dimensionless";
    CarbonIntensity: kg_per_kwh, "kilogram / kilowatt_hour";
    EnergyPerData: kwh_per_mb, "kilowatt_hour / megabyte";
    MassPerStored: kg_per_tb, "kilogram / terabyte_stored";
    MassPerGpu: kg_per_gpu, "kilogram / gpu";
    PowerPerGpu: watts_per_gpu, "watt / gpu";
    RamPerGpu: gb_per_gpu, "gigabyte_ram / gpu";
    CpuPerDataRate: core_seconds_per_bit, "cpu_core * second / bit";
    Frequency: per_second, "1 / second";
}

/// An amount as its file has it: the number and the unit that it is of.
///
/// Series are multiplied by that number before they are converted, so that they are rounded as in
/// the reference implementation.
#[derive(Debug, Clone)]
pub(crate) struct Amount {
    pub(crate) value: f64,
    /// How many of the engine's unit for it one of its unit is.
    pub(crate) factor: f64,
}

impl<Q> Scalar<Q> {
    /// How many of that unit one of this amount's unit is.
    fn per(&self, unit: &Unit) -> f64 {
        self.unit
            .factor_to(unit)
            .unwrap_or_else(|| unreachable!("units of quantities are checked when a model is read"))
    }

    /// The number as written, and what its unit is in `unit`, which measures the same.
    pub(crate) fn amount_in(&self, unit: &'static str) -> Amount {
        Amount {
            value: self.value,
            factor: self.per(&known(unit)),
        }
    }
}

impl Amount {
    /// An amount in the engine's unit.
    pub(crate) fn of(value: f64) -> Self {
        Self { value, factor: 1.0 }
    }

    pub(crate) fn total(&self) -> f64 {
        self.value * self.factor
    }
}
