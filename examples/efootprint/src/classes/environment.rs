//! What people use, and where.

use jiff::civil::{Date, DateTime};
use jiff::tz::AmbiguousOffset;

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use super::{AnyJob, AnyUsagePattern, EdgeUsagePattern, UsagePattern};
use crate::engine::{At, Entries, Failure};
use crate::objects::Change;
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, KG};
use crate::values::{
    CarbonIntensity, Clock, EnergyPerData, HOURS_OF_WEEK, Hourly, Mass, Power, Ratio, Scalar,
    Starts, Time, Zone,
};

class! {
    /// A phone, a laptop, a screen.
    Device {
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Scalar<Ratio>,
    }
}

class! {
    /// What carries the data.
    Network {
        bandwidth_energy_intensity: Scalar<EnergyPerData>,
    }
}

class! {
    /// An electricity mix and a time zone.
    Country {
        short_name: Option<Box<str>> = None,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        timezone: Zone,
    }
}

impl Answers for Device {
    const CATEGORY: Option<Category> = Some(Category::Devices);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[DEVICE];
}

impl Answers for Network {
    const CATEGORY: Option<Category> = Some(Category::Network);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[NETWORK];
}

impl Answers for Country {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Country);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

attributes! {
    DEVICE of Device {
        "4.7" nb_journeys_in_parallel_per_usage_pattern [CONCURRENT]
            = "for each pattern, journeys in progress" =>
            |device| Entries(device.usage_patterns().map(move |pattern| {
                (pattern.id(), device.nb_journeys_in_parallel(pattern))
            }));
        "4.7" use_footprint_per_usage_pattern [KG]
            = "journeys in progress × power × 1 hour × carbon intensity of the country" =>
            |device| Entries(device.usage_patterns().map(move |pattern| {
                (pattern.id(), device.use_footprint_in(pattern))
            }));
        "4.7" instances_manufacturing_footprint_per_usage_pattern [KG]
            = "journeys in progress × manufacturing footprint × 1 hour ÷ (lifespan × fraction of usage time)" =>
            |device| Entries(device.usage_patterns().map(move |pattern| {
                (pattern.id(), device.manufacturing_footprint_in(pattern))
            }));
        "4.7" use_footprint [KG]
            = "sum over patterns" => |device| device.use_footprint();
        "4.7" instances_manufacturing_footprint [KG]
            = "sum over patterns" => |device| device.manufacturing_footprint();
    }
}

impl<'e> At<'e, Device> {
    pub(crate) fn usage_patterns(self) -> impl Iterator<Item = At<'e, UsagePattern>> {
        self.referrers()
    }

    fn nb_journeys_in_parallel(self, pattern: At<'e, UsagePattern>) -> Result<Hours, Failure> {
        pattern.nb_journeys_in_parallel()
    }

    fn use_footprint_in(self, pattern: At<'e, UsagePattern>) -> Result<Option<Series>, Failure> {
        let energy = self.hourly_energy() as f32;
        let carbon_intensity = pattern.of::<AnyUsagePattern>().carbon_intensity() as f32;
        let journeys = self.nb_journeys_in_parallel(pattern)?;
        Ok(journeys.map(|journeys| journeys.map(|n| n * energy * carbon_intensity)))
    }

    fn manufacturing_footprint_in(
        self,
        pattern: At<'e, UsagePattern>,
    ) -> Result<Option<Series>, Failure> {
        let manufacturing = self.hourly_manufacturing_footprint()?;
        let journeys = self.nb_journeys_in_parallel(pattern)?;
        Ok(journeys.map(|journeys| journeys.times(manufacturing)))
    }

    /// Of one device in use for an hour, in kWh.
    pub(crate) fn hourly_energy(self) -> f64 {
        self.get().power.watts() / 1000.0
    }

    /// Of one device in use for an hour, in kg.
    pub(crate) fn hourly_manufacturing_footprint(self) -> Result<f64, Failure> {
        let device = self.get();
        let lifespan = self.divisor("lifespan", device.lifespan.hours())?;
        let usage = self.divisor(
            "fraction_of_usage_time",
            device.fraction_of_usage_time.number(),
        )?;
        Ok(device.carbon_footprint_manufacturing.kg() / (lifespan * usage))
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.footprint("use_footprint", || {
            sum(self
                .usage_patterns()
                .map(|pattern| self.use_footprint_in(pattern)))
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.footprint("instances_manufacturing_footprint", || {
            sum(self
                .usage_patterns()
                .map(|pattern| self.manufacturing_footprint_in(pattern)))
        })
    }
}

attributes! {
    NETWORK of Network {
        "4.8" use_footprint_per_job [KG]
            = "over the patterns that use the network: energy intensity × data transferred × carbon intensity of the country" =>
            |network| Entries(network.jobs().into_iter().map(move |job| {
                (job.id(), network.use_footprint_of(job))
            }));
        "4.8" use_footprint [KG]
            = "sum over jobs" => |network| network.use_footprint();
        "4.8" instances_manufacturing_footprint [KG]
            = "none" => |_| ();
    }
}

impl<'e> At<'e, Network> {
    /// The jobs of all patterns that use the network.
    fn jobs(self) -> Vec<At<'e, AnyJob>> {
        let web = self
            .referrers::<UsagePattern>()
            .flat_map(At::<UsagePattern>::jobs);
        let edge = self
            .referrers::<EdgeUsagePattern>()
            .flat_map(At::<EdgeUsagePattern>::jobs);
        let mut jobs: Vec<_> = web.chain(edge).collect();
        jobs.sort_unstable_by_key(|job| job.index());
        jobs.dedup();
        jobs
    }

    pub(crate) fn use_footprint_of(self, job: At<'e, AnyJob>) -> Result<Hours, Failure> {
        self.footprint_for("use_footprint_per_job", job.index(), || {
            self.footprint_of_job(job)
        })
    }

    /// The same, for who asks but once.
    pub(crate) fn footprint_of_job(self, job: At<'e, AnyJob>) -> Result<Hours, Failure> {
        let patterns = job.usage_patterns().into_iter();
        let patterns = patterns.filter(|pattern| pattern.network() == self);
        sum(patterns.map(|pattern| {
            let data = job.hourly_data_transferred(pattern)?;
            Ok(data.map(|data| self.footprint_of_data(&data, pattern)))
        }))
    }

    /// What it takes to carry a megabyte for a pattern, in kg.
    pub(crate) fn footprint_of_megabyte(self, pattern: At<'e, AnyUsagePattern>) -> f64 {
        self.get().bandwidth_energy_intensity.kwh_per_mb() * pattern.carbon_intensity()
    }

    /// What it takes to carry so many megabytes for a pattern.
    fn footprint_of_data(self, data: &Series, pattern: At<'e, AnyUsagePattern>) -> Series {
        let energy = self.get().bandwidth_energy_intensity.kwh_per_mb() as f32;
        let carbon_intensity = pattern.carbon_intensity() as f32;
        data.map(|data| energy * data * carbon_intensity)
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.footprint("use_footprint", || {
            sum(self
                .jobs()
                .into_iter()
                .map(|job| self.use_footprint_of(job)))
        })
    }
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
