//! Devices in the field.

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class, family};
use super::edge_usage::{UsedInPatterns, patterns_of};
use super::{
    AnyEdgeComponent, AnyEdgeDeviceNeed, EdgeApplianceComponent, EdgeComputerCPUComponent,
    EdgeComputerRAMComponent, EdgeDeviceGroup, EdgeStorage, EdgeUsagePattern, RecurrentServerNeed,
};
use crate::engine::{At, Entries, Failure, ProblemKind};
use crate::objects::{Change, List, Ref};
use crate::series::{Hours, sum};
use crate::units::measure::{HOUR, KG, KWH, NUMBER};
use crate::values::{CpuCores, Mass, Power, Ram, Scalar, Time};

class! {
    /// A device made of any components.
    EdgeDevice {
        lifespan: Scalar<Time>,
        structure_carbon_footprint_manufacturing: Scalar<Mass>,
        components: List<AnyEdgeComponent>,
    }
}

class! {
    /// A device made of processor, memory and storage.
    EdgeComputer {
        lifespan: Scalar<Time>,
        components: List<EdgeComputerComponent>,
        storage: Ref<EdgeStorage>,
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        idle_power: Scalar<Power>,
        ram: Scalar<Ram>,
        compute: Scalar<CpuCores>,
        base_ram_consumption: Scalar<Ram>,
        base_compute_consumption: Scalar<CpuCores>,
    }
}

family! {
    /// A component of an edge computer.
    EdgeComputerComponent { EdgeComputerCPUComponent, EdgeComputerRAMComponent, EdgeStorage }
}

class! {
    /// A device that does one thing, more or less of it.
    EdgeAppliance {
        lifespan: Scalar<Time>,
        components: List<EdgeApplianceComponent>,
        carbon_footprint_manufacturing: Scalar<Mass>,
        power: Scalar<Power>,
        idle_power: Scalar<Power>,
    }
}

family! {
    /// A device of any class.
    AnyEdgeDevice { EdgeDevice, EdgeComputer, EdgeAppliance }
}

impl Answers for EdgeDevice {
    const CATEGORY: Option<Category> = Some(Category::EdgeDevices);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[EDGE_DEVICE];
}

impl Answers for EdgeComputer {
    const CATEGORY: Option<Category> = Some(Category::EdgeDevices);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[ONE_PIECE, EDGE_DEVICE];
}

impl Answers for EdgeAppliance {
    const CATEGORY: Option<Category> = Some(Category::EdgeDevices);
    const COLUMN: Option<Column> = None;
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[ONE_PIECE, EDGE_DEVICE];
}

attributes! {
    /// Of devices that are made as one piece.
    ONE_PIECE of AnyEdgeDevice {
        "E4.7" structure_carbon_footprint_manufacturing [KG]
            = "manufacturing footprint of the device" => |device| device.structure();
    }
}

attributes! {
    /// Of every device in the field.
    EDGE_DEVICE of AnyEdgeDevice {
        guard "E10" lifespan_validation [HOUR]
            = "the device lives as long as it is used" => |device| device.check_lifespan();
        guard "E10" component_needs_edge_device_validation [NUMBER]
            = "needs of the device are of its own components" => |device| device.check_needs();
        "E4.9" total_nb_of_units [NUMBER]
            = "over the groups with this device: how many the group has × how many of the group there are; 1 without group" =>
            |device| device.number();
        "E4.6" structure_manufacturing_footprint_per_usage_pattern [KG]
            = "number of devices × deployments in use × structure footprint × 1 hour ÷ lifespan" =>
            |device| device.per_pattern(At::<AnyEdgeDevice>::structure_footprint);
        "E4.6" instances_manufacturing_footprint_per_usage_pattern [KG]
            = "structure + number of devices × components, needed or not" =>
            |device| device.per_pattern(At::<AnyEdgeDevice>::manufacturing_footprint_in);
        "E4.6" instances_energy_per_usage_pattern [KWH]
            = "number of devices × sum over needed components of energy" =>
            |device| device.per_pattern(At::<AnyEdgeDevice>::energy);
        "E4.6" use_footprint_per_usage_pattern [KG]
            = "number of devices × sum over needed components of use footprint" =>
            |device| device.per_pattern(At::<AnyEdgeDevice>::use_footprint_in);
        "E4.6" instances_manufacturing_footprint [KG]
            = "sum over patterns" => |device| device.manufacturing_footprint();
        "E4.6" instances_energy [KWH] = "sum over patterns" =>
            |device| device.over_patterns(At::<AnyEdgeDevice>::energy);
        "E4.6" use_footprint [KG] = "sum over patterns" => |device| device.use_footprint();
        "E4.6" manufacturing_footprint_breakdown_by_source [KG]
            = "for each component: number of devices × its footprint + its share of the structure" =>
            |device| Entries(device.components().into_iter().map(move |component| {
                (component.id(), device.manufacturing_footprint_by(component))
            }));
    }
}

