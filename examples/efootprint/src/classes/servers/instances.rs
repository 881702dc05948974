//! How many instances of a server there are, and what they cause.

use std::sync::Arc;

use crate::classes::declare::attributes;
use crate::classes::{AnyJob, AnyServer};
use crate::engine::{At, Entries, Failure, Measured};
use crate::error::shown;
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, CORES, GB_RAM, KG, KWH, NUMBER};
use crate::values::{Amount, Strategy};

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

impl<'e> At<'e, AnyServer> {
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
            let requests = job.adding(job.hourly_avg_occurrences_across())?;
            let Some(requests) = requests else {
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
                self.ram_told(),
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
            let unit = self.compute_told();
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

    /// What to say where there are hours without any request, and requests that go on for hours:
    /// the reference counts these by a Fourier transform, whose noise it rounds up to an instance
    /// in hours that have none.
    pub(crate) fn idle_hours_remark(self) -> Result<Option<String>, Failure> {
        let noisy = |job: At<'e, AnyJob>| {
            let long = job
                .request_duration()
                .is_ok_and(|duration| duration.total() >= 1.0);
            long && !job.places().is_empty()
        };
        if self.server_type() != Strategy::Autoscaling || !self.jobs().any(noisy) {
            return Ok(None);
        }
        let raw = match self.raw_nb_of_instances() {
            Ok(Some(raw)) if raw.min() == 0.0 && raw.max() > 0.0 => raw,
            Err(Failure::Cancelled) => return Err(Failure::Cancelled),
            _ => return Ok(None),
        };
        let idle = raw.by_hour().iter().filter(|raw| **raw == 0.0).count();
        Ok(Some(format!(
            "{} “{}” has no request in {idle} hours and no instance then. The e-footprint library \
             may count one in each of them, for the rounding noise of its Fourier transform, and so \
             come to more.",
            self.class(),
            shown(self.name())
        )))
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
