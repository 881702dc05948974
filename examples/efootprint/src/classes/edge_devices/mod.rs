//! Devices in the field.

mod appliance;
mod computer;
mod edge_device;
mod footprint;

pub use self::appliance::*;
pub use self::computer::*;
pub use self::edge_device::*;
pub(in crate::classes) use self::footprint::{EDGE_DEVICE, ONE_PIECE};
use crate::classes::declare::family;
use crate::classes::{
    AnyEdgeComponent, AnyEdgeDeviceNeed, EdgeDeviceGroup, EdgeUsagePattern, RecurrentServerNeed,
    UsedInPatterns, patterns_of,
};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::shown;
use crate::units::measure::Told;
use crate::values::{Scalar, Time};

family! {
    /// A device of any class.
    AnyEdgeDevice { EdgeDevice, EdgeComputer, EdgeAppliance }
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

    fn lifespan_input(self) -> &'e Scalar<Time> {
        match self.get() {
            AnyEdgeDevice::EdgeDevice(device) => &self.at(device).get().lifespan,
            AnyEdgeDevice::EdgeComputer(computer) => &self.at(computer).get().lifespan,
            AnyEdgeDevice::EdgeAppliance(appliance) => &self.at(appliance).get().lifespan,
        }
    }

    /// In hours.
    pub(crate) fn lifespan(self) -> Result<f64, Failure> {
        self.divisor("lifespan", self.lifespan_input().hours())
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
                    shown(pattern.name())
                );
                return Err(self.shortage(
                    "lifespan_validation",
                    "lifespan",
                    (span, lifespan),
                    Told::like(&self.lifespan_input().unit, "hour"),
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
                    shown(need.name()),
                    shown(component.name())
                );
                let attribute = "component_needs_edge_device_validation";
                return Err(self
                    .problem(ProblemKind::WrongLink, attribute, detail)
                    .into());
            }
        }
        Ok(())
    }
}
