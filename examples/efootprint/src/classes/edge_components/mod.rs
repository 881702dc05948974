//! What devices in the field are made of.

mod cpu;
mod power;
mod ram;
mod resource;
mod storage;
mod workload;

pub use self::cpu::*;
pub use self::ram::*;
use self::resource::ComponentSize;
pub(crate) use self::resource::Resource;
pub use self::storage::*;
pub use self::workload::*;
use crate::classes::declare::family;
use crate::classes::{
    AnyEdgeComponentNeed, AnyEdgeDevice, EdgeAppliance, EdgeComputer, EdgeUsagePattern,
    UsedInPatterns, patterns_of,
};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::shown;
use crate::objects::Target;
use crate::units::measure::Told;

family! {
    /// A component of any class.
    AnyEdgeComponent {
        EdgeRAMComponent, EdgeCPUComponent, EdgeWorkloadComponent, EdgeStorage,
        EdgeComputerRAMComponent, EdgeComputerCPUComponent, EdgeApplianceComponent,
    }
}

impl<'e> UsedInPatterns<'e> for At<'e, AnyEdgeComponent> {
    /// The patterns that need it.
    fn usage_patterns(self) -> Vec<At<'e, EdgeUsagePattern>> {
        patterns_of(
            self.needs()
                .flat_map(At::<AnyEdgeComponentNeed>::paths)
                .map(|(_, path)| path),
        )
    }
}

impl<'e> At<'e, AnyEdgeComponent> {
    pub(crate) fn resource(self) -> Resource {
        match self.get() {
            AnyEdgeComponent::EdgeRAMComponent(_)
            | AnyEdgeComponent::EdgeComputerRAMComponent(_) => Resource::Ram,
            AnyEdgeComponent::EdgeCPUComponent(_)
            | AnyEdgeComponent::EdgeComputerCPUComponent(_) => Resource::Cpu,
            AnyEdgeComponent::EdgeWorkloadComponent(_)
            | AnyEdgeComponent::EdgeApplianceComponent(_) => Resource::Workload,
            AnyEdgeComponent::EdgeStorage(_) => Resource::Storage,
        }
    }

