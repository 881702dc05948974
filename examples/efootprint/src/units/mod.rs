//! Units of measure: the registry, expressions over it, and conversion factors.

mod expression;
pub(crate) mod measure;
mod registry;
mod scale;

use std::fmt;
use std::sync::Arc;

use self::expression::Expression;
pub use self::measure::Measure;
pub use self::registry::Dimension;
use self::scale::Scale;
use crate::bytes::{block, text};

/// A unit as a file writes it, with what it measures and how large it is.
///
/// Cheap to clone. Two units are equal when they are written alike; see [`Unit::canonical`] to
/// compare meanings.
#[derive(Clone, PartialEq)]
pub struct Unit(Arc<Definition>);

#[derive(Debug, PartialEq)]
struct Definition {
    written: Box<str>,
    canonical: Box<str>,
    dimension: Dimension,
    scale: Scale,
    has_factor: bool,
}

/// The part of a unit's text that means nothing.
#[derive(Debug, PartialEq)]
pub struct UnknownUnit(pub String);

impl Unit {
    /// Reads `kWh/GB`, `kilogram / terabyte_stored`, `cpu_core * second`, `1 / hour`,
    /// `hour ** 2`...
    ///
    /// # Errors
    ///
    /// Names the word that is no unit, or the whole text where it is no expression.
    pub fn parse(written: &str) -> Result<Self, UnknownUnit> {
        let expression = Expression::parse(written)?;
        Ok(Self(Arc::new(Definition {
            written: written.into(),
            canonical: expression.canonical().into(),
            dimension: expression.dimension,
            scale: expression.scale,
            has_factor: expression.has_factor,
        })))
    }

    /// The text of the file.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// Full names in alphabetical order: `kilowatt_hour / gigabyte`.
    pub fn canonical(&self) -> &str {
        &self.0.canonical
    }

    /// What the unit measures.
    pub fn dimension(&self) -> Dimension {
        self.0.dimension
    }

    /// Whether the text holds a number other than 1, as `2 kg` does. Such numbers count for
    /// nothing.
    pub fn has_factor(&self) -> bool {
        self.0.has_factor
    }

    /// What one of its owners has of its definition: together they have the whole of it.
    pub(super) fn heap(&self) -> usize {
        let Definition {
            written, canonical, ..
        } = &*self.0;
        let counts = 2 * size_of::<usize>();
        let whole = block(counts + size_of::<Definition>()) + text(written) + text(canonical);
        whole.div_ceil(Arc::strong_count(&self.0))
    }

