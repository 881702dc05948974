//! What devices in the field are made of.

use std::sync::Arc;

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class, family};
use super::edge_usage::{UsedInPatterns, patterns_of};
use super::{
    AnyEdgeComponentNeed, AnyEdgeDevice, AnyUsagePattern, EdgeAppliance, EdgeComputer,
    EdgeUsagePattern,
};
use crate::engine::{At, Failure, ProblemKind};
use crate::objects::{Change, Target};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{
    CONCURRENT, CORES, GB_RAM, HOUR, KG, KWH, Measure, NUMBER, TB_STORED, WATT,
};
use crate::values::{CpuCores, Mass, MassPerStored, Power, Ram, Ratio, Scalar, Stored, Time};

class! {
    /// Memory.
    EdgeRAMComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
        ram_per_unit: Scalar<Ram>,
        base_ram_consumption: Scalar<Ram>,
    }
}

class! {
    /// A processor.
    EdgeCPUComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
        compute_per_unit: Scalar<CpuCores>,
        base_compute_consumption: Scalar<CpuCores>,
    }
}

class! {
    /// Anything whose power follows a load between 0 and 1.
    EdgeWorkloadComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
    }
}

class! {
    /// Storage. It draws no power.
    EdgeStorage {
        carbon_footprint_manufacturing_per_unit: Option<Scalar<Mass>> = None,
        power_per_unit: Option<Scalar<Power>> = None,
        lifespan: Scalar<Time>,
        idle_power_per_unit: Option<Scalar<Power>> = None,
        nb_of_units: Scalar<Ratio>,
        carbon_footprint_manufacturing_per_storage_capacity: Scalar<MassPerStored>,
        storage_capacity_per_unit: Scalar<Stored>,
        base_storage_need: Scalar<Stored>,
    }
}

class! {
    /// The memory of an edge computer, which has the rest of its attributes.
    EdgeComputerRAMComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        power_per_unit: Scalar<Power>,
        idle_power_per_unit: Scalar<Power>,
        nb_of_units: Scalar<Ratio>,
    }
}

class! {
    /// The processor of an edge computer, which has the rest of its attributes.
    EdgeComputerCPUComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        nb_of_units: Scalar<Ratio>,
    }
}

class! {
    /// What an appliance consists of. The appliance has the rest of its attributes.
    EdgeApplianceComponent {
        carbon_footprint_manufacturing_per_unit: Scalar<Mass>,
        nb_of_units: Scalar<Ratio>,
    }
}

family! {
    /// A component of any class.
    AnyEdgeComponent {
        EdgeRAMComponent, EdgeCPUComponent, EdgeWorkloadComponent, EdgeStorage,
        EdgeComputerRAMComponent, EdgeComputerCPUComponent, EdgeApplianceComponent,
    }
}

impl Answers for EdgeRAMComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[RAM_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeCPUComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[CPU_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeWorkloadComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[WORKLOAD_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeStorage {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[EDGE_STORAGE, COMPONENT];
}

impl Answers for EdgeComputerRAMComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[COMPUTER_RAM, RAM_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeComputerCPUComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[COMPUTER_CPU, CPU_COMPONENT, POWERED, COMPONENT];
}

impl Answers for EdgeApplianceComponent {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[APPLIANCE_COMPONENT, WORKLOAD_COMPONENT, POWERED, COMPONENT];
}

/// What a component provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    Ram,
    Cpu,
    Workload,
    Storage,
}

impl Resource {
    /// Our unit of it.
    pub(crate) fn unit(self) -> Measure {
        match self {
            Self::Ram => GB_RAM,
            Self::Cpu => CORES,
            Self::Workload => CONCURRENT,
            Self::Storage => TB_STORED,
        }
    }

    /// The same unit, as inputs name it.
    pub(crate) fn unit_of_inputs(self) -> &'static str {
        match self {
            Self::Ram => "gigabyte_ram",
            Self::Cpu => "cpu_core",
            Self::Workload => "concurrent",
            Self::Storage => "terabyte_stored",
        }
    }

    fn in_words(self) -> &'static str {
        match self {
            Self::Ram => "available RAM",
            Self::Cpu => "available compute",
            Self::Workload => "workload",
            Self::Storage => "storage capacity",
        }
    }
}

/// What a component has, all its units together.
struct Sizing {
    /// In kg.
    manufacturing: f64,
    /// In watts.
    power: f64,
    /// In watts.
    idle_power: f64,
    /// In hours.
    lifespan: f64,
    /// In our unit of what it provides.
    capacity: f64,
    /// What it takes of that for itself.
    base: f64,
}

