//! The units that computed values come in.

use std::sync::LazyLock;

use crate::model::units::Unit;
use crate::model::values::*;

/// A unit of computed values: one fixed unit for each kind of amount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    /// The name of the unit that the value is shown in.
    pub name: &'static str,
    /// How many of that unit one of ours is.
    pub factor: f64,
}

impl Measure {
    /// Whether amounts of several hours make a sum, and not just a mean (2.3).
    pub fn adds_up(self) -> bool {
        let is_of = |words: &[&str]| words.iter().any(|word| self.name.contains(word));
        is_of(&["watt_hour", "gram", "occurrence"])
            || !is_of(&[
                "concurrent",
                "_ram",
                "_stored",
                "cpu_core",
                "gpu",
                "watt",
                "dimensionless",
            ])
    }
}

const fn measure(name: &'static str, factor: f64) -> Measure {
    Measure { name, factor }
}

pub(in crate::model) const KG: Measure = measure("kilogram", 1.0);
pub(in crate::model) const KWH: Measure = measure("kilowatt_hour", 1.0);
pub(in crate::model) const WATT: Measure = measure("watt", 1.0);
pub(in crate::model) const HOUR: Measure = measure("hour", 1.0);
pub(in crate::model) const MB: Measure = measure("gigabyte", 1e-3);
pub(in crate::model) const MB_STORED: Measure = measure("gigabyte_stored", 1e-3);
pub(in crate::model) const TB_STORED: Measure = measure("gigabyte_stored", 1e3);
pub(in crate::model) const GB_RAM: Measure = measure("gigabyte_ram", 1.0);
pub(in crate::model) const CORES: Measure = measure("cpu_core", 1.0);
pub(in crate::model) const GPUS: Measure = measure("gpu", 1.0);
pub(in crate::model) const NUMBER: Measure = measure("dimensionless", 1.0);
pub(in crate::model) const CONCURRENT: Measure = measure("concurrent", 1.0);
pub(in crate::model) const OCCURRENCES: Measure = measure("occurrence", 1.0);
pub(in crate::model) const KG_PER_KWH: Measure = measure("gram / kilowatt_hour", 1e3);
pub(in crate::model) const BITS_PER_SECOND: Measure = measure("bit / second", 1.0);

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
pub(in crate::model) struct Amount {
    pub(in crate::model) value: f64,
    /// How many of the engine's unit for it one of its unit is.
    pub(in crate::model) factor: f64,
}

impl<Q> Scalar<Q> {
    /// How many of that unit one of this amount's unit is.
    fn per(&self, unit: &Unit) -> f64 {
        self.unit
            .factor_to(unit)
            .unwrap_or_else(|| unreachable!("units of quantities are checked when a model is read"))
    }

    /// The number as written, and what its unit is in `unit`, which measures the same.
    pub(in crate::model) fn amount_in(&self, unit: &'static str) -> Amount {
        Amount {
            value: self.value,
            factor: self.per(&known(unit)),
        }
    }
}

impl Amount {
    /// An amount in the engine's unit.
    pub(in crate::model) fn of(value: f64) -> Self {
        Self { value, factor: 1.0 }
    }

    pub(in crate::model) fn total(&self) -> f64 {
        self.value * self.factor
    }
}

/// A unit of ours.
pub(in crate::model) fn known(name: &str) -> Unit {
    Unit::parse(name).unwrap_or_else(|unknown| unreachable!("{unknown:?} is a unit"))
}
