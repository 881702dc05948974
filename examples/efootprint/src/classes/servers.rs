//! Servers and their storage.

use std::sync::Arc;

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class, family};
use super::{AnyJob, BoaviztaCloudServer, VideoStreaming};
use crate::engine::{At, Entries, Failure, Measured, ProblemKind};
use crate::objects::{Change, Ref};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{
    CONCURRENT, CORES, GB_RAM, GPUS, KG, KWH, Measure, NUMBER, TB_STORED, WATT,
};
use crate::values::Amount;
use crate::values::{
    CarbonIntensity, CpuCores, Gpus, Mass, MassPerGpu, MassPerStored, OrEmpty, Power, PowerPerGpu,
    Ram, RamPerGpu, Ratio, Scalar, ServerType, Stored, Strategy, Time,
};

class! {
    /// A server.
    Server {
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        server_type: ServerType,
        idle_power: Scalar<Power>,
        ram: Scalar<Ram>,
        compute: Scalar<CpuCores>,
        power_usage_effectiveness: Scalar<Ratio>,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        utilization_rate: Scalar<Ratio>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<CpuCores>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
        storage: Ref<Storage>,
    }
}

class! {
    /// A server whose size is a number of GPUs.
    GPUServer {
        lifespan: Scalar<Time>,
        fraction_of_usage_time: Option<Scalar<Ratio>> = None,
        server_type: ServerType,
        compute: Scalar<Gpus>,
        power_usage_effectiveness: Scalar<Ratio>,
        average_carbon_intensity: Scalar<CarbonIntensity>,
        utilization_rate: Scalar<Ratio>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<Gpus>,
        fixed_nb_of_instances: OrEmpty<Scalar<Ratio>> = OrEmpty::default(),
        storage: Ref<Storage>,
        gpu_power: Scalar<PowerPerGpu>,
        gpu_idle_power: Scalar<PowerPerGpu>,
        ram_per_gpu: Scalar<RamPerGpu>,
        carbon_footprint_manufacturing_without_gpu: Scalar<Mass>,
        carbon_footprint_manufacturing_per_gpu: Scalar<MassPerGpu>,
    }
}

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

family! {
    /// A server of any class.
    AnyServer { Server, GPUServer, BoaviztaCloudServer }
}

impl Answers for Server {
    const CATEGORY: Option<Category> = Some(Category::Servers);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[SERVER];
}

impl Answers for GPUServer {
    const CATEGORY: Option<Category> = Some(Category::Servers);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[GPU_SERVER, SERVER];
}

impl Answers for Storage {
    const CATEGORY: Option<Category> = Some(Category::Storage);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[STORAGE];
}

attributes! {
    GPU_SERVER of AnyServer {
        "4.9" carbon_footprint_manufacturing [KG]
            = "that without GPUs + number of GPUs × that of a GPU" =>
            |server| server.sizing().map(|size| size.manufacturing);
        "4.9" power [WATT]
            = "number of GPUs × power of a GPU" => |server| server.sizing().map(|size| size.power);
        "4.9" idle_power [WATT]
            = "number of GPUs × idle power of a GPU" => |server| server.sizing().map(|size| size.idle_power);
        "4.9" ram [GB_RAM]
            = "number of GPUs × RAM of a GPU" => |server| server.sizing().map(|size| size.ram);
    }
}