attributes! {
    COMPUTER_RAM of AnyEdgeComponent {
        "E4.7" ram_per_unit [GB_RAM]
            = "that of the computer" => |component| component.computer().map(|computer| computer.ram.gb());
        "E4.7" base_ram_consumption [GB_RAM]
            = "that of the computer" => |component| component.size(|size| size.base);
        "E4.7" lifespan [HOUR]
            = "that of the computer" => |component| component.size(|size| size.lifespan);
    }
}

attributes! {
    COMPUTER_CPU of AnyEdgeComponent {
        "E4.7" compute_per_unit [CORES]
            = "that of the computer" => |component| component.computer().map(|computer| computer.compute.cores());
        "E4.7" base_compute_consumption [CORES]
            = "that of the computer" => |component| component.size(|size| size.base);
        "E4.7" power_per_unit [WATT]
            = "that of the computer" => |component| component.computer().map(|computer| computer.power.watts());
        "E4.7" idle_power_per_unit [WATT]
            = "that of the computer" => |component| component.computer().map(|computer| computer.idle_power.watts());
        "E4.7" lifespan [HOUR]
            = "that of the computer" => |component| component.size(|size| size.lifespan);
    }
}

attributes! {
    APPLIANCE_COMPONENT of AnyEdgeComponent {
        "E4.8" power_per_unit [WATT]
            = "that of the appliance" => |component| component.appliance().map(|appliance| appliance.power.watts());
        "E4.8" idle_power_per_unit [WATT]
            = "that of the appliance" => |component| component.appliance().map(|appliance| appliance.idle_power.watts());
        "E4.8" lifespan [HOUR]
            = "that of the appliance" => |component| component.size(|size| size.lifespan);
    }
}

attributes! {
    RAM_COMPONENT of AnyEdgeComponent {
        "E4.4" ram [GB_RAM]
            = "RAM of a unit × number of units" => |component| component.size(|size| size.capacity);
        guard "E4.4" available_ram_per_instance [GB_RAM]
            = "RAM − base RAM consumption" => |component| component.available();
        "E4.4" unitary_hourly_ram_need_per_usage_pattern [GB_RAM]
            = "for each pattern, what one device needs of it" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
    }
}

attributes! {
    CPU_COMPONENT of AnyEdgeComponent {
        "E4.4" compute [CORES]
            = "compute of a unit × number of units" => |component| component.size(|size| size.capacity);
        guard "E4.4" available_compute_per_instance [CORES]
            = "compute − base compute consumption" => |component| component.available();
        "E4.4" unitary_hourly_compute_need_per_usage_pattern [CORES]
            = "for each pattern, what one device needs of it" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
    }
}

attributes! {
    WORKLOAD_COMPONENT of AnyEdgeComponent {
        "E4.4" unitary_hourly_workload_per_usage_pattern [CONCURRENT]
            = "for each pattern, what one device needs of it" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
    }
}

attributes! {
    EDGE_STORAGE of AnyEdgeComponent {
        "E4.5" storage_capacity [TB_STORED]
            = "capacity of a unit × number of units" => |component| component.size(|size| size.capacity);
        "E4.5" cumulative_unitary_storage_need_per_usage_pattern [TB_STORED]
            = "for each pattern, what one device wrote so far + base storage need" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::need);
        only "E10" storage_capacity_validation [NUMBER]
            = "what is stored is never less than nothing nor more than the capacity" =>
            |component| component.check_levels();
    }
}

attributes! {
    POWERED of AnyEdgeComponent {
        "E4.4" power [WATT]
            = "power of a unit × number of units" => |component| component.size(|size| size.power);
        "E4.4" idle_power [WATT]
            = "idle power of a unit × number of units" => |component| component.size(|size| size.idle_power);
    }
}

