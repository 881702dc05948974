//! Networks.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyJob, AnyUsagePattern, EdgeUsagePattern, UsagePattern};
use crate::engine::{At, Entries, Failure};
use crate::series::{Hours, Series, sum};
use crate::units::measure::KG;
use crate::values::{EnergyPerData, Scalar};

class! {
    /// What carries the data.
    Network {
        bandwidth_energy_intensity: Scalar<EnergyPerData>,
    }
}

impl Answers for Network {
    const CATEGORY: Option<Category> = Some(Category::Network);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[NETWORK];
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
        job.adding(sum(patterns.map(|pattern| {
            let data = pattern.adding(job.hourly_data_transferred(pattern))?;
            Ok(data.map(|data| self.footprint_of_data(&data, pattern)))
        })))
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
