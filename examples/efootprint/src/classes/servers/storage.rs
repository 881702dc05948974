//! The storage of servers.

use std::sync::Arc;

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{AnyJob, AnyServer};
use crate::engine::{At, Entries, Failure, ProblemKind};
use crate::error::shown;
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, KG, KWH, TB_STORED};
use crate::values::{MassPerStored, OrEmpty, Power, Ratio, Scalar, Stored, Strategy, Time};

class! {
    /// The storage of a server.
    Storage {
        power: Option<Scalar<Power>> = None,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        carbon_footprint_manufacturing_per_storage_capacity: Scalar<MassPerStored>,
        storage_capacity: Scalar<Stored>,
        data_replication_factor: Scalar<Ratio>,
        data_storage_duration: Scalar<Time>,
        base_storage_need: Scalar<Stored>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
    }
}

impl Answers for Storage {
    const CATEGORY: Option<Category> = Some(Category::Storage);
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[STORAGE];
}

attributes! {
    STORAGE of Storage {
        "4.10" carbon_footprint_manufacturing [KG]
            = "that of a unit of capacity × storage capacity" => |storage| storage.manufacturing();
        "4.10" full_cumulative_storage_need_per_job [TB_STORED]
            = "sum so far of what was stored × replication − what expired" =>
            |storage| Entries(storage.jobs().map(move |job| (job.id(), storage.cumulative_need_of(job))));
        "4.10" job_written_cumulative_storage_need [TB_STORED]
            = "sum over jobs" => |storage| storage.written();
        "4.10" full_cumulative_storage_need [TB_STORED]
            = "what jobs have written + base storage need" => |storage| storage.full_need();
        "4.10" raw_nb_of_instances [CONCURRENT]
            = "storage need ÷ storage capacity" => |storage| storage.raw_nb_of_instances();
        guard "4.10" nb_of_instances [CONCURRENT]
            = "of a serverless server: raw number; otherwise the fixed number, or the raw number rounded up" =>
            |storage| storage.nb_of_instances();
        "4.10" instances_manufacturing_footprint [KG]
            = "manufacturing footprint × instances × 1 hour ÷ lifespan" =>
            |storage| storage.manufacturing_footprint();
        "7" storage_retention_manufacturing_footprint [KG]
            = "manufacturing footprint × what jobs have written ÷ capacity of all instances" =>
            |storage| storage.retention_footprint();
        "7" storage_baseline_manufacturing_footprint [KG]
            = "manufacturing footprint × (capacity − what jobs have written) ÷ capacity" =>
            |storage| storage.baseline_footprint();
        "4.10" instances_energy [KWH] = "none" => |_| ();
        "4.10" use_footprint [KG] = "none" => |_| ();
    }
}

