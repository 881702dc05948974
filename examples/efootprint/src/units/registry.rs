//! Every unit a file may use.

use super::scale::Scale;

/// What a unit measures: exponents of the eight base dimensions.
///
/// Data on the network, in memory and in storage are three dimensions, and so are processor cores
/// and GPUs: a network volume is never taken for a RAM size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimension([i8; 8]);

impl Dimension {
    /// A pure number.
    pub const NUMBER: Self = Self([0; 8]);
    /// Time.
    pub const TIME: Self = Self([1, 0, 0, 0, 0, 0, 0, 0]);
    /// Mass.
    pub const MASS: Self = Self([0, 1, 0, 0, 0, 0, 0, 0]);
    /// Length.
    pub const LENGTH: Self = Self([0, 0, 1, 0, 0, 0, 0, 0]);
    /// Data on the network.
    pub const DATA: Self = Self([0, 0, 0, 1, 0, 0, 0, 0]);
    /// Data in memory.
    pub const RAM: Self = Self([0, 0, 0, 0, 1, 0, 0, 0]);
    /// Data in storage.
    pub const STORED: Self = Self([0, 0, 0, 0, 0, 1, 0, 0]);
    /// Processor cores.
    pub const CPU: Self = Self([0, 0, 0, 0, 0, 0, 1, 0]);
    /// GPUs.
    pub const GPU: Self = Self([0, 0, 0, 0, 0, 0, 0, 1]);
    /// Energy.
    pub const ENERGY: Self = FORCE.times(Self::LENGTH);
    /// Power.
    pub const POWER: Self = Self::ENERGY.per(Self::TIME);

    /// The dimension of a product.
    pub const fn times(self, other: Self) -> Self {
        let (mut product, mut i) = (self, 0);
        while i < 8 {
            product.0[i] += other.0[i];
            i += 1;
        }
        product
    }

    /// The dimension of a quotient.
    pub const fn per(self, other: Self) -> Self {
        let (mut quotient, mut i) = (self, 0);
        while i < 8 {
            quotient.0[i] -= other.0[i];
            i += 1;
        }
        quotient
    }

    pub(super) fn times_power(self, other: Self, exponent: i16) -> Option<Self> {
        let mut product = self;
        for (total, part) in product.0.iter_mut().zip(other.0) {
            let part = i16::from(part).checked_mul(exponent)?;
            *total = i16::from(*total).checked_add(part)?.try_into().ok()?;
        }
        Some(product)
    }
}

const FORCE: Dimension = Dimension::MASS
    .times(Dimension::LENGTH)
    .per(Dimension::TIME)
    .per(Dimension::TIME);

pub(super) struct Named {
    pub(super) name: &'static str,
    aliases: &'static [&'static str],
    pub(super) dimension: Dimension,
    pub(super) scale: Scale,
}

const fn named(
    name: &'static str,
    aliases: &'static [&'static str],
    dimension: Dimension,
    scale: Scale,
) -> Named {
    Named {
        name,
        aliases,
        dimension,
        scale,
    }
}

const HOUR: Scale = Scale::new(4, 2, 2, 0, 0);
const DAY: Scale = HOUR.times(Scale::new(3, 1, 0, 0, 0));
const WEEK: Scale = DAY.times(Scale::new(0, 0, 0, 1, 0));
const YEAR: Scale = DAY.times(Scale::new(-2, 1, 0, 0, 1));
const BYTE: Scale = Scale::new(3, 0, 0, 0, 0);

