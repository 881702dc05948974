//! Fleets of devices in the field.

use std::collections::HashSet;
use std::sync::Arc;

use super::declare::{Answers, Category, Checks, Column, Tables, attributes, class};
use super::{AnyEdgeDevice, AnyEdgeDeviceNeed, AnyJob, Country, Network};
use crate::engine::{At, Entries, Failure, ProblemKind, Week};
use crate::objects::{Change, List, Ref, Weighted};
use crate::series::{Hours, Series, sum};
use crate::units::measure::{CONCURRENT, NUMBER, OCCURRENCES, known};
use crate::values::{Hourly, Scalar, Starts, Time, Volume, Weekly, Weight};

class! {
    /// Deployments in one country. A journey listed twice needs everything twice.
    EdgeUsagePattern {
        hourly_deployment_starts: Hourly<Starts>,
        edge_usage_journeys: List<EdgeUsageJourney>,
        usage_span: Scalar<Time>,
        network: Ref<Network>,
        country: Ref<Country>,
    }
}

class! {
    /// Functions of a deployment. One listed twice is needed twice.
    EdgeUsageJourney {
        edge_functions: List<EdgeFunction>,
    }
}

class! {
    /// What a function needs of devices and of servers.
    EdgeFunction {
        recurrent_edge_device_needs: List<AnyEdgeDeviceNeed>,
        recurrent_server_needs: List<RecurrentServerNeed>,
    }
}

class! {
    /// Jobs that a device starts, week by week.
    RecurrentServerNeed {
        edge_device: Ref<AnyEdgeDevice>,
        recurrent_volume_per_edge_device: Weekly<Volume>,
        jobs: Weighted<AnyJob, Weight>,
    }
}

impl Answers for EdgeUsagePattern {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Pattern);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[EDGE_USAGE_PATTERN];
}

impl Answers for EdgeUsageJourney {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Journey);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl Answers for EdgeFunction {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Step);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[];
}

impl Answers for RecurrentServerNeed {
    const CATEGORY: Option<Category> = None;
    const COLUMN: Option<Column> = Some(Column::Need);
    const CHANGE: Option<Change> = None;
    const CHECKS: Checks<Self> = Checks::NONE;
    const TABLES: Tables<Self> = &[RECURRENT_SERVER_NEED];
}

attributes! {
    EDGE_USAGE_PATTERN of EdgeUsagePattern {
        "E4.1" utc_hourly_deployment_starts [OCCURRENCES]
            = "hourly deployment starts, from the clocks of the country to UTC" =>
            |pattern| pattern.utc_starts();
        "E4.1" nb_deployments_in_parallel [CONCURRENT]
            = "deployments in use: starts, for the usage span" =>
            |pattern| pattern.nb_deployments_in_parallel();
        guard "E4.1" edge_usage_journeys_validation [NUMBER]
            = "there are journeys, each once" => |pattern| pattern.check_journeys();
    }
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

impl<'e> At<'e, EdgeUsagePattern> {
    fn utc_starts(self) -> Series {
        let pattern = self.get();
        self.at(pattern.country)
            .utc(&pattern.hourly_deployment_starts)
    }

    /// How many deployments are in use.
    pub(crate) fn nb_deployments_in_parallel(self) -> Result<Hours, Failure> {
        self.shared("nb_deployments_in_parallel", || {
            Ok(self.utc_starts().aged(0.0, self.get().usage_span.hours())?)
        })
    }

    /// How many deployments are in use; there have to be some at some time.
    pub(crate) fn deployments(self) -> Result<Arc<Series>, Failure> {
        self.divisor("usage_span", self.get().usage_span.hours().max(0.0))?;
        let deployments = self.nb_deployments_in_parallel()?;
        Ok(deployments.unwrap_or_else(|| Arc::new(self.utc_starts())))
    }

    fn check_journeys(self) -> Result<(), Failure> {
        let journeys = &self.get().edge_usage_journeys;
        let twice = journeys
            .iter()
            .enumerate()
            .find(|(i, journey)| journeys[..*i].contains(journey));
        let detail = match twice {
            Some((_, journey)) => {
                format!(
                    "has the journey “{}” twice; list it once.",
                    self.at(*journey).name()
                )
            }
            None if journeys.is_empty() => {
                "has no journey; add one, or remove the pattern.".to_owned()
            }
            None => return Ok(()),
        };
        let attribute = "edge_usage_journeys_validation";
        Err(self
            .problem(ProblemKind::WrongLink, attribute, detail)
            .into())
    }

    pub(crate) fn journeys(self) -> impl Iterator<Item = At<'e, EdgeUsageJourney>> {
        self.get()
            .edge_usage_journeys
            .iter()
            .map(move |journey| self.at(*journey))
    }

    /// The functions of all journeys, as often as they are listed.
    pub(crate) fn functions(self) -> impl Iterator<Item = At<'e, EdgeFunction>> {
        self.journeys()
            .flat_map(|journey| journey.get().edge_functions.iter())
            .map(move |function| self.at(*function))
    }

    /// The jobs that its devices start. One may come several times.
    pub(crate) fn jobs(self) -> impl Iterator<Item = At<'e, AnyJob>> {
        self.functions()
            .flat_map(|function| function.get().recurrent_server_needs.iter())
            .flat_map(move |need| self.at(*need).get().jobs.iter())
            .map(move |(job, _)| self.at(*job))
    }
}