    /// The device that it is a part of.
    pub(crate) fn device(self) -> Result<Option<At<'e, AnyEdgeDevice>>, Failure> {
        let mut devices = self.users::<AnyEdgeDevice>();
        let device = devices.next();
        if let (Some(one), Some(other)) = (device, devices.next()) {
            let detail = format!(
                "is a part of the devices “{}” and “{}”; give each its own.",
                shown(one.name()),
                shown(other.name())
            );
            return Err(self
                .problem(ProblemKind::WrongLink, "edge_device", detail)
                .into());
        }
        Ok(device)
    }

    /// The computer or appliance whose inputs it takes.
    fn owner<T: Target<Object = <AnyEdgeComponent as Target>::Object>>(
        self,
    ) -> Result<At<'e, T>, Failure> {
        self.device()?;
        self.users::<T>().next().ok_or_else(|| {
            let detail = "is a part of no device, which it takes its inputs from; list it in one.";
            self.problem(ProblemKind::WrongLink, "edge_device", detail)
                .into()
        })
    }

    fn computer(self) -> Result<&'e EdgeComputer, Failure> {
        self.owner::<EdgeComputer>().map(At::get)
    }

    fn sizing(self) -> Result<ComponentSize, Failure> {
        match self.get() {
            AnyEdgeComponent::EdgeRAMComponent(ram) => Ok(self.at(ram).sizing()),
            AnyEdgeComponent::EdgeCPUComponent(cpu) => Ok(self.at(cpu).sizing()),
            AnyEdgeComponent::EdgeWorkloadComponent(workload) => Ok(self.at(workload).sizing()),
            AnyEdgeComponent::EdgeStorage(storage) => Ok(self.at(storage).sizing()),
            AnyEdgeComponent::EdgeComputerRAMComponent(ram) => self.at(ram).sizing(),
            AnyEdgeComponent::EdgeComputerCPUComponent(cpu) => self.at(cpu).sizing(),
            AnyEdgeComponent::EdgeApplianceComponent(part) => self.at(part).sizing(),
        }
    }

    fn appliance(self) -> Result<&'e EdgeAppliance, Failure> {
        self.owner::<EdgeAppliance>().map(At::get)
    }

    /// The unit of the input that says how much it provides.
    fn told(self) -> Told {
        let unit = match self.get() {
            AnyEdgeComponent::EdgeRAMComponent(ram) => &self.at(ram).get().ram_per_unit.unit,
            AnyEdgeComponent::EdgeCPUComponent(cpu) => &self.at(cpu).get().compute_per_unit.unit,
            AnyEdgeComponent::EdgeStorage(storage) => {
                &self.at(storage).get().storage_capacity_per_unit.unit
            }
            AnyEdgeComponent::EdgeComputerRAMComponent(_) => match self.computer() {
                Ok(computer) => &computer.ram.unit,
                Err(_) => return self.resource().unit().into(),
            },
            AnyEdgeComponent::EdgeComputerCPUComponent(_) => match self.computer() {
                Ok(computer) => &computer.compute.unit,
                Err(_) => return self.resource().unit().into(),
            },
            AnyEdgeComponent::EdgeWorkloadComponent(_)
            | AnyEdgeComponent::EdgeApplianceComponent(_) => {
                return self.resource().unit().into();
            }
        };
        Told::like(unit, self.resource().unit_of_inputs())
    }

    /// What it provides, which a formula divides by.
    fn capacity(self) -> Result<f64, Failure> {
        let capacity = self.sizing()?.capacity;
        if capacity != 0.0 {
            return Ok(capacity);
        }
        let units = match self.get() {
            AnyEdgeComponent::EdgeRAMComponent(ram) => &self.at(ram).get().nb_of_units,
            AnyEdgeComponent::EdgeCPUComponent(cpu) => &self.at(cpu).get().nb_of_units,
            AnyEdgeComponent::EdgeStorage(storage) => &self.at(storage).get().nb_of_units,
            AnyEdgeComponent::EdgeWorkloadComponent(part) => &self.at(part).get().nb_of_units,
            AnyEdgeComponent::EdgeComputerRAMComponent(ram) => &self.at(ram).get().nb_of_units,
            AnyEdgeComponent::EdgeComputerCPUComponent(cpu) => &self.at(cpu).get().nb_of_units,
            AnyEdgeComponent::EdgeApplianceComponent(part) => &self.at(part).get().nb_of_units,
        };
        self.divisor("nb_of_units", units.number())?;
        match self.get() {
            AnyEdgeComponent::EdgeRAMComponent(_) => self.divisor("ram_per_unit", capacity),
            AnyEdgeComponent::EdgeCPUComponent(_) => self.divisor("compute_per_unit", capacity),
            AnyEdgeComponent::EdgeComputerRAMComponent(_) => {
                self.owner::<EdgeComputer>()?.divisor("ram", capacity)
            }
            AnyEdgeComponent::EdgeComputerCPUComponent(_) => {
                self.owner::<EdgeComputer>()?.divisor("compute", capacity)
            }
            AnyEdgeComponent::EdgeStorage(_)
            | AnyEdgeComponent::EdgeWorkloadComponent(_)
            | AnyEdgeComponent::EdgeApplianceComponent(_) => {
                self.divisor("storage_capacity_per_unit", capacity)
            }
        }
    }

    /// In hours, as formulas divide by it.
    fn lifespan(self) -> Result<f64, Failure> {
        match self.get() {
            AnyEdgeComponent::EdgeComputerRAMComponent(_)
            | AnyEdgeComponent::EdgeComputerCPUComponent(_) => self
                .owner::<EdgeComputer>()?
                .of::<AnyEdgeDevice>()
                .lifespan(),
            AnyEdgeComponent::EdgeApplianceComponent(_) => self
                .owner::<EdgeAppliance>()?
                .of::<AnyEdgeDevice>()
                .lifespan(),
            _ => self.divisor("lifespan", self.sizing()?.lifespan),
        }
    }

    fn size(self, of: impl Fn(ComponentSize) -> f64) -> Result<f64, Failure> {
        self.sizing().map(of)
    }

    fn available(self) -> Result<f64, Failure> {
        let size = self.sizing()?;
        let available = size.capacity - size.base;
        if available < 0.0 {
            let attribute = match self.resource() {
                Resource::Cpu => "available_compute_per_instance",
                Resource::Ram | Resource::Workload | Resource::Storage => {
                    "available_ram_per_instance"
                }
            };
            let way_out = "lower its base consumption, or give it more";
            let (unit, asked) = (self.told(), (size.base, size.capacity));
            return Err(self.shortage(attribute, self.resource().in_words(), asked, unit, way_out));
        }
        Ok(available)
    }

    pub(crate) fn needs(self) -> impl Iterator<Item = At<'e, AnyEdgeComponentNeed>> {
        self.referrers()
    }

    /// The needs that a pattern has of it.
    pub(crate) fn needs_in(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Vec<At<'e, AnyEdgeComponentNeed>> {
        self.needs()
            .filter(|need| need.usage_patterns().contains(&pattern))
            .collect()
    }

    fn check_need(self, need: f64, available: f64) -> Result<(), Failure> {
        if need > available {
            let way_out = "give it more, or ask less of it";
            let unit = self.told();
            let attribute = match self.resource() {
                Resource::Storage => "cumulative_unitary_storage_need_per_usage_pattern",
                _ => "unitary_power_per_usage_pattern",
            };
            return Err(self.shortage(
                attribute,
                self.resource().in_words(),
                (need, available),
                unit,
                way_out,
            ));
        }
        Ok(())
    }
}