impl<'e> At<'e, Storage> {
    /// The server that it belongs to.
    pub(crate) fn server(self) -> Result<Option<At<'e, AnyServer>>, Failure> {
        let mut servers = self.users::<AnyServer>();
        let server = servers.next();
        if let (Some(one), Some(other)) = (server, servers.next()) {
            let detail = format!(
                "is the storage of the servers “{}” and “{}”; give each its own.",
                shown(one.name()),
                shown(other.name())
            );
            return Err(self
                .problem(ProblemKind::WrongLink, "nb_of_instances", detail)
                .into());
        }
        Ok(server)
    }

    /// The jobs of its server, or of all servers that it should not belong to at once.
    fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.referrers::<AnyServer>()
            .flat_map(At::<AnyServer>::jobs)
    }

    /// What one storage took to make, in kg.
    fn manufacturing(self) -> f64 {
        let storage = self.get();
        storage
            .carbon_footprint_manufacturing_per_storage_capacity
            .kg_per_tb()
            * storage.storage_capacity.tb()
    }

    fn cumulative_need_of(self, job: At<'e, AnyJob>) -> Result<Option<Series>, Failure> {
        Ok(job
            .hourly_data_stored_across()?
            .map(|stored| self.kept(&stored)))
    }

    /// How much is kept, of so many megabytes stored by the hour: in terabytes, replicated, until it
    /// expires.
    pub(crate) fn kept(self, stored: &Series) -> Series {
        let storage = self.get();
        let replication = storage.data_replication_factor.number() as f32;
        let duration = storage.data_storage_duration.hours().ceil().max(0.0) as usize;
        let written = stored.map(|stored| stored * replication * 1e-6);
        written.taken_back_after(duration).cumulative()
    }

    pub(crate) fn written(self) -> Result<Hours, Failure> {
        self.shared("job_written_cumulative_storage_need", || {
            self.server()?;
            sum(self
                .jobs()
                .map(|job| job.adding(self.cumulative_need_of(job))))
        })
    }

    pub(crate) fn full_need(self) -> Result<Hours, Failure> {
        self.shared("full_cumulative_storage_need", || {
            let base = self.get().base_storage_need.tb() as f32;
            Ok(self
                .written()?
                .map(|written| written.map(|written| written + base)))
        })
    }

    pub(crate) fn raw_nb_of_instances(self) -> Result<Hours, Failure> {
        self.shared("raw_nb_of_instances", || {
            let capacity = self.get().storage_capacity.amount_in("terabyte_stored");
            let one = self.divisor("storage_capacity", capacity.value)? as f32;
            let conversion = (1.0 / capacity.factor) as f32;
            Ok(self
                .full_need()?
                .map(|need| need.map(|need| need / one * conversion)))
        })
    }

    /// Whether there is always something in it, or nothing, beyond what rounding leaves.
    fn check_level(self) -> Result<(), Failure> {
        let Some(need) = self.full_need()? else {
            return Ok(());
        };
        if need.min() < -1e-6 * need.max().abs() {
            let detail = "has less than nothing in it in some hours; store more in it, or delete \
                          less, and look for events of less than zero.";
            let attribute = "full_cumulative_storage_need";
            return Err(self
                .problem(ProblemKind::NegativeStorage, attribute, detail)
                .into());
        }
        Ok(())
    }

    pub(crate) fn nb_of_instances(self) -> Result<Hours, Failure> {
        self.shared("nb_of_instances", || {
            let (Some(raw), Some(server)) = (self.raw_nb_of_instances()?, self.server()?) else {
                return Ok(None);
            };
            self.check_level()?;
            if server.server_type() == Strategy::Serverless {
                return Ok(Some(raw));
            }
            let fixed = self.get().fixed_nb_of_instances.as_option();
            let Some(fixed) = fixed.map(Scalar::<Ratio>::number) else {
                return Ok(Some(Arc::new(raw.rounded_up())));
            };
            let needed = f64::from(raw.max().ceil());
            if needed > fixed {
                let way_out = "raise `fixed_nb_of_instances`, or store less or for a shorter time";
                return Err(self.shortage(
                    "nb_of_instances",
                    "instances",
                    (needed, fixed),
                    CONCURRENT,
                    way_out,
                ));
            }
            Ok(Some(Arc::new(raw.filled_with(fixed))))
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.footprint("instances_manufacturing_footprint", || {
            let manufacturing = self.manufacturing() as f32;
            let lifespan = self.divisor("lifespan", self.get().lifespan.hours())? as f32;
            Ok(self
                .nb_of_instances()?
                .map(|n| n.map(|n| manufacturing * n / lifespan)))
        })
    }

    /// The part of the manufacturing footprint that holds what jobs have written.
    pub(crate) fn retention_footprint(self) -> Result<Hours, Failure> {
        self.shared("storage_retention_manufacturing_footprint", || {
            let Some(written) = self.written()? else {
                return Ok(None);
            };
            self.part_of_footprint(&written)
        })
    }

    /// The part of the manufacturing footprint that holds nothing that jobs have written.
    pub(crate) fn baseline_footprint(self) -> Result<Hours, Failure> {
        self.shared("storage_baseline_manufacturing_footprint", || {
            let base = self.get().base_storage_need.tb() as f32;
            let (Some(capacity), Some(need)) = (self.capacity()?, self.full_need()?) else {
                return Ok(None);
            };
            let rest = capacity.with(&need, |capacity, need| capacity - need + base)?;
            self.part_of_footprint(&rest)
        })
    }

    /// What all instances hold together.
    fn capacity(self) -> Result<Option<Series>, Failure> {
        // In the unit of the file first, as the reference rounds it: little is left of a difference.
        let one = self.get().storage_capacity.amount_in("terabyte_stored");
        let (value, factor) = (one.value as f32, one.factor as f32);
        Ok(self.nb_of_instances()?.map(|n| match factor {
            1.0 => n.times(one.value),
            factor => n.map(|n| n * value * factor),
        }))
    }

    /// The part of the manufacturing footprint that is that part of the capacity.
    fn part_of_footprint(self, part: &Series) -> Result<Option<Series>, Failure> {
        let (Some(footprint), Some(capacity)) = (self.manufacturing_footprint()?, self.capacity()?)
        else {
            return Ok(None);
        };
        let share = part.with(&capacity, |part, capacity| match capacity {
            0.0 => 0.0,
            capacity => part / capacity,
        })?;
        Ok(Some(
            footprint.with(&share, |footprint, share| footprint * share)?,
        ))
    }
}