    /// What to multiply an amount in this unit with to have it in `other`; `None` where they
    /// measure different things.
    ///
    /// `occurrence`, `concurrent` and `billion` are pure numbers of size 1.
    pub fn factor_to(&self, other: &Unit) -> Option<f64> {
        (self.0.dimension == other.0.dimension).then(|| self.0.scale.over(other.0.scale))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.written)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({:?})", self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unit(text: &str) -> Unit {
        Unit::parse(text).unwrap_or_else(|unknown| panic!("{text}: {unknown:?}"))
    }

    fn factor(from: &str, to: &str) -> f64 {
        unit(from).factor_to(&unit(to)).unwrap()
    }

    #[test]
    fn names_aliases_prefixes_and_plurals_have_one_canonical_spelling() {
        for (written, canonical) in [
            ("kWh/GB", "kilowatt_hour / gigabyte"),
            ("kilowatt_hour / gigabyte", "kilowatt_hour / gigabyte"),
            ("kg", "kilogram"),
            ("GB_ram", "gigabyte_ram"),
            ("TB_stored", "terabyte_stored"),
            ("octet_ram", "byte_ram"),
            ("hours", "hour"),
            ("hrs", "hour"),
            ("mins", "minute"),
            ("kWhs", "kilowatt_hour"),
            ("GB_rams", "gigabyte_ram"),
            ("gpus", "gpu"),
            ("julian_years", "year"),
            ("tonnes", "metric_ton"),
            ("min", "minute"),
            ("mmin", "milliminute"),
            ("mWh", "milliwatt_hour"),
            ("m", "meter"),
            ("d", "day"),
            ("cd", "centiday"),
            ("hs", "hectosecond"),
            ("dag", "decagram"),
            ("dekagram", "decagram"),
            ("µs", "microsecond"),
            ("μs", "microsecond"),
            ("us", "microsecond"),
            ("mcs", "microsecond"),
            ("Mbit", "megabit"),
            ("koccurrence", "kilooccurrence"),
            ("1 / second", "1 / second"),
            (
                "second * cpu_core / gigabyte",
                "cpu_core * second / gigabyte",
            ),
            ("kg per TB_stored", "kilogram / terabyte_stored"),
            ("kW.h", "hour * kilowatt"),
            ("kW h", "hour * kilowatt"),
            ("kWh/(GB*h)", "kilowatt_hour / gigabyte / hour"),
            ("hour ** 2", "hour ** 2"),
            ("hour^-1", "1 / hour"),
            ("kg**(-2)", "1 / kilogram ** 2"),
            ("kg**2**2", "kilogram ** 4"),
            ("kB**2/kB", "kilobyte"),
            ("hour/hour", "dimensionless"),
            ("minute/hour", "minute / hour"),
            ("dimensionless", "dimensionless"),
            ("dimensionless*kg", "kilogram"),
            ("", "dimensionless"),
            ("5", "dimensionless"),
            ("2 kg", "kilogram"),
            ("1e3kg", "kilogram"),
        ] {
            assert_eq!(unit(written).canonical(), canonical, "{written}");
        }
    }

    #[test]
    fn look_alikes_of_units_are_unknown() {
        for written in [
            "KB",
            "kwh",
            "Mo",
            "ko",
            "kb",
            "KiB",
            "y",
            "mo",
            "ton",
            "%",
            "gCO2",
            "GBs",
            "kgs",
            "gs",
            "per/h",
            "kg +",
            "(kg",
            "kg)",
            "kg /",
            "/ kg",
            "kg ** x",
            "kg ** 0.5",
            "kg**999999999999",
            "dimensionlesss",
            "kilodimensionless",
            "occurrence**128",
            "occurrence**-128",
            "occurrence**-32767/occurrence",
            "occurrence**32767*occurrence",
            "GB ram",
        ] {
            assert!(Unit::parse(written).is_err(), "{written}");
        }
        assert_eq!(Unit::parse("kg / GBB"), Err(UnknownUnit("GBB".into())));
    }

    #[test]
    fn numbers_in_a_unit_are_noticed_and_ignored() {
        assert!(unit("2 kg").has_factor());
        assert!(unit("1000").has_factor());
        assert!(!unit("1 / hour").has_factor());
        assert_eq!(factor("2 kg", "kg"), 1.0);
    }

    #[test]
    fn factors_are_exact() {
        for (from, to, expected) in [
            ("min", "h", 1.0 / 60.0),
            ("s", "h", 1.0 / 3600.0),
            ("ms", "h", 2.7777777777777776e-07),
            ("day", "h", 24.0),
            ("week", "h", 168.0),
            ("fortnight", "day", 14.0),
            ("month", "h", 730.5),
            ("year", "h", 8766.0),
            ("Wh", "J", 3600.0),
            ("kWh", "Wh", 1000.0),
            ("t", "kg", 1000.0),
            ("GB", "bit", 8e9),
            ("TB", "GB", 1000.0),
            ("kilogram / terabyte_stored", "g/GB_stored", 1.0),
            ("hour / day", "dimensionless", 1.0 / 24.0),
            ("occurrence", "dimensionless", 1.0),
            ("billion", "concurrent", 1.0),
            ("koccurrence", "occurrence", 1000.0),
            ("kg*m**2/s**2", "J", 1.0),
            ("N*m", "J", 1.0),
        ] {
            assert_eq!(factor(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn kinds_of_information_and_of_processors_do_not_convert_into_one_another() {
        for (from, to) in [
            ("MB", "MB_ram"),
            ("MB_ram", "MB_stored"),
            ("MB_stored", "MB"),
            ("cpu_core", "gpu"),
            ("W", "Wh"),
        ] {
            assert_eq!(unit(from).factor_to(&unit(to)), None, "{from} to {to}");
        }
    }

    fn word() -> impl Strategy<Value = String> {
        let prefix = prop::sample::select(vec![
            "", "k", "kilo", "M", "G", "milli", "n", "Z", "atto", "da",
        ]);
        let name = prop::sample::select(vec![
            "second",
            "min",
            "day",
            "year",
            "month",
            "g",
            "metric_ton",
            "m",
            "J",
            "watt",
            "Wh",
            "byte",
            "B_ram",
            "bit_stored",
            "cpu_core",
            "gpu",
            "occurrence",
            "concurrent",
        ]);
        (prefix, name).prop_map(|(prefix, name)| format!("{prefix}{name}"))
    }

    fn expression() -> impl Strategy<Value = String> {
        let term = (
            prop::sample::select(vec![" * ", " / ", " "]),
            word(),
            -3..4i32,
        );
        (word(), prop::collection::vec(term, 0..4)).prop_map(|(first, rest)| {
            rest.into_iter()
                .fold(first, |text, (operator, word, power)| {
                    format!("{text}{operator}{word} ** {power}")
                })
        })
    }

    proptest! {
        #[test]
        fn a_canonical_spelling_reads_as_the_same_unit(text in expression()) {
            let unit = unit(&text);
            let canonical = Unit::parse(unit.canonical()).unwrap();
            prop_assert_eq!(canonical.canonical(), unit.canonical());
            prop_assert_eq!(canonical.dimension(), unit.dimension());
            prop_assert_eq!(unit.factor_to(&canonical), Some(1.0));
        }

        #[test]
        fn the_way_back_is_the_inverse_factor((a, b) in (word(), word())) {
            if let Some(factor) = unit(&a).factor_to(&unit(&b)) {
                let back = unit(&b).factor_to(&unit(&a)).unwrap();
                prop_assert!((factor * back - 1.0).abs() <= f64::EPSILON, "{} * {}", factor, back);
            }
        }

        #[test]
        fn any_text_is_a_unit_or_unknown(text in "\\PC{0,40}") {
            let _ = Unit::parse(&text);
        }

        #[test]
        fn any_text_of_unit_signs_is_a_unit_or_unknown(text in "[kgGBhs()*/^ .0-9e-]{0,40}") {
            let _ = Unit::parse(&text);
        }
    }
}
