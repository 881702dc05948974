//! Needs of components, whatever their class.

use std::sync::Arc;

use crate::classes::declare::{attributes, family};
use crate::classes::{
    AnyEdgeComponent, AnyEdgeDeviceNeed, EdgeUsagePattern, Path, RecurrentEdgeComponentNeed,
    RecurrentEdgeProcessCPUNeed, RecurrentEdgeProcessRAMNeed, RecurrentEdgeProcessStorageNeed,
    RecurrentEdgeStorageNeed, RecurrentEdgeWorkloadNeed, Resource, hour_of_week, patterns_of,
};
use crate::engine::{At, Entries, Failure, Measured, ProblemKind, Week};
use crate::series::{Hours, sum};
use crate::units::Unit;
use crate::units::measure::{CONCURRENT, NUMBER, known};
use crate::values::{HOURS_OF_WEEK, Weekly};

family! {
    /// A need of a component, of any class.
    AnyEdgeComponentNeed {
        RecurrentEdgeComponentNeed, RecurrentEdgeStorageNeed, RecurrentEdgeProcessRAMNeed,
        RecurrentEdgeProcessCPUNeed, RecurrentEdgeProcessStorageNeed, RecurrentEdgeWorkloadNeed,
    }
}

attributes! {
    /// Of needs that take their week from a process or a workload.
    OWN_WEEK of AnyEdgeComponentNeed {
        "E4.3" recurrent_need [CONCURRENT]
            = "that of the process or workload" => |need| Measured(need.own_week(), need.resource().unit());
    }
}

attributes! {
    /// Of needs of any component.
    COMPONENT_NEED of AnyEdgeComponentNeed {
        guard "E4.3" recurrent_need_validation [CONCURRENT]
            = "the need, which is of what the component provides" =>
            |need| Measured(need.checked_week(), need.resource().unit());
        "E4.3" unitary_hourly_need_per_usage_pattern [CONCURRENT]
            = "for each pattern, the weekly need on the clocks of its country, as often as the pattern has it" =>
            |need| Entries(need.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), Measured(need.unitary_hourly_need(pattern), need.resource().unit()))
            }));
        "E4.3" total_hourly_need_across_usage_patterns [CONCURRENT]
            = "sum over patterns of the need of one device (of storages, so far) × deployments in use" =>
            |need| Measured(need.total(), match need.resource() {
                Resource::Workload => NUMBER,
                resource => resource.unit(),
            });
    }
}

attributes! {
    /// Of needs of storages.
    STORAGE_NEED of AnyEdgeComponentNeed {
        "E4.3" cumulative_unitary_storage_need_per_usage_pattern [CONCURRENT]
            = "for each pattern, what one device wrote so far" =>
            |need| Entries(need.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), Measured(need.cumulative_unitary_need(pattern), need.resource().unit()))
            }));
    }
}