/// A way from a need up to a pattern, and how often it is listed on it (E3.3).
#[derive(Clone, Copy)]
pub(crate) struct Path<'e> {
    pub(crate) pattern: At<'e, EdgeUsagePattern>,
    pub(crate) journey: At<'e, EdgeUsageJourney>,
    pub(crate) function: At<'e, EdgeFunction>,
    pub(crate) times: f64,
}

impl<'e> At<'e, EdgeFunction> {
    /// The ways from here up to all patterns.
    pub(crate) fn paths(self) -> impl Iterator<Item = Path<'e>> {
        self.referrers::<EdgeUsageJourney>()
            .flat_map(move |journey| {
                let listed =
                    occurrences_in(&journey.get().edge_functions, |of| self.at(of) == self);
                journey.referrers::<EdgeUsagePattern>().map(move |pattern| {
                    let journeys = &pattern.get().edge_usage_journeys;
                    Path {
                        pattern,
                        journey,
                        function: self,
                        times: listed * occurrences_in(journeys, |of| self.at(of) == journey),
                    }
                })
            })
    }
}

/// What edge patterns use.
pub(crate) trait UsedInPatterns<'e>: Copy + 'e {
    /// The patterns, each once.
    fn usage_patterns(self) -> Vec<At<'e, EdgeUsagePattern>>;

    /// A value for each pattern.
    fn per_pattern<V>(
        self,
        of: impl Fn(Self, At<'e, EdgeUsagePattern>) -> V + 'e,
    ) -> Entries<impl Iterator<Item = (&'e str, V)> + 'e> {
        let patterns = self.usage_patterns().into_iter();
        Entries(patterns.map(move |pattern| (pattern.id(), of(self, pattern))))
    }

    /// The sum over the patterns.
    fn over_patterns<S: Into<Arc<Series>>>(
        self,
        of: impl Fn(Self, At<'e, EdgeUsagePattern>) -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        let patterns = self.usage_patterns().into_iter();
        sum(patterns.map(|pattern| of(self, pattern)))
    }
}

/// The patterns of some paths, each once and in the order of the paths: as the reference implementation
/// comes to them, which decides about the last bit of a sum.
pub(crate) fn patterns_of<'e>(
    paths: impl Iterator<Item = Path<'e>>,
) -> Vec<At<'e, EdgeUsagePattern>> {
    let mut known = HashSet::new();
    let patterns = paths.map(|path| path.pattern);
    patterns
        .filter(|pattern| known.insert(pattern.index()))
        .collect()
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

/// How often a list has what `is` tells.
pub(crate) fn occurrences_in<T>(list: &[Ref<T>], is: impl Fn(Ref<T>) -> bool) -> f64 {
    list.iter().filter(|&&of| is(of)).count() as f64
}