attributes! {
    /// Of every component.
    COMPONENT of AnyEdgeComponent {
        "E4.4" carbon_footprint_manufacturing [KG]

            = "manufacturing footprint of a unit × number of units" =>
            |component| component.size(|size| size.manufacturing);
        guard "E4.4" unitary_power_per_usage_pattern [WATT]
            = "idle power + (power − idle power) × load" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::unitary_power);
        "E4.4" manufacturing_footprint_per_edge_device_per_usage_pattern [KG]
            = "deployments in use × manufacturing footprint × 1 hour ÷ lifespan" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::manufacturing_footprint);
        "E4.4" energy_per_edge_device_per_usage_pattern [KWH]
            = "deployments in use × power × 1 hour" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::energy);
        "E4.4" use_footprint_per_edge_device_per_usage_pattern [KG]
            = "energy × carbon intensity of the country" =>
            |component| component.per_pattern(At::<AnyEdgeComponent>::use_footprint);
        "E4.4" manufacturing_footprint_per_edge_device [KG] = "sum over patterns" =>
            |component| component.over_patterns(At::<AnyEdgeComponent>::manufacturing_footprint);
        "E4.4" energy_per_edge_device [KWH] = "sum over patterns" =>
            |component| component.over_patterns(At::<AnyEdgeComponent>::energy);
        "E4.4" use_footprint_per_edge_device [KG] = "sum over patterns" =>
            |component| component.over_patterns(At::<AnyEdgeComponent>::use_footprint);
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
        let mut devices = self.referrers::<AnyEdgeDevice>();
        let device = devices.next();
        if let (Some(one), Some(other)) = (device, devices.next()) {
            let detail = format!(
                "is a part of the devices “{}” and “{}”; give each its own.",
                one.name(),
                other.name()
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
        self.referrers::<T>().next().ok_or_else(|| {
            let detail = "is a part of no device, which it takes its inputs from; list it in one.";
            self.problem(ProblemKind::WrongLink, "edge_device", detail)
                .into()
        })
    }

    fn computer(self) -> Result<&'e EdgeComputer, Failure> {
        self.owner::<EdgeComputer>().map(At::get)
    }

    fn appliance(self) -> Result<&'e EdgeAppliance, Failure> {
        self.owner::<EdgeAppliance>().map(At::get)
    }

    fn sizing(self) -> Result<Sizing, Failure> {
        /// Of the classes whose attributes are their own.
        macro_rules! own {
            ($component:expr, $capacity:expr, $base:expr) => {{
                let component = $component;
                let units = component.nb_of_units.number();
                Sizing {
                    manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
                    power: component.power_per_unit.watts() * units,
                    idle_power: component.idle_power_per_unit.watts() * units,
                    lifespan: component.lifespan.hours(),
                    capacity: $capacity * units,
                    base: $base,
                }
            }};
        }
        Ok(match self.get() {
            AnyEdgeComponent::EdgeRAMComponent(component) => {
                let component = self.at(component).get();
                own!(
                    component,
                    component.ram_per_unit.gb(),
                    component.base_ram_consumption.gb()
                )
            }
            AnyEdgeComponent::EdgeCPUComponent(component) => {
                let component = self.at(component).get();
                own!(
                    component,
                    component.compute_per_unit.cores(),
                    component.base_compute_consumption.cores()
                )
            }
            AnyEdgeComponent::EdgeWorkloadComponent(component) => {
                let size = own!(self.at(component).get(), 1.0, 0.0);
                Sizing {
                    capacity: 1.0,
                    ..size
                }
            }
            AnyEdgeComponent::EdgeStorage(component) => {
                let storage = self.at(component).get();
                let capacity =
                    storage.storage_capacity_per_unit.tb() * storage.nb_of_units.number();
                Sizing {
                    manufacturing: capacity
                        * storage
                            .carbon_footprint_manufacturing_per_storage_capacity
                            .kg_per_tb(),
                    power: 0.0,
                    idle_power: 0.0,
                    lifespan: storage.lifespan.hours(),
                    capacity,
                    base: storage.base_storage_need.tb(),
                }
            }
            AnyEdgeComponent::EdgeComputerRAMComponent(component) => {
                let component = self.at(component).get();
                let computer = self.computer()?;
                let units = component.nb_of_units.number();
                Sizing {
                    manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
                    power: component.power_per_unit.watts() * units,
                    idle_power: component.idle_power_per_unit.watts() * units,
                    lifespan: computer.lifespan.hours(),
                    capacity: computer.ram.gb() * units,
                    base: computer.base_ram_consumption.gb(),
                }
            }
            AnyEdgeComponent::EdgeComputerCPUComponent(component) => {
                let component = self.at(component).get();
                let computer = self.computer()?;
                let units = component.nb_of_units.number();
                Sizing {
                    manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
                    power: computer.power.watts() * units,
                    idle_power: computer.idle_power.watts() * units,
                    lifespan: computer.lifespan.hours(),
                    capacity: computer.compute.cores() * units,
                    base: computer.base_compute_consumption.cores(),
                }
            }
            AnyEdgeComponent::EdgeApplianceComponent(component) => {
                let component = self.at(component).get();
                let appliance = self.appliance()?;
                let units = component.nb_of_units.number();
                Sizing {
                    manufacturing: component.carbon_footprint_manufacturing_per_unit.kg() * units,
                    power: appliance.power.watts() * units,
                    idle_power: appliance.idle_power.watts() * units,
                    lifespan: appliance.lifespan.hours(),
                    capacity: 1.0,
                    base: 0.0,
                }
            }
        })
    }

    fn size(self, of: impl Fn(Sizing) -> f64) -> Result<f64, Failure> {
        self.sizing().map(of)
    }

    fn available(self) -> Result<f64, Failure> {
        let size = self.sizing()?;
        let available = size.capacity - size.base;
        if available < 0.0 {
            let (attribute, way_out) = (
                "base_consumption",
                "lower its base consumption, or give it more",
            );
            let (unit, asked) = (self.resource().unit(), (size.base, size.capacity));
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

    /// What one device needs of it; of a storage so far, with what it holds from the start.
    fn need(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
        self.shared_for("need", pattern.index(), || {
            let need = sum(self
                .needs_in(pattern)
                .into_iter()
                .map(|need| need.level(pattern)))?;
            Ok(match self.resource() {
                Resource::Storage => {
                    let base = self.sizing()?.base as f32;
                    need.map(|need| need.map(|need| need + base).into())
                }
                Resource::Ram | Resource::Cpu | Resource::Workload => need,
            })
        })
    }

    fn check_levels(self) -> Result<(), Failure> {
        let capacity = self.sizing()?.capacity;
        for pattern in self.usage_patterns() {
            let Some(level) = self.need(pattern)? else {
                continue;
            };
            if level.min() < 0.0 {
                let detail = format!(
                    "has less than nothing in it in the pattern “{}”; write more to it, or delete less.",
                    pattern.name()
                );
                let attribute = "cumulative_unitary_storage_need_per_usage_pattern";
                return Err(self
                    .problem(ProblemKind::NegativeStorage, attribute, detail)
                    .into());
            }
            self.check_need(f64::from(level.max()), capacity)?;
        }
        Ok(())
    }

    fn check_need(self, need: f64, available: f64) -> Result<(), Failure> {
        if need > available {
            let way_out = "give it more, or ask less of it";
            let unit = self.resource().unit();
            return Err(self.shortage(
                "unitary_power_per_usage_pattern",
                self.resource().in_words(),
                (need, available),
                unit,
                way_out,
            ));
        }
        Ok(())
    }

    /// What one device draws for it. A storage draws nothing.
    fn unitary_power(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
        if self.resource() == Resource::Storage {
            return Ok(None);
        }
        self.shared_for("unitary_power", pattern.index(), || {
            let Some(need) = self.need(pattern)? else {
                return Ok(None);
            };
            let size = self.sizing()?;
            if self.resource() == Resource::Workload {
                if need.min() < 0.0 || need.max() > 1.0 {
                    let detail = format!(
                        "has a load outside of 0 to 1 in the pattern “{}”, {} at most; ask less of it.",
                        pattern.name(),
                        need.max()
                    );
                    let attribute = "unitary_power_per_usage_pattern";
                    return Err(self.problem(ProblemKind::WorkloadOutOfBounds, attribute, detail).into());
                }
            } else {
                self.check_need(f64::from(need.max()), self.available()?)?;
            }
            let capacity = self.divisor("capacity", size.capacity)? as f32;
            let (idle, more) = (size.idle_power as f32, (size.power - size.idle_power) as f32);
            let base = size.base as f32;
            Ok(Some(need.map(|need| idle + more * (need + base) / capacity)))
        })
    }

    /// What one device draws for it without any need beside what it takes itself, in watts.
    pub(crate) fn standing_power(self) -> Result<f64, Failure> {
        let size = self.sizing()?;
        let capacity = self.divisor("capacity", size.capacity)?;
        Ok(match self.resource() {
            Resource::Storage => 0.0,
            Resource::Ram | Resource::Cpu | Resource::Workload => {
                size.idle_power + (size.power - size.idle_power) * size.base / capacity
            }
        })
    }

    /// Of one of each device in use, needed or not. None if making it took nothing.
    pub(crate) fn unused_footprint(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        if self.sizing()?.manufacturing == 0.0 {
            return Ok(None);
        }
        self.manufacturing_footprint(pattern)
    }

    pub(crate) fn manufacturing_footprint(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("manufacturing_footprint", pattern.index(), || {
            let size = self.sizing()?;
            let hourly = size.manufacturing / self.divisor("lifespan", size.lifespan)?;
            Ok(Some(pattern.deployments()?.times(hourly)))
        })
    }

    pub(crate) fn energy(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Option<Series>, Failure> {
        let Some(power) = self.unitary_power(pattern)? else {
            return Ok(None);
        };
        let devices = pattern.deployments()?;
        Ok(Some(
            devices.with(&power, |devices, power| devices * power * 1e-3)?,
        ))
    }

    pub(crate) fn use_footprint(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
        self.shared_for("use_footprint", pattern.index(), || {
            let carbon_intensity = pattern.of::<AnyUsagePattern>().carbon_intensity();
            Ok(self
                .energy(pattern)?
                .map(|energy| Arc::new(energy).scaled(carbon_intensity)))
        })
    }
}
