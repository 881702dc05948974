//! The units that computed values come in.

use std::borrow::Cow;

use super::Unit;

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

/// A unit that amounts are told in: that of an input, where there is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) name: Cow<'static, str>,
    /// How many of that unit one of ours is.
    pub(crate) factor: f64,
}

impl Told {
    /// The unit of an input, which measures the same as `ours`.
    pub(crate) fn like(unit: &Unit, ours: &str) -> Self {
        Self {
            name: unit.as_str().to_owned().into(),
            factor: known(ours).factor_to(unit).unwrap_or(1.0),
        }
    }
}

impl From<Measure> for Told {
    fn from(measure: Measure) -> Self {
        Self {
            name: measure.name.into(),
            factor: measure.factor,
        }
    }
}

const fn measure(name: &'static str, factor: f64) -> Measure {
    Measure { name, factor }
}

pub(crate) const KG: Measure = measure("kilogram", 1.0);
pub(crate) const KWH: Measure = measure("kilowatt_hour", 1.0);
pub(crate) const WATT: Measure = measure("watt", 1.0);
pub(crate) const HOUR: Measure = measure("hour", 1.0);
pub(crate) const MB: Measure = measure("gigabyte", 1e-3);
pub(crate) const MB_STORED: Measure = measure("gigabyte_stored", 1e-3);
pub(crate) const TB_STORED: Measure = measure("gigabyte_stored", 1e3);
pub(crate) const GB_RAM: Measure = measure("gigabyte_ram", 1.0);
pub(crate) const CORES: Measure = measure("cpu_core", 1.0);
pub(crate) const GPUS: Measure = measure("gpu", 1.0);
pub(crate) const NUMBER: Measure = measure("dimensionless", 1.0);
pub(crate) const CONCURRENT: Measure = measure("concurrent", 1.0);
pub(crate) const OCCURRENCES: Measure = measure("occurrence", 1.0);
pub(crate) const KG_PER_KWH: Measure = measure("gram / kilowatt_hour", 1e3);
pub(crate) const BITS_PER_SECOND: Measure = measure("bit / second", 1.0);

/// A unit of ours.
pub(crate) fn known(name: &str) -> Unit {
    Unit::parse(name).unwrap_or_else(|unknown| unreachable!("{unknown:?} is a unit"))
}
