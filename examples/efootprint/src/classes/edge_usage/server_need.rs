//! Jobs that devices start.

use crate::classes::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use crate::classes::{
    AnyEdgeDevice, AnyJob, EdgeFunction, EdgeUsagePattern, Path, occurrences_in, patterns_of,
};
use crate::engine::{At, Entries, Failure, ProblemKind, Week};
use crate::objects::{Ref, Weighted};
use crate::series::Hours;
use crate::units::measure::{OCCURRENCES, known};
use crate::values::{Volume, Weekly, Weight};

class! {
    /// Jobs that a device starts, week by week.
    RecurrentServerNeed {
        edge_device: Ref<AnyEdgeDevice>,
        recurrent_volume_per_edge_device: Weekly<Volume>,
        jobs: Weighted<AnyJob, Weight>,
    }
}

impl Answers for RecurrentServerNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Need);
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[RECURRENT_SERVER_NEED];
}

attributes! {
    RECURRENT_SERVER_NEED of RecurrentServerNeed {
        guard "E10" recurrent_need_validation [OCCURRENCES]
            = "the volume is in occurrences" => |need| need.checked_volume();
        "E5" unitary_hourly_volume_per_usage_pattern [OCCURRENCES]
            = "for each pattern, the weekly volume of a device, as often as the pattern has this need" =>
            |need| Entries(need.usage_patterns().into_iter().map(move |pattern| {
                (pattern.id(), need.unitary_hourly_volume(pattern))
            }));
    }
}

impl<'e> At<'e, RecurrentServerNeed> {
    pub(crate) fn paths(self) -> impl Iterator<Item = Path<'e>> {
        self.referrers::<EdgeFunction>().flat_map(move |function| {
            let listed = &function.get().recurrent_server_needs;
            let times = occurrences_in(listed, |of| self.at(of) == self);
            function.paths().map(move |path| Path {
                times: path.times * times,
                ..path
            })
        })
    }

    pub(crate) fn usage_patterns(self) -> Vec<At<'e, EdgeUsagePattern>> {
        patterns_of(self.paths())
    }

    /// How often the pattern has this need.
    pub(crate) fn times(self, pattern: At<'e, EdgeUsagePattern>) -> f64 {
        let paths = self.paths().filter(|path| path.pattern == pattern);
        paths.map(|path| path.times).sum()
    }

    fn checked_volume(self) -> Result<Week, Failure> {
        let volume = &self.get().recurrent_volume_per_edge_device;
        if volume.unit.canonical() != "occurrence" {
            let unit = &volume.unit;
            let detail = format!("has a volume in `{unit}`; give it in `occurrence`.");
            let attribute = "recurrent_need_validation";
            return Err(self
                .problem(ProblemKind::WrongUnit, attribute, detail)
                .into());
        }
        Ok(volume.values.clone())
    }

    /// What one device asks for by the hour.
    pub(crate) fn unitary_hourly_volume(
        self,
        pattern: At<'e, EdgeUsagePattern>,
    ) -> Result<Hours, Failure> {
        self.shared_for("unitary_hourly_volume", pattern.index(), || {
            let Weekly { values, unit, .. } = &self.get().recurrent_volume_per_edge_device;
            let country = self.at(pattern.get().country);
            let volume = country.weeks(values, &*pattern.deployments()?);
            let events = unit.factor_to(&known("occurrence")).unwrap_or(1.0);
            Ok(Some(volume.times(self.times(pattern) * events)))
        })
    }
}
