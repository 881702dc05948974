//! Devices of people.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyUsagePattern, UsagePattern};
use crate::engine::{At, Entries, Failure};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, KG};
use crate::values::{Mass, Power, Ratio, Scalar, Time};

class! {
    /// A phone, a laptop, a screen.
    Device {
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Scalar<Ratio>,
    }
}

impl Answers for Device {
    const CATEGORY: Option<Category> = Some(Category::Devices);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[DEVICE];
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
                .map(|pattern| pattern.adding(self.use_footprint_in(pattern))))
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.footprint("instances_manufacturing_footprint", || {
            sum(self
                .usage_patterns()
                .map(|pattern| pattern.adding(self.manufacturing_footprint_in(pattern))))
        })
    }
}
