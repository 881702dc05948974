//! Units as files write them.

#![allow(clippy::unwrap_used)]

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
