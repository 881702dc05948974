//! What components need, draw and cause.

use std::sync::Arc;

use crate::classes::declare::attributes;
use crate::classes::{
    AnyEdgeComponent, AnyUsagePattern, EdgeUsagePattern, Resource, UsedInPatterns,
};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::shown;
use crate::series::{Hours, Series, sum};
use crate::units::measure::{KG, KWH, WATT};

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

impl<'e> At<'e, AnyEdgeComponent> {
    /// What one device needs of it; of a storage so far, with what it holds from the start.
    pub(super) fn need(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
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
                        shown(pattern.name()),
                        need.max()
                    );
                    let attribute = "unitary_power_per_usage_pattern";
                    return Err(self.problem(ProblemKind::WorkloadOutOfBounds, attribute, detail).into());
                }
            } else {
                self.check_need(f64::from(need.max()), self.available()?)?;
            }
            let capacity = self.capacity()? as f32;
            let (idle, more) = (size.idle_power as f32, (size.power - size.idle_power) as f32);
            let base = size.base as f32;
            Ok(Some(need.map(|need| idle + more * (need + base) / capacity)))
        })
    }

    /// What one device draws for it without any need beside what it takes itself, in watts.
    pub(crate) fn standing_power(self) -> Result<f64, Failure> {
        let size = self.sizing()?;
        let capacity = self.capacity()?;
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
            let hourly = size.manufacturing / self.lifespan()?;
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