impl<'e> UsedInPatterns<'e> for At<'e, AnyEdgeDevice> {
    /// The patterns of its needs, and of the server needs that name it.
    fn usage_patterns(self) -> Vec<At<'e, EdgeUsagePattern>> {
        let needs = self.needs().flat_map(At::<AnyEdgeDeviceNeed>::paths);
        let server_needs = self
            .server_needs()
            .flat_map(At::<RecurrentServerNeed>::paths);
        patterns_of(needs.chain(server_needs))
    }
}

impl<'e> At<'e, AnyEdgeDevice> {
    /// In the order of the file, as often as they are listed.
    pub(crate) fn components(self) -> Vec<At<'e, AnyEdgeComponent>> {
        match self.get() {
            AnyEdgeDevice::EdgeDevice(device) => {
                let components = self.at(device).get().components.iter();
                components.map(|component| self.at(*component)).collect()
            }
            AnyEdgeDevice::EdgeComputer(computer) => {
                let components = self.at(computer).get().components.iter();
                let components = components.map(|component| match self.at(*component).get() {
                    EdgeComputerComponent::EdgeComputerCPUComponent(cpu) => self.at(cpu).of(),
                    EdgeComputerComponent::EdgeComputerRAMComponent(ram) => self.at(ram).of(),
                    EdgeComputerComponent::EdgeStorage(storage) => self.at(storage).of(),
                });
                components.collect()
            }
            AnyEdgeDevice::EdgeAppliance(appliance) => {
                let components = self.at(appliance).get().components.iter();
                components
                    .map(|component| self.at(*component).of())
                    .collect()
            }
        }
    }

    /// In hours.
    fn lifespan(self) -> Result<f64, Failure> {
        let lifespan = match self.get() {
            AnyEdgeDevice::EdgeDevice(device) => &self.at(device).get().lifespan,
            AnyEdgeDevice::EdgeComputer(computer) => &self.at(computer).get().lifespan,
            AnyEdgeDevice::EdgeAppliance(appliance) => &self.at(appliance).get().lifespan,
        };
        self.divisor("lifespan", lifespan.hours())
    }

    /// What it took to make it, less its components, in kg.
    fn structure(self) -> f64 {
        match self.get() {
            AnyEdgeDevice::EdgeDevice(device) => self
                .at(device)
                .get()
                .structure_carbon_footprint_manufacturing
                .kg(),
            AnyEdgeDevice::EdgeComputer(computer) => {
                self.at(computer).get().carbon_footprint_manufacturing.kg()
            }
            AnyEdgeDevice::EdgeAppliance(appliance) => {
                self.at(appliance).get().carbon_footprint_manufacturing.kg()
            }
        }
    }

    /// How many there are for one deployment (E4.9).
    pub(crate) fn number(self) -> f64 {
        let mut groups = self.referrers::<EdgeDeviceGroup>().peekable();
        if groups.peek().is_none() {
            return 1.0;
        }
        let numbers = groups.map(|group| {
            let devices = group.get().edge_device_counts.iter();
            let counts = devices.filter(|(device, _)| self.at(*device) == self);
            counts.map(|(_, count)| count.number()).sum::<f64>() * group.number()
        });
        numbers.sum()
    }

    pub(crate) fn needs(self) -> impl Iterator<Item = At<'e, AnyEdgeDeviceNeed>> {
        self.referrers()
    }

    pub(crate) fn server_needs(self) -> impl Iterator<Item = At<'e, RecurrentServerNeed>> {
        self.referrers()
    }

    fn check_lifespan(self) -> Result<(), Failure> {
        let lifespan = self.lifespan()?;
        for pattern in self.usage_patterns() {
            let span = pattern.get().usage_span.hours();
            if span > lifespan {
                let way_out = format!(
                    "shorten the usage span of the pattern “{}”, or lengthen the lifespan",
                    pattern.name()
                );
                return Err(self.shortage(
                    "lifespan_validation",
                    "lifespan",
                    (span, lifespan),
                    HOUR,
                    &way_out,
                ));
            }
        }
        Ok(())
    }

    fn check_needs(self) -> Result<(), Failure> {
        let needs = self
            .needs()
            .flat_map(At::<AnyEdgeDeviceNeed>::component_needs);
        for need in needs {
            let component = need.component();
            if component.device()? != Some(self) {
                let detail = format!(
                    "has the need “{}” of the component “{}”, which is no part of it; name one of its own.",
                    need.name(),
                    component.name()
                );
                let attribute = "component_needs_edge_device_validation";
                return Err(self
                    .problem(ProblemKind::WrongLink, attribute, detail)
                    .into());
            }
        }
        Ok(())
    }

    pub(crate) fn structure_footprint(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("structure_footprint", pattern.index(), || {
            let hourly = self.structure() / self.lifespan()?;
            Ok(Some(pattern.deployments()?.times(self.number() * hourly)))
        })
    }

    fn manufacturing_footprint_in(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("manufacturing_footprint", pattern.index(), || {
            let number = self.number();
            let components = self.components().into_iter().map(|component| {
                let footprint = self.footprint_of(component, pattern)?;
                Ok(footprint.map(|footprint| footprint.scaled(number)))
            });
            sum([self.structure_footprint(pattern)]
                .into_iter()
                .chain(components))
        })
    }

    /// What it took to make a component of one device, needed or not.
    fn footprint_of(
        self,
        component: At<'e, AnyEdgeComponent>,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        if component.usage_patterns().contains(&pattern) {
            component.manufacturing_footprint(pattern)
        } else {
            component.unused_footprint(pattern)
        }
    }

    /// The components that a pattern needs.
    fn needed_in(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> impl Iterator<Item = At<'e, AnyEdgeComponent>> {
        let components = self.components().into_iter();
        components.filter(move |component| component.usage_patterns().contains(&pattern))
    }

    fn energy(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
        let energy = sum(self
            .needed_in(pattern)
            .map(|component| component.energy(pattern)))?;
        Ok(energy.map(|energy| energy.scaled(self.number())))
    }

    fn use_footprint_in(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
        self.shared_for("use_footprint", pattern.index(), || {
            let footprint = sum(self
                .needed_in(pattern)
                .map(|component| component.use_footprint(pattern)))?;
            Ok(footprint.map(|footprint| footprint.scaled(self.number())))
        })
    }

    pub(crate) fn manufacturing_footprint(self) -> Result<Hours, Failure> {
        self.footprint("instances_manufacturing_footprint", || {
            sum(self
                .usage_patterns()
                .into_iter()
                .map(|pattern| self.manufacturing_footprint_in(pattern)))
        })
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.footprint("use_footprint", || {
            sum(self
                .usage_patterns()
                .into_iter()
                .map(|pattern| self.use_footprint_in(pattern)))
        })
    }

    /// What a component's part of the manufacturing footprint is, with its share of the structure.
    pub(crate) fn manufacturing_footprint_by(
        self,
        component: At<'e, AnyEdgeComponent>,
    ) -> Result<Hours, Failure> {
        let (number, share) = (self.number(), 1.0 / self.components().len() as f64);
        let parts = self.usage_patterns().into_iter().flat_map(|pattern| {
            let own = self
                .footprint_of(component, pattern)
                .map(|own| own.map(|own| own.scaled(number)));
            let structure = self.structure_footprint(pattern);
            [
                own,
                structure.map(|structure| structure.map(|structure| structure.scaled(share))),
            ]
        });
        sum(parts)
    }

    /// What a component's part of the use footprint is.
    pub(crate) fn use_footprint_by(
        self,
        component: At<'e, AnyEdgeComponent>,
    ) -> Result<Hours, Failure> {
        let patterns = component.usage_patterns().into_iter();
        let footprint = sum(patterns.map(|pattern| component.use_footprint(pattern)))?;
        Ok(footprint.map(|footprint| footprint.scaled(self.number())))
    }
}
