//! Countries: their electricity and their clocks.

use jiff::civil::{Date, DateTime};
use jiff::tz::AmbiguousOffset;

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, class};
use crate::engine::At;
use crate::series::Series;
use crate::values::{CarbonIntensity, Clock, HOURS_OF_WEEK, Hourly, Scalar, Starts, Zone};

class! {
    /// An electricity mix and a time zone.
    Country {
        short_name: Option<Box<str>> = None,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        timezone: Zone,
    }
}

impl Answers for Country {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Country);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl At<'_, Country> {
    /// A series on the clocks of the country, on the clock of the world (3.2).
    ///
    /// The series begins and ends when it did: what would fall before its beginning comes at its
    /// end.
    pub(crate) fn utc(self, local: &Hourly<Starts>) -> Series {
        let by = match local.clock {
            Clock::Local => self.rotation(local.start, local.values.len()),
            Clock::Utc => 0,
        };
        let (end, beginning) = local.values.split_at(by);
        Series::from_hours(local.start, [beginning, end])
    }

    /// A week on the clocks of the country, over the hours of a series (3.6).
    pub(crate) fn weeks(self, week: &[f32; HOURS_OF_WEEK], over: &Series) -> Series {
        let length = over.hours();
        let (begin, by) = (hour_of_week(over.start), self.rotation(over.start, length));
        Series::of_weeks(
            over.start,
            week,
            [begin + by..begin + length, begin..begin + by],
        )
    }

    /// How many of the first hours of a series come at its end.
    fn rotation(self, start: DateTime, hours: usize) -> usize {
        self.hours_ahead(start).rem_euclid(hours as i64) as usize
    }

    /// How many hours the clocks of the country are ahead of UTC when they show `local`, rounded to
    /// the nearest, and half hours to the nearest even hour.
    ///
    /// Where clocks show a time twice or never, this is the time of winter; and what they do from
    /// 2038 on isn't known yet.
    fn hours_ahead(self, local: DateTime) -> i64 {
        const LAST_KNOWN: Date = jiff::civil::date(2037, 12, 31);
        let known = local.min(LAST_KNOWN.at(23, 0, 0, 0));
        let zone = &self.get().timezone.zone;
        let offset = match zone.to_ambiguous_timestamp(known).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                before.min(after)
            }
        };
        (f64::from(offset.seconds()) / 3600.0).round_ties_even() as i64
    }
}

/// Hours since Monday 00:00.
pub(crate) fn hour_of_week(time: DateTime) -> usize {
    let days = time.weekday().to_monday_zero_offset() as usize;
    days * 24 + time.hour() as usize
}