attributes! {
    /// What every server has, whatever its class.
    SERVER of AnyServer {
        "4.9" hour_by_hour_ram_need [GB_RAM]
            = "sum over jobs of requests in progress × RAM needed" => |server| server.ram_need();
        "4.9" hour_by_hour_compute_need [CORES]
            = "sum over jobs of requests in progress × compute needed" =>
            |server| Measured(server.compute_need(), server.compute_unit());
        "4.9" occupied_ram_per_instance [GB_RAM]
            = "base RAM consumption + that of services" => |server| server.occupied_ram();
        "4.9" occupied_compute_per_instance [CORES]
            = "base compute consumption + that of services" =>
            |server| Measured(server.occupied_compute(), server.compute_unit());
        guard "4.9" available_ram_per_instance [GB_RAM]
            = "RAM × utilization rate − occupied RAM" => |server| server.available_ram();
        guard "4.9" available_compute_per_instance [CORES]
            = "compute × utilization rate − occupied compute" =>
            |server| Measured(server.available_compute(), server.compute_unit());
        "4.9" raw_nb_of_instances [CONCURRENT]
            = "the larger of RAM need ÷ available RAM and compute need ÷ available compute" =>
            |server| server.raw_nb_of_instances();
        guard "4.9" fixed_nb_of_instances_validation [NUMBER]
            = "the fixed number of instances is enough" => |server| server.check_fixed_nb_of_instances();
        "4.9" nb_of_instances [CONCURRENT]
            = "autoscaling: raw number rounded up; serverless: raw number; on-premise: the fixed number, or the largest rounded up" =>
            |server| server.nb_of_instances();
        "4.9" instances_energy [KWH]
            = "(idle power × instances + (power − idle power) × raw number) × PUE × 1 hour" =>
            |server| server.energy();
        "4.9" idle_use_footprint [KG]
            = "idle power × PUE × 1 hour × instances × carbon intensity" =>
            |server| server.idle_use_footprint();
        "4.9" load_use_footprint [KG]
            = "(power − idle power) × PUE × 1 hour × raw number × carbon intensity" =>
            |server| server.load_use_footprint();
        "4.9" use_footprint [KG]
            = "idle + load use footprint" => |server| server.use_footprint();
        "4.9" instances_manufacturing_footprint [KG]
            = "manufacturing footprint × instances × 1 hour ÷ lifespan" =>
            |server| server.manufacturing_footprint();
        "E1.1" service_total_job_volumes [CONCURRENT]
            = "for each service, the sum over its jobs of requests in progress" =>
            |server| Entries(server.services().map(|service| (service.id(), service.total_job_volume())));
    }
}

/// What a server is made of, and what a service leaves of it.
pub(crate) struct Sizing {
    /// In kg.
    pub(crate) manufacturing: f64,
    /// In watts.
    pub(crate) power: f64,
    /// In watts.
    pub(crate) idle_power: f64,
    /// In GB.
    pub(crate) ram: f64,
    /// In processor cores or GPUs.
    pub(crate) compute: f64,
}

/// The inputs that all classes of servers have.
struct Running<'e> {
    server_type: Strategy,
    lifespan: f64,
    utilization_rate: f64,
    power_usage_effectiveness: f64,
    /// In kg for each kWh.
    carbon_intensity: f64,
    base_ram: f64,
    base_compute: f64,
    fixed_nb_of_instances: Option<f64>,
    storage: At<'e, Storage>,
}

/// `Running` of a server, whatever its class; its compute is counted by `$unit`.
macro_rules! running {
    ($at:ident, $server:expr, $unit:ident) => {{
        let server = $server;
        Running {
            server_type: server.server_type.value,
            lifespan: server.lifespan.hours(),
            utilization_rate: server.utilization_rate.number(),
            power_usage_effectiveness: server.power_usage_effectiveness.number(),
            carbon_intensity: server.average_carbon_intensity.kg_per_kwh(),
            base_ram: server.base_ram_consumption.gb(),
            base_compute: server.base_compute_consumption.$unit(),
            fixed_nb_of_instances: server.fixed_nb_of_instances.as_option().map(Scalar::<Ratio>::number),
            storage: $at.at(server.storage),
        }
    }};
}

