//! What a file describes, and its footprint.

use std::collections::{BTreeMap, HashSet};

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use super::emitter::Emitter;
use super::{AnyEdgeDeviceNeed, AnyUsagePattern, EdgeUsagePattern, Phase, UsagePattern};
use crate::engine::{At, Failure, ProblemKind};
use crate::error::{quoted, shown};
use crate::objects::List;
use crate::series::{Hours, sum};
use crate::units::measure::KG;

class! {
    /// What a file describes. Patterns listed twice count once.
    System {
        usage_patterns: List<UsagePattern>,
        edge_usage_patterns: List<EdgeUsagePattern>,
    }
}

impl Answers for System {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[SYSTEM];
}

attributes! {
    SYSTEM of System {
        only "4.12" objects_validation [KG]
            = "no object is part of another system too" => |system| system.check_objects();
        "4.12" total_footprint [KG]
            = "sum over the objects of the system of manufacturing and use footprint" =>
            |system| system.total_footprint();
    }
}

impl<'e> At<'e, System> {
    fn patterns(self) -> impl Iterator<Item = At<'e, AnyUsagePattern>> {
        let system = self.get();
        let web = system
            .usage_patterns
            .iter()
            .map(move |pattern| self.at(*pattern).of());
        web.chain(
            system
                .edge_usage_patterns
                .iter()
                .map(move |pattern| self.at(*pattern).of()),
        )
    }

    /// What of the system has a footprint, each object once.
    pub(crate) fn emitters(self) -> Vec<Emitter<'e>> {
        let mut emitters = BTreeMap::new();
        let mut add = |emitter: Emitter<'e>| {
            emitters.insert((emitter.category(), emitter.index()), emitter);
        };
        let mut jobs = Vec::new();
        for pattern in self.patterns() {
            add(Emitter::Network(pattern.network()));
            match pattern.get() {
                AnyUsagePattern::UsagePattern(pattern) => {
                    let pattern = self.at(pattern);
                    let devices = &pattern.get().devices;
                    devices
                        .iter()
                        .for_each(|device| add(Emitter::Device(self.at(*device))));
                    jobs.extend(pattern.jobs());
                }
                AnyUsagePattern::EdgeUsagePattern(pattern) => {
                    let pattern = self.at(pattern);
                    let needs = pattern
                        .functions()
                        .flat_map(|function| function.get().recurrent_edge_device_needs.iter());
                    needs.for_each(|need| {
                        let need: At<'e, AnyEdgeDeviceNeed> = self.at(*need);
                        add(Emitter::EdgeDevice(need.edge_device()));
                    });
                    jobs.extend(pattern.jobs());
                }
            }
        }
        jobs.sort_unstable_by_key(|job| job.index());
        jobs.dedup();
        for job in jobs {
            if let Some(server) = job.server() {
                add(Emitter::Server(server));
                add(Emitter::Storage(server.storage()));
            }
            if let Some(api) = job.api() {
                add(Emitter::Api(api));
            }
        }
        emitters.into_values().collect()
    }

    /// Whether its objects are its own.
    pub(crate) fn check_objects(self) -> Result<(), Failure> {
        for other in self.all::<System>().filter(|other| *other != self) {
            self.check_cancelled()?;
            let listed: HashSet<_> = other.patterns().map(At::index).collect();
            if let Some(pattern) = self.patterns().find(|own| listed.contains(&own.index())) {
                let detail = format!(
                    "has the pattern “{}” in common with the system “{}”; give each its own.",
                    shown(pattern.name()),
                    shown(other.name())
                );
                return Err(self
                    .problem(ProblemKind::WrongLink, "total_footprint", detail)
                    .into());
            }
            let places: HashSet<_> = other
                .emitters()
                .iter()
                .map(|emitter| emitter.index())
                .collect();
            let mut own = self.emitters().into_iter().map(Emitter::index);
            if let Some(shared_one) = own.find(|place| places.contains(place)) {
                let detail = format!(
                    "has the object {} in common with the system “{}”; give each its own.",
                    quoted(self.id_at(shared_one)),
                    shown(other.name())
                );
                return Err(self
                    .problem(ProblemKind::WrongLink, "total_footprint", detail)
                    .into());
            }
        }
        Ok(())
    }

    fn total_footprint(self) -> Result<Hours, Failure> {
        self.check_objects()?;
        let emitters = self.emitters().into_iter();
        sum(emitters
            .flat_map(|emitter| Phase::ALL.map(|phase| emitter.emission(self.engine(), phase))))
    }
}
