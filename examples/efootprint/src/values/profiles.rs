//! Weeks made of days that are alike.

use serde::Serialize;

use crate::bytes::block;
use crate::hours::HOURS_OF_WEEK;

/// Days of the week that are alike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// What these days are called.
    pub name: String,
    /// The days, Monday being 0.
    pub days: Vec<u8>,
    /// The value of hours that no range covers.
    pub baseline: f64,
    /// Hours with a value of their own, in order.
    pub ranges: Vec<Range>,
}

/// Hours of a day with a value of their own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Range {
    /// The first hour, 0 to 23.
    pub start: u8,
    /// The hour after the last, 1 to 24.
    pub end: u8,
    /// The value of each.
    pub value: f64,
}

/// The week of a valid list of profiles.
pub(super) fn values(profiles: &[Profile]) -> Box<[f32; HOURS_OF_WEEK]> {
    let mut week = Box::new([0.0; HOURS_OF_WEEK]);
    for profile in profiles {
        for &day in &profile.days {
            let hours = &mut week[24 * usize::from(day)..][..24];
            hours.fill(profile.baseline as f32);
            for range in &profile.ranges {
                hours[usize::from(range.start)..usize::from(range.end)].fill(range.value as f32);
            }
        }
    }
    week
}

/// Bytes of memory that profiles take.
pub(super) fn heap(profiles: &Vec<Profile>) -> usize {
    let each = profiles.iter().map(|profile| {
        block(profile.name.capacity())
            + block(profile.days.capacity())
            + block(profile.ranges.capacity() * size_of::<Range>())
    });
    block(profiles.capacity() * size_of::<Profile>()) + each.sum::<usize>()
}