impl<'e> At<'e, AnyServer> {
    fn running(self) -> Running<'e> {
        match self.get() {
            AnyServer::Server(server) => running!(self, self.at(server).get(), cores),
            AnyServer::GPUServer(server) => running!(self, self.at(server).get(), gpus),
            AnyServer::BoaviztaCloudServer(server) => running!(self, self.at(server).get(), cores),
        }
    }

    pub(crate) fn sizing(self) -> Result<Sizing, Failure> {
        Ok(match self.get() {
            AnyServer::Server(server) => {
                let server = self.at(server).get();
                Sizing {
                    manufacturing: server.carbon_footprint_manufacturing.kg(),
                    power: server.power.watts(),
                    idle_power: server.idle_power.watts(),
                    ram: server.ram.gb(),
                    compute: server.compute.cores(),
                }
            }
            AnyServer::GPUServer(server) => {
                let server = self.at(server).get();
                let gpus = server.compute.gpus();
                Sizing {
                    manufacturing: server.carbon_footprint_manufacturing_without_gpu.kg()
                        + gpus * server.carbon_footprint_manufacturing_per_gpu.kg_per_gpu(),
                    power: gpus * server.gpu_power.watts_per_gpu(),
                    idle_power: gpus * server.gpu_idle_power.watts_per_gpu(),
                    ram: gpus * server.ram_per_gpu.gb_per_gpu(),
                    compute: gpus,
                }
            }
            AnyServer::BoaviztaCloudServer(server) => self.at(server).sizing(),
        })
    }

    pub(crate) fn compute_unit(self) -> Measure {
        match self.get() {
            AnyServer::Server(_) | AnyServer::BoaviztaCloudServer(_) => CORES,
            AnyServer::GPUServer(_) => GPUS,
        }
    }

    pub(crate) fn server_type(self) -> Strategy {
        self.running().server_type
    }

    pub(crate) fn storage(self) -> At<'e, Storage> {
        self.running().storage
    }

    pub(crate) fn services(self) -> impl Iterator<Item = At<'e, VideoStreaming>> {
        self.referrers()
    }

    /// The jobs that name the server, and those of its services.
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.referrers::<AnyJob>()
            .chain(self.services().flat_map(At::<VideoStreaming>::jobs))
    }

    pub(crate) fn ram_need(self) -> Result<Hours, Failure> {
        self.shared("hour_by_hour_ram_need", || {
            self.need(At::<AnyJob>::ram_needed)
        })
    }

    pub(crate) fn compute_need(self) -> Result<Hours, Failure> {
        self.shared("hour_by_hour_compute_need", || {
            self.need(At::<AnyJob>::compute_needed)
        })
    }

    /// What all requests in progress need, in the unit of the first job and then in ours.
    fn need(self, needed: impl Fn(At<'e, AnyJob>) -> Amount) -> Result<Hours, Failure> {
        let mut first = None;
        let total = sum(self.jobs().map(|job| -> Result<_, Failure> {
            let Some(requests) = job.hourly_avg_occurrences_across()? else {
                return Ok(None);
            };
            let needed = needed(job);
            let unit = *first.get_or_insert(needed.factor);
            let (needed, conversion) = (needed.value as f32, (needed.factor / unit) as f32);
            Ok(Some(if conversion == 1.0 {
                requests.map(|requests| requests * needed)
            } else {
                requests.map(|requests| requests * needed * conversion)
            }))
        }))?;
        Ok(match (total, first) {
            (Some(total), Some(unit)) if unit != 1.0 => Some(total.scaled(unit)),
            (total, _) => total,
        })
    }

    fn occupied_ram(self) -> f64 {
        let services = self.services().map(|service| service.base_ram());
        self.running().base_ram + services.sum::<f64>()
    }

    fn occupied_compute(self) -> f64 {
        let services = self.services().map(|service| service.base_compute());
        self.running().base_compute + services.sum::<f64>()
    }

    pub(crate) fn available_ram(self) -> Result<f64, Failure> {
        let usable = self.sizing()?.ram * self.running().utilization_rate;
        let occupied = self.occupied_ram();
        if usable - occupied <= 0.0 {
            let attribute = "available_ram_per_instance";
            let way_out = "give it more RAM, or make it and its services occupy less";
            return Err(self.shortage(
                attribute,
                "usable RAM",
                (occupied, usable),
                GB_RAM,
                way_out,
            ));
        }
        Ok(usable - occupied)
    }

    pub(crate) fn available_compute(self) -> Result<f64, Failure> {
        let usable = self.sizing()?.compute * self.running().utilization_rate;
        let occupied = self.occupied_compute();
        if usable - occupied <= 0.0 {
            let attribute = "available_compute_per_instance";
            let way_out = "give it more compute, or make it and its services occupy less";
            let unit = self.compute_unit();
            return Err(self.shortage(
                attribute,
                "usable compute",
                (occupied, usable),
                unit,
                way_out,
            ));
        }
        Ok(usable - occupied)
    }

    pub(crate) fn raw_nb_of_instances(self) -> Result<Hours, Failure> {
        self.shared("raw_nb_of_instances", || {
            let (ram, compute) = (
                self.available_ram()? as f32,
                self.available_compute()? as f32,
            );
            Ok(match self.ram_need()?.zip(self.compute_need()?) {
                Some((ram_need, compute_need)) => {
                    Some(ram_need.with(&compute_need, |a, b| (a / ram).max(b / compute))?)
                }
                None => None,
            })
        })
    }

    fn check_fixed_nb_of_instances(self) -> Result<(), Failure> {
        let running = self.running();
        let (Strategy::OnPremise, Some(fixed)) =
            (running.server_type, running.fixed_nb_of_instances)
        else {
            // What it needs is nobody's concern here, nor is what keeps that from being known.
            return Ok(());
        };
        if let Some(raw) = self.raw_nb_of_instances()? {
            let needed = f64::from(raw.max().ceil());
            if needed > fixed {
                let attribute = "fixed_nb_of_instances_validation";
                let way_out = "raise `fixed_nb_of_instances`, or ask less of the server";
                return Err(self.shortage(
                    attribute,
                    "instances",
                    (needed, fixed),
                    CONCURRENT,
                    way_out,
                ));
            }
        }
        Ok(())
    }

    pub(crate) fn nb_of_instances(self) -> Result<Hours, Failure> {
        self.shared("nb_of_instances", || {
            self.check_fixed_nb_of_instances()?;
            let Some(raw) = self.raw_nb_of_instances()? else {
                return Ok(None);
            };
            let running = self.running();
            Ok(Some(match running.server_type {
                Strategy::Autoscaling => Arc::new(raw.rounded_up()),
                Strategy::Serverless => raw,
                Strategy::OnPremise => {
                    let peak = || f64::from(raw.max().ceil());
                    Arc::new(raw.filled_with(running.fixed_nb_of_instances.unwrap_or_else(peak)))
                }
            }))
        })
    }

    /// What an instance takes in an hour without load, and what full load adds, in watt-hours.
    fn hourly_energies(self) -> Result<(f32, f32), Failure> {
        let (size, effectiveness) = (self.sizing()?, self.running().power_usage_effectiveness);
        let idle = size.idle_power * effectiveness;
        let load = (size.power - size.idle_power) * effectiveness;
        Ok((idle as f32, load as f32))
    }

    fn energy(self) -> Result<Option<Series>, Failure> {
        let (idle, load) = self.hourly_energies()?;
        Ok(
            match self.nb_of_instances()?.zip(self.raw_nb_of_instances()?) {
                Some((n, raw)) => Some(n.with(&raw, |n, raw| (idle * n + load * raw) * 1e-3)?),
                None => None,
            },
        )
    }

    pub(crate) fn idle_use_footprint(self) -> Result<Hours, Failure> {
        self.shared("idle_use_footprint", || {
            let (idle, _) = self.hourly_energies()?;
            let intensity = (self.running().carbon_intensity / 1000.0) as f32;
            Ok(self
                .nb_of_instances()?
                .map(|n| n.map(|n| idle * n * intensity)))
        })
    }

    pub(crate) fn load_use_footprint(self) -> Result<Hours, Failure> {
        self.shared("load_use_footprint", || {
            let (_, load) = self.hourly_energies()?;
            let intensity = (self.running().carbon_intensity / 1000.0) as f32;
            Ok(self
                .raw_nb_of_instances()?
                .map(|raw| raw.map(|raw| load * raw * intensity)))
        })
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.footprint("use_footprint", || {
            // What fails, fails before the load is known: no series of an impossible number.
            let idle = self.idle_use_footprint()?;
            sum([Ok(idle), self.load_use_footprint()])
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.footprint("instances_manufacturing_footprint", || {
            let manufacturing = self.sizing()?.manufacturing as f32;
            let lifespan = self.divisor("lifespan", self.running().lifespan)? as f32;
            Ok(self
                .nb_of_instances()?
                .map(|n| n.map(|n| manufacturing * n / lifespan)))
        })
    }
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
        let mut servers = self.referrers::<AnyServer>();
        let server = servers.next();
        if let (Some(one), Some(other)) = (server, servers.next()) {
            let detail = format!(
                "is the storage of the servers “{}” and “{}”; give each its own.",
                one.name(),
                other.name()
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
            sum(self.jobs().map(|job| self.cumulative_need_of(job)))
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

    pub(crate) fn nb_of_instances(self) -> Result<Hours, Failure> {
        self.shared("nb_of_instances", || {
            let (Some(raw), Some(server)) = (self.raw_nb_of_instances()?, self.server()?) else {
                return Ok(None);
            };
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
        let one = self.get().storage_capacity.tb();
        Ok(self.nb_of_instances()?.map(|n| n.times(one)))
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
