//! What attributes measure.

use super::reading::Reading;
use crate::error::{DefectKind, Fault, quoted};
use crate::units::{Dimension, Unit};

/// What an attribute measures, and so which units it takes.
pub trait Quantity {
    /// In words, with an article: `a RAM size`.
    const WHAT: &'static str;
    /// A unit that would do.
    const EXAMPLE: &'static str;
    /// The least number allowed.
    const LEAST: Least = Least::Zero;

    /// Whether an amount in this unit is one.
    fn admits(unit: &Unit) -> bool;
}

/// The least number that an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Least {
    /// Any number.
    Any,
    /// Zero.
    Zero,
    /// Anything above zero.
    AboveZero,
}

macro_rules! quantities {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $example:literal, $dimension:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, PartialEq)]
        pub enum $name {}

        impl Quantity for $name {
            const WHAT: &'static str = $what;
            const EXAMPLE: &'static str = $example;

            fn admits(unit: &Unit) -> bool {
                const DIMENSION: Dimension = $dimension;
                unit.dimension() == DIMENSION
            }
        }
    )*};
}

quantities! {
    /// Time.
    Time: "a time", "hour", Dimension::TIME;
    /// Mass, of CO2 equivalents throughout.
    Mass: "a mass", "kilogram", Dimension::MASS;
    /// Power.
    Power: "a power", "watt", Dimension::POWER;
    /// Data on the network.
    Data: "a data volume", "megabyte", Dimension::DATA;
    /// Data in memory.
    Ram: "a RAM size", "GB_ram", Dimension::RAM;
    /// Data in storage.
    Stored: "a stored volume", "GB_stored", Dimension::STORED;
    /// Processor cores.
    CpuCores: "a number of processor cores", "cpu_core", Dimension::CPU;
    /// GPUs.
    Gpus: "a number of GPUs", "gpu", Dimension::GPU;
    /// A pure number; `hour / day` is one.
    Ratio: "a pure number", "dimensionless", Dimension::NUMBER;
    /// Emissions per energy.
    CarbonIntensity: "a mass per energy", "gram / kilowatt_hour", Dimension::MASS.per(Dimension::ENERGY);
    /// Energy per data on the network.
    EnergyPerData: "an energy per data volume", "kilowatt_hour / gigabyte", Dimension::ENERGY.per(Dimension::DATA);
    /// Emissions per capacity.
    MassPerStored: "a mass per stored volume", "kilogram / terabyte_stored", Dimension::MASS.per(Dimension::STORED);
    /// Emissions per GPU.
    MassPerGpu: "a mass per GPU", "kilogram / gpu", Dimension::MASS.per(Dimension::GPU);
    /// Power per GPU.
    PowerPerGpu: "a power per GPU", "watt / gpu", Dimension::POWER.per(Dimension::GPU);
    /// Memory per GPU.
    RamPerGpu: "a RAM size per GPU", "GB_ram / gpu", Dimension::RAM.per(Dimension::GPU);
    /// Processor time per data on the network.
    CpuPerDataRate: "a processor time per data volume", "cpu_core * second / gigabyte",
        Dimension::CPU.times(Dimension::TIME).per(Dimension::DATA);
    /// Events per time.
    Frequency: "a frequency", "1 / second", Dimension::NUMBER.per(Dimension::TIME);
}

/// Whether a unit is one of these pure numbers, unscaled.
fn is_one_of(unit: &Unit, names: &[&str]) -> bool {
    names.contains(&unit.canonical())
}

/// How often, zero included: in any unit without a dimension, `hour / day` too.
#[derive(Debug, PartialEq)]
pub enum Weight {}

impl Quantity for Weight {
    const WHAT: &'static str = "a plain count";
    const EXAMPLE: &'static str = "dimensionless";
    const LEAST: Least = Least::Zero;

    fn admits(unit: &Unit) -> bool {
        unit.dimension() == Dimension::NUMBER
    }
}

/// How often, at least a little.
#[derive(Debug, PartialEq)]
pub enum PositiveWeight {}

impl Quantity for PositiveWeight {
    const WHAT: &'static str = Weight::WHAT;
    const EXAMPLE: &'static str = Weight::EXAMPLE;
    const LEAST: Least = Least::AboveZero;

    fn admits(unit: &Unit) -> bool {
        Weight::admits(unit)
    }
}

/// Data that a storage gains in an hour, or loses.
#[derive(Debug, PartialEq)]
pub enum StorageRate {}

impl Quantity for StorageRate {
    const WHAT: &'static str = Stored::WHAT;
    const EXAMPLE: &'static str = Stored::EXAMPLE;
    const LEAST: Least = Least::Any;

    fn admits(unit: &Unit) -> bool {
        Stored::admits(unit)
    }
}

/// Events that start within an hour.
#[derive(Debug, PartialEq)]
pub enum Starts {}

impl Quantity for Starts {
    const WHAT: &'static str = "a number of events";
    const EXAMPLE: &'static str = "occurrence";

    fn admits(unit: &Unit) -> bool {
        is_one_of(unit, &["occurrence", "concurrent"])
    }
}

/// Events within an hour, in any unit without a dimension.
#[derive(Debug, PartialEq)]
pub enum Volume {}

impl Quantity for Volume {
    const WHAT: &'static str = Starts::WHAT;
    const EXAMPLE: &'static str = Starts::EXAMPLE;

    fn admits(unit: &Unit) -> bool {
        unit.dimension() == Dimension::NUMBER
    }
}

/// The load of an appliance, 0 to 1, in `concurrent` only.
#[derive(Debug, PartialEq)]
pub enum Workload {}

impl Quantity for Workload {
    const WHAT: &'static str = "a load between 0 and 1";
    const EXAMPLE: &'static str = "concurrent";

    fn admits(unit: &Unit) -> bool {
        is_one_of(unit, &["concurrent"])
    }
}

/// What an edge component provides: memory, cores, storage or a workload.
#[derive(Debug, PartialEq)]
pub enum ComponentNeed {}

impl Quantity for ComponentNeed {
    const WHAT: &'static str = "what the component provides";
    const EXAMPLE: &'static str = "GB_ram";

    fn admits(unit: &Unit) -> bool {
        Ram::admits(unit)
            || CpuCores::admits(unit)
            || Stored::admits(unit)
            || Workload::admits(unit)
    }
}

/// The unit of that name, if it measures `Q`.
pub(super) fn unit_of<Q: Quantity>(text: &str, reading: &mut Reading) -> Result<Unit, Fault> {
    let unit = reading.unit(text, Q::EXAMPLE)?;
    if Q::admits(&unit) {
        Ok(unit)
    } else {
        Err(wrong_unit::<Q>(&unit))
    }
}

/// The fault of a number that is too small, in the unit of the file.
pub(super) fn too_small<Q: Quantity>(value: f64, unit: &str) -> Option<Fault> {
    let expected = match Q::LEAST {
        Least::Zero if value < 0.0 => "zero or more",
        Least::AboveZero if value <= 0.0 => "more than zero",
        _ => return None,
    };
    let unit = match unit {
        "" | "dimensionless" => String::new(),
        unit => format!(" {}", quoted(unit)),
    };
    Some(Fault::invalid(format!(
        "is {value}{unit}, expected {expected}"
    )))
}

pub(crate) fn wrong_unit<Q: Quantity>(unit: &Unit) -> Fault {
    let text = format!(
        "has unit {}, expected {} such as `{}`",
        quoted(unit.as_str()),
        Q::WHAT,
        Q::EXAMPLE
    );
    Fault::new(DefectKind::WrongDimension, text)
}
