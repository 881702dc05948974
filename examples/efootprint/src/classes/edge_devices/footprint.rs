//! What devices in the field cause.

use crate::classes::declare::attributes;
use crate::classes::{AnyEdgeComponent, AnyEdgeDevice, EdgeUsagePattern, UsedInPatterns};
use crate::engine::{At, Entries, Failure};
use crate::series::{Hours, sum};
use crate::units::measure::{HOUR, KG, KWH, NUMBER};

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

impl<'e> At<'e, AnyEdgeDevice> {
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
                .map(|pattern| pattern.adding(self.manufacturing_footprint_in(pattern))))
        })
    }

    pub(crate) fn use_footprint(self) -> Result<Hours, Failure> {
        self.footprint("use_footprint", || {
            sum(self
                .usage_patterns()
                .into_iter()
                .map(|pattern| pattern.adding(self.use_footprint_in(pattern))))
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