impl<'e> At<'e, AnyEdgeComponentNeed> {
    pub(crate) fn component(self) -> At<'e, AnyEdgeComponent> {
        match self.get() {
            AnyEdgeComponentNeed::RecurrentEdgeComponentNeed(need) => {
                self.at(self.at(need).get().edge_component)
            }
            AnyEdgeComponentNeed::RecurrentEdgeStorageNeed(need) => {
                self.at(self.at(need).get().edge_component).of()
            }
            AnyEdgeComponentNeed::RecurrentEdgeProcessRAMNeed(need) => {
                self.at(self.at(need).get().edge_component).of()
            }
            AnyEdgeComponentNeed::RecurrentEdgeProcessCPUNeed(need) => {
                self.at(self.at(need).get().edge_component).of()
            }
            AnyEdgeComponentNeed::RecurrentEdgeProcessStorageNeed(need) => {
                self.at(self.at(need).get().edge_component).of()
            }
            AnyEdgeComponentNeed::RecurrentEdgeWorkloadNeed(need) => {
                self.at(self.at(need).get().edge_component).of()
            }
        }
    }

    pub(crate) fn resource(self) -> Resource {
        self.component().resource()
    }

    /// The need by the hour of the week, as it is written, and its unit.
    fn week(self) -> (&'e [f32; HOURS_OF_WEEK], Unit) {
        fn week<Q>(week: &Weekly<Q>) -> (&[f32; HOURS_OF_WEEK], Unit) {
            (&week.values, week.unit.clone())
        }
        match self.get() {
            AnyEdgeComponentNeed::RecurrentEdgeComponentNeed(need) => {
                return week(&self.at(need).get().recurrent_need);
            }
            AnyEdgeComponentNeed::RecurrentEdgeStorageNeed(need) => {
                return week(&self.at(need).get().recurrent_need);
            }
            AnyEdgeComponentNeed::RecurrentEdgeProcessRAMNeed(_)
            | AnyEdgeComponentNeed::RecurrentEdgeProcessCPUNeed(_)
            | AnyEdgeComponentNeed::RecurrentEdgeProcessStorageNeed(_)
            | AnyEdgeComponentNeed::RecurrentEdgeWorkloadNeed(_) => {}
        }
        let owner = self.referrers::<AnyEdgeDeviceNeed>().map(At::get).next();
        match (owner, self.resource()) {
            (Some(AnyEdgeDeviceNeed::RecurrentEdgeProcess(process)), resource) => {
                let process = self.at(process).get();
                match resource {
                    Resource::Ram => week(&process.recurrent_ram_needed),
                    Resource::Storage => week(&process.recurrent_storage_needed),
                    Resource::Cpu | Resource::Workload => week(&process.recurrent_compute_needed),
                }
            }
            (Some(AnyEdgeDeviceNeed::RecurrentEdgeWorkload(workload)), _) => {
                week(&self.at(workload).get().recurrent_workload)
            }
            (None | Some(AnyEdgeDeviceNeed::RecurrentEdgeDeviceNeed(_)), resource) => {
                (&[0.0; HOURS_OF_WEEK], known(resource.unit_of_inputs()))
            }
        }
    }

    /// The need by the hour of the week, in our unit.
    fn own_week(self) -> Week {
        let (week, unit) = self.week();
        let factor = unit
            .factor_to(&known(self.resource().unit_of_inputs()))
            .unwrap_or(1.0) as f32;
        Box::new(week.map(|value| value * factor))
    }

    fn checked_week(self) -> Result<Week, Failure> {
        let week = self.own_week();
        if self.resource() == Resource::Workload
            && week.iter().any(|load| !(0.0..=1.0).contains(load))
        {
            let detail = "has hours with a load outside of 0 to 1; keep it within.";
            let attribute = "recurrent_need_validation";
            return Err(self
                .problem(ProblemKind::WorkloadOutOfBounds, attribute, detail)
                .into());
        }
        Ok(week)
    }

    /// The ways up to all patterns, with the device need that each goes through.
    pub(crate) fn paths(self) -> impl Iterator<Item = (At<'e, AnyEdgeDeviceNeed>, Path<'e>)> {
        self.referrers::<AnyEdgeDeviceNeed>().flat_map(move |need| {
            let listed = need.component_needs();
            let times = listed.iter().filter(|listed| **listed == self).count() as f64;
            need.paths().map(move |path| {
                (
                    need,
                    Path {
                        times: path.times * times,
                        ..path
                    },
                )
            })
        })
    }

    pub(crate) fn usage_patterns(self) -> Vec<At<'e, EdgeUsagePattern>> {
        patterns_of(self.paths().map(|(_, path)| path))
    }

    /// How often the pattern has this need.
    pub(crate) fn times(self, pattern: At<'e, EdgeUsagePattern>) -> f64 {
        let paths = self.paths().filter(|(_, path)| path.pattern == pattern);
        paths.map(|(_, path)| path.times).sum()
    }

    /// What one device needs.
    pub(crate) fn unitary_hourly_need(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("unitary_hourly_need", pattern.index(), || {
            let country = self.at(pattern.get().country);
            let need = country
                .weeks(&self.own_week(), &*pattern.deployments()?)
                .times(self.times(pattern));
            if self.resource() != Resource::Storage {
                return Ok(Some(need));
            }
            // A week counts from its beginning.
            let begun = hour_of_week(need.start);
            let rest = (HOURS_OF_WEEK - begun) % HOURS_OF_WEEK;
            Ok(Some(need.without_first(rest)))
        })
    }

    /// What one device wrote so far.
    pub(crate) fn cumulative_unitary_need(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("cumulative_unitary_storage_need", pattern.index(), || {
            Ok(self
                .unitary_hourly_need(pattern)?
                .map(|need| need.cumulative()))
        })
    }

    /// What one device needs, of a storage so far.
    pub(crate) fn level(self, pattern: At<'e, EdgeUsagePattern>) -> Result<Hours, Failure> {
        match self.resource() {
            Resource::Storage => self.cumulative_unitary_need(pattern),
            Resource::Ram | Resource::Cpu | Resource::Workload => self.unitary_hourly_need(pattern),
        }
    }

    fn total(self) -> Result<Hours, Failure> {
        sum(self.usage_patterns().into_iter().map(|pattern| {
            let (Some(need), devices) = (self.level(pattern)?, pattern.deployments()?) else {
                return Ok(None);
            };
            Ok(Some(Arc::new(
                need.with(&devices, |need, devices| need * devices)?,
            )))
        }))
    }
}
