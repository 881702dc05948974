//! Arithmetic of series, in spans and hour by hour.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::{Series, TooLong};

fn series(day: i8, values: &[f32]) -> Series {
    Series::hourly(
        jiff::civil::date(2025, 1, day).at(0, 0, 0, 0),
        values.into(),
    )
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.by_hour() == other.by_hour()
    }
}

#[test]
fn the_specification_s_examples_of_occupancy_hold() {
    let starts = series(1, &[1.0, 2.0, 3.0]);
    for (hours, expected) in [
        (0.5, &[0.5, 1.0, 1.5][..]),
        (1.0, &[1.0, 2.0, 3.0]),
        (1.5, &[1.0, 2.5, 4.0, 1.5]),
        (2.5, &[1.0, 3.0, 5.5, 4.0, 1.5]),
        (4.0, &[1.0, 3.0, 6.0, 6.0, 5.0, 3.0]),
    ] {
        let occupancy = starts.aged(0.0, hours).unwrap().unwrap();
        assert_eq!(occupancy.values, expected, "{hours} h");
    }
    assert_eq!(starts.aged(0.0, 0.0), Ok(None));
    assert_eq!(starts.aged(1.5, 1.5).unwrap().unwrap().values, [0.0; 4]);
}

#[test]
fn a_sum_spans_the_hours_of_both_and_the_gap_between_them() {
    let mut total = series(2, &[1.0, 2.0]);
    total.add(&series(1, &[4.0])).unwrap();
    assert_eq!(total.start, series(1, &[]).start);
    assert_eq!(total.values.len(), 26);
    assert_eq!((total.values[0], total.values[25]), (4.0, 2.0));
    assert_eq!(total.sum(), 7.0);
}

#[test]
fn what_would_span_more_than_two_centuries_is_refused() {
    let mut early = series(1, &[1.0]);
    early.start = jiff::civil::date(1500, 1, 1).at(0, 0, 0, 0);
    assert_eq!(series(1, &[1.0]).add(&early), Err(TooLong));
    assert_eq!(early.aged(0.0, 1e9), Err(TooLong));
    assert_eq!(early.clone().later(1e300), Err(TooLong));
}

fn whole_numbers() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec((0_u16..1000).prop_map(f32::from), 1..60)
}

/// Values of which neighbours are alike, some for long.
fn spans() -> impl Strategy<Value = Vec<f32>> {
    let span = (0_u16..9, prop_oneof![1..4_usize, 20..60_usize]);
    let spans = prop::collection::vec(span, 1..12);
    spans.prop_map(|spans| {
        let spans = spans.into_iter();
        let hours = spans.flat_map(|(value, hours)| vec![f32::from(value) / 7.0; hours]);
        hours.collect()
    })
}

/// The same hours twice: in spans if that is worth it, and one by one.
fn both(day: i8, values: &[f32]) -> [Series; 2] {
    let hourly = series(day, values);
    [Series::from_hours(hourly.start, [values]), hourly]
}

proptest! {
    #[test]
    fn spans_change_nothing(a in spans(), b in spans(), day in 1..4_i8, from in 0.0..4.0_f64, span in 0.1..20.0_f64) {
        let ([a, hourly_a], [b, hourly_b]) = (both(1, &a), both(day, &b));
        let same = |made: Series, hourly: Series| {
            let (made_totals, totals) = (made.totals(), hourly.totals());
            prop_assert_eq!((made_totals.min, made_totals.max), (totals.min, totals.max));
            prop_assert!((made_totals.sum - totals.sum).abs() <= 1e-9 * totals.sum.abs());
            prop_assert_eq!(made.get(made.hours() / 2), hourly.get(hourly.hours() / 2));
            prop_assert_eq!(made.get(made.hours()), None);
            prop_assert_eq!(made, hourly);
            Ok(())
        };
        same(a.clone(), hourly_a.clone())?;
        same(a.rounded_up(), hourly_a.rounded_up())?;
        same(a.cumulative(), hourly_a.cumulative())?;
        same(a.clone().without_first(30), hourly_a.clone().without_first(30))?;
        same(a.clone().taken_back_after(30), hourly_a.clone().taken_back_after(30))?;
        let aged = |series: &Series| series.aged(from, from + span).unwrap().unwrap();
        same(aged(&a), aged(&hourly_a))?;
        let hourly = hourly_a.with(&hourly_b, |a, b| a - b).unwrap();
        for (a, b) in [(&a, &b), (&a, &hourly_b), (&hourly_a, &b)] {
            same(a.with(b, |a, b| a - b).unwrap(), hourly.clone())?;
            let (mut sum, mut hourly_sum) = (a.clone(), hourly_a.clone());
            sum.add(b).unwrap();
            hourly_sum.add(&hourly_b).unwrap();
            same(sum, hourly_sum)?;
            let (product, expected) = (a.dot(b), hourly_a.dot(&hourly_b));
            prop_assert!((product - expected).abs() <= 1e-9 * expected);
        }
    }

    #[test]
    fn weeks_go_on_and_on(spans in spans(), begin in 0..168_usize, hours in 1..700_usize, by in 0..14_usize) {
        let week: Vec<f32> = spans.into_iter().cycle().take(168).collect();
        let week: [f32; 168] = week.try_into().unwrap();
        let by = by.min(hours);
        let ranges = [begin + by..begin + hours, begin..begin + by];
        let expected = ranges.clone().into_iter().flatten().map(|hour| week[hour % 168]);
        let expected = series(1, &expected.collect::<Vec<_>>());
        prop_assert_eq!(Series::of_weeks(expected.start, &week, ranges), expected);
    }

    #[test]
    fn occupancy_is_the_sum_over_ages(values in whole_numbers(), from in 0.0..40.0_f64, span in 0.01..40.0_f64) {
        let starts = series(1, &values);
        let occupancy = starts.aged(from, from + span).unwrap().unwrap();
        prop_assert_eq!(occupancy.values.len(), values.len() + (from + span).ceil() as usize - 1);
        for (hour, &value) in occupancy.values.iter().enumerate() {
            let ages = (0..=hour).map(|age| {
                let part = ((age + 1) as f64).min(from + span) - (age as f64).max(from);
                part.max(0.0) * f64::from(values.get(hour - age).copied().unwrap_or(0.0))
            });
            let expected: f64 = ages.sum();
            prop_assert!((f64::from(value) - expected).abs() <= 1e-6 * expected, "{} is not {}", value, expected);
        }
    }

    #[test]
    fn what_starts_is_there_for_its_duration(values in whole_numbers(), duration in 0.01..100.0_f64) {
        let starts = series(1, &values);
        let total = starts.aged(0.0, duration).unwrap().unwrap().sum();
        prop_assert!((total - starts.sum() * duration).abs() <= 1e-5 * total);
    }

    #[test]
    fn the_order_of_addition_changes_nothing(a in whole_numbers(), b in whole_numbers(), day in 1..5_i8) {
        let (mut one, mut other) = (series(1, &a), series(day, &b));
        let first = one.clone();
        one.add(&other).unwrap();
        other.add(&first).unwrap();
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one, first.with(&series(day, &b), |a, b| a + b).unwrap());
    }
}