/// The base units are second, gram, meter, the three bits, cpu_core and gpu.
static UNITS: [Named; 27] = [
    named("second", &["s", "sec"], Dimension::TIME, Scale::ONE),
    named(
        "minute",
        &["min"],
        Dimension::TIME,
        Scale::new(2, 1, 1, 0, 0),
    ),
    named("hour", &["h", "hr"], Dimension::TIME, HOUR),
    named("day", &["d"], Dimension::TIME, DAY),
    named("week", &[], Dimension::TIME, WEEK),
    named(
        "fortnight",
        &[],
        Dimension::TIME,
        WEEK.times(Scale::new(1, 0, 0, 0, 0)),
    ),
    named(
        "month",
        &[],
        Dimension::TIME,
        YEAR.times(Scale::new(-2, -1, 0, 0, 0)),
    ),
    named("year", &["yr", "julian_year"], Dimension::TIME, YEAR),
    named("gram", &["g"], Dimension::MASS, Scale::ONE),
    named(
        "metric_ton",
        &["t", "tonne"],
        Dimension::MASS,
        Scale::ten(6),
    ),
    named("meter", &["m", "metre"], Dimension::LENGTH, Scale::ONE),
    named("newton", &["N"], FORCE, Scale::ten(3)),
    named("joule", &["J"], Dimension::ENERGY, Scale::ten(3)),
    named("watt", &["W"], Dimension::POWER, Scale::ten(3)),
    named(
        "watt_hour",
        &["Wh", "watthour"],
        Dimension::ENERGY,
        HOUR.times(Scale::ten(3)),
    ),
    named("bit", &[], Dimension::DATA, Scale::ONE),
    named("byte", &["B", "octet"], Dimension::DATA, BYTE),
    named("bit_ram", &[], Dimension::RAM, Scale::ONE),
    named("byte_ram", &["B_ram", "octet_ram"], Dimension::RAM, BYTE),
    named("bit_stored", &[], Dimension::STORED, Scale::ONE),
    named(
        "byte_stored",
        &["B_stored", "octet_stored"],
        Dimension::STORED,
        BYTE,
    ),
    named("cpu_core", &[], Dimension::CPU, Scale::ONE),
    named("gpu", &[], Dimension::GPU, Scale::ONE),
    named("occurrence", &[], Dimension::NUMBER, Scale::ONE),
    named("concurrent", &[], Dimension::NUMBER, Scale::ONE),
    named("billion", &[], Dimension::NUMBER, Scale::ONE),
    named(DIMENSIONLESS, &[], Dimension::NUMBER, Scale::ONE),
];

pub(super) const DIMENSIONLESS: &str = "dimensionless";

pub(super) struct Prefix {
    pub(super) name: &'static str,
    short: &'static [&'static str],
    pub(super) scale: Scale,
}

const fn prefix(name: &'static str, short: &'static [&'static str], exponent: i16) -> Prefix {
    Prefix {
        name,
        short,
        scale: Scale::ten(exponent),
    }
}

static PREFIXES: [Prefix; 17] = [
    prefix("atto", &["a"], -18),
    prefix("femto", &["f"], -15),
    prefix("pico", &["p"], -12),
    prefix("nano", &["n"], -9),
    prefix("micro", &["µ", "μ", "u", "mu", "mc"], -6),
    prefix("milli", &["m"], -3),
    prefix("centi", &["c"], -2),
    prefix("deci", &["d"], -1),
    prefix("deca", &["da", "deka"], 1),
    prefix("hecto", &["h"], 2),
    prefix("kilo", &["k"], 3),
    prefix("mega", &["M"], 6),
    prefix("giga", &["G"], 9),
    prefix("tera", &["T"], 12),
    prefix("peta", &["P"], 15),
    prefix("exa", &["E"], 18),
    prefix("zetta", &["Z"], 21),
];

/// The unit a word names, with its prefix. A whole word wins over a prefixed one: `min` is a
/// minute, and no prefix is tried.
pub(super) fn find(word: &str) -> Option<(Option<&'static Prefix>, &'static Named)> {
    if let Some(unit) = whole(word) {
        return Some((None, unit));
    }
    PREFIXES.iter().find_map(|prefix| {
        let mut spellings = std::iter::once(&prefix.name).chain(prefix.short);
        let unit = spellings.find_map(|spelling| whole(word.strip_prefix(spelling)?))?;
        // The name of no unit at all has neither thousands nor a plural.
        (unit.name != DIMENSIONLESS).then_some((Some(prefix), unit))
    })
}

fn whole(word: &str) -> Option<&'static Named> {
    let is = |unit: &Named, word: &str| unit.name == word || unit.aliases.contains(&word);
    // `GBs` is no plural: symbols of one letter have none.
    let singular = word
        .strip_suffix('s')
        .filter(|singular| singular.chars().count() > 1 && *singular != DIMENSIONLESS);
    UNITS
        .iter()
        .find(|unit| is(unit, word) || singular.is_some_and(|singular| is(unit, singular)))
}
