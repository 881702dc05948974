//! The footprint of a file's systems: in all, by category, phase and object, and over time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::classes::{AnyApi, AnyJob, AnyServer, Emitter, Engine, Object, emitters};
pub use crate::classes::{Category, Phase};
use crate::engine::{At, Failure, Problem, ProblemKind};
use crate::series::{Hours, Series, increase, sum};

/// What a file's systems emit, in kilograms of CO2 equivalents.
#[derive(Debug)]
pub struct Footprint {
    /// By category and phase, by the hour.
    series: BTreeMap<(Category, Phase), Arc<Series>>,
    /// By object, those of a category together.
    pub objects: Vec<ObjectFootprint>,
    /// What the systems ask for and can't have. Objects that it concerns lack a part of their
    /// footprint.
    pub problems: Vec<Arc<Problem>>,
    /// What else keeps a footprint from being computed.
    pub failure: Option<String>,
}

/// What one object emits over the whole period.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectFootprint {
    /// The object's id.
    pub id: String,
    /// The object's name.
    pub name: String,
    /// The object's class.
    pub class: &'static str,
    /// What it is counted under.
    pub category: Category,
    /// In kg; absent where a problem is in the way.
    pub manufacturing: Option<f64>,
    /// In kg; absent where a problem is in the way.
    pub r#use: Option<f64>,
}

/// The time that a footprint is summed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month of the calendar.
    Month,
    /// A year of the calendar.
    Year,
}

/// A footprint over time: when each step begins, and what each category emits in each phase.
#[derive(Debug, Serialize)]
pub struct OverTime {
    /// The time between the beginnings.
    pub step: Step,
    /// Beginnings, UTC.
    pub starts: Vec<String>,
    /// In kg, a value for each beginning.
    pub series: Vec<CategoryOverTime>,
}

/// What a category emits in a phase over time.
#[derive(Debug, Serialize)]
pub struct CategoryOverTime {
    /// The category.
    pub category: Category,
    /// The phase.
    pub phase: Phase,
    /// In kg.
    pub values: Vec<f64>,
}

/// Objects that are best computed together: a server with its jobs and its storage, or an API.
struct Group<'e> {
    /// The server or API by its place in the file, or what stands alone.
    place: usize,
    jobs: Vec<At<'e, AnyJob>>,
    emitters: Vec<Emitter<'e>>,
}

impl<'e> Group<'e> {
    fn of_server(server: At<'e, AnyServer>) -> Self {
        Self {
            place: server.index(),
            jobs: server.jobs().collect(),
            emitters: Vec::new(),
        }
    }

    fn of_api(api: At<'e, AnyApi>) -> Self {
        Self {
            place: api.index(),
            jobs: api.server().jobs().collect(),
            emitters: Vec::new(),
        }
    }

    fn of(emitter: Emitter<'e>) -> Self {
        Self {
            place: emitter.index(),
            jobs: Vec::new(),
            emitters: vec![emitter],
        }
    }

    /// What its jobs move over a network.
    fn moves_over(&self, network: &Emitter<'e>) -> Result<Hours, Failure> {
        let Emitter::Network(network) = network else {
            return Ok(None);
        };
        sum(self.jobs.iter().map(|job| network.footprint_of_job(*job)))
    }
}

/// What an object emits, in each phase.
struct Emitted<'e> {
    object: &'e Object,
    category: Category,
    of: [Result<Hours, Failure>; 2],
    problems: Result<Vec<Arc<Problem>>, Failure>,
}

impl<'e> Emitted<'e> {
    fn by(engine: &'e Engine, emitter: Emitter<'e>) -> Self {
        Self {
            object: &engine.model().objects[emitter.index()],
            category: emitter.category(),
            of: Phase::ALL.map(|phase| emitter.footprint(phase)),
            problems: emitter.with_parts().into_iter().try_fold(
                Vec::new(),
                |mut problems, place| {
                    problems.append(&mut engine.problems_of(place)?);
                    Ok(problems)
                },
            ),
        }
    }
}

/// Adds to a sum, unless something is in the way of it.
fn add_to(total: &mut Result<Hours, Failure>, more: Result<Hours, Failure>) {
    let so_far = std::mem::replace(total, Ok(None));
    *total = so_far.and_then(|so_far| sum([Ok(so_far), more]));
}

/// What inputs lead to that multiply, or divide, beyond what numbers can tell.
fn beyond_numbers(object: &Object, phase: Phase) -> Problem {
    let (class, name) = (object.class().name(), object.name());
    let (attribute, phase) = match phase {
        Phase::Manufacturing => ("instances_manufacturing_footprint", "manufacturing"),
        Phase::Use => ("use_footprint", "use"),
    };
    Problem {
        kind: ProblemKind::BeyondNumbers,
        object: object.id().to_owned(),
        class,
        name: name.to_owned(),
        attribute,
        detail: format!(
            "{class} “{name}” has a footprint of {phase} beyond all numbers; look for an input that \
             is far too large, or far too close to zero."
        ),
        available: None,
        requested: None,
        unit: None,
    }
}

impl Footprint {
    /// Computes it.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`], and nothing else.
    pub fn of(engine: &Engine) -> Result<Self, Failure> {
        let mut footprint = Self {
            series: BTreeMap::new(),
            objects: Vec::new(),
            problems: Vec::new(),
            failure: None,
        };
        let emitters = emitters(engine);
        let (networks, others): (Vec<Emitter<'_>>, Vec<_>) = emitters
            .into_iter()
            .partition(|emitter| emitter.category() == Category::Network);
        // What jobs move over networks is computed together with what they ask of their servers.
        let mut moved: Vec<Result<Hours, Failure>> = networks.iter().map(|_| Ok(None)).collect();
        let mut groups: Vec<Group<'_>> = engine.all::<AnyServer>().map(Group::of_server).collect();
        groups.extend(engine.all::<AnyApi>().map(Group::of_api));
        let places = groups.iter().enumerate().map(|(i, group)| (group.place, i));
        let places: HashMap<usize, usize> = places.collect();
        for emitter in &others {
            match places.get(&emitter.group()) {
                Some(&group) => groups[group].emitters.push(*emitter),
                None => groups.push(Group::of(*emitter)),
            }
        }
        engine.for_all(
            &groups,
            |group| {
                let moved: Vec<_> = networks
                    .iter()
                    .map(|network| group.moves_over(network))
                    .collect();
                let emitted = group
                    .emitters
                    .iter()
                    .map(|emitter| Emitted::by(engine, *emitter));
                (moved, emitted.collect::<Vec<_>>())
            },
            |(more, emitted)| {
                moved
                    .iter_mut()
                    .zip(more)
                    .for_each(|(moved, more)| add_to(moved, more));
                emitted
                    .into_iter()
                    .try_for_each(|emitted| footprint.add(emitted))
            },
        )?;
        for (network, moved) in networks.iter().zip(moved) {
            let of = [Ok(None), moved];
            let object = &engine.model().objects[network.index()];
            footprint.add(Emitted {
                object,
                category: Category::Network,
                of,
                problems: Ok(Vec::new()),
            })?;
        }
        let mut looked_at = vec![false; engine.model().len()];
        for place in others.iter().flat_map(|emitter| emitter.with_parts()) {
            looked_at[place] = true;
        }
        let rest: Vec<_> = (0..engine.model().len())
            .filter(|&place| !looked_at[place])
            .collect();
        let look_at = |place: &usize| engine.problems_of(*place);
        engine.for_all(&rest, look_at, |problems| footprint.note_all(problems))?;
        footprint
            .objects
            .sort_by(|a, b| (a.category, &a.name).cmp(&(b.category, &b.name)));
        Ok(footprint)
    }

    /// Adds an object with its footprint in each phase.
    fn add(&mut self, emitted: Emitted<'_>) -> Result<(), Failure> {
        let Emitted {
            object,
            category,
            of,
            problems,
        } = emitted;
        let mut sums = [None; 2];
        for ((sum, phase), hours) in sums.iter_mut().zip(Phase::ALL).zip(of) {
            let total = self.series.entry((category, phase));
            match hours {
                Ok(None) => *sum = Some(0.0),
                Ok(Some(hours)) => {
                    let kilograms = hours.sum();
                    if !kilograms.is_finite() {
                        self.note(beyond_numbers(object, phase).into());
                        continue;
                    }
                    *sum = Some(kilograms);
                    match total {
                        Entry::Vacant(total) => drop(total.insert(hours)),
                        Entry::Occupied(mut total) => {
                            if let Err(failure) = increase(total.get_mut(), &hours) {
                                *sum = None;
                                self.note(failure.into());
                            }
                        }
                    }
                }
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => self.note(failure),
            }
        }
        self.objects.push(ObjectFootprint {
            id: object.id().to_owned(),
            name: object.name().to_owned(),
            class: object.class().name(),
            category,
            manufacturing: sums[0],
            r#use: sums[1],
        });
        self.note_all(problems)
    }

    fn note_all(&mut self, problems: Result<Vec<Arc<Problem>>, Failure>) -> Result<(), Failure> {
        problems?
            .into_iter()
            .for_each(|problem| self.note(Failure::Problem(problem)));
        Ok(())
    }

    fn note(&mut self, failure: Failure) {
        match failure {
            Failure::Problem(problem) if self.problems.contains(&problem) => {}
            Failure::Problem(problem) => self.problems.push(problem),
            other => self.failure = Some(other.to_string()),
        }
    }

    /// Whether it is that of all objects, none left out for a problem.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.failure.is_none()
    }

    /// Of all objects in both phases, in kg.
    pub fn total(&self) -> f64 {
        self.series.values().map(|series| series.sum()).sum()
    }

    /// Of a category in a phase, in kg.
    pub fn part(&self, category: Category, phase: Phase) -> f64 {
        let series = self.series.get(&(category, phase));
        series.map_or(0.0, |series| series.sum())
    }

    /// The first hour and the end of the last, UTC.
    pub fn period(&self) -> Option<(DateTime, DateTime)> {
        let start = self.series.values().map(|series| series.start).min()?;
        let end = self.series.values().map(|series| series.end()).max()?;
        Some((start, end))
    }

    /// The footprint summed over steps of time.
    pub fn over_time(&self, step: Step) -> OverTime {
        let Some((start, end)) = self.period() else {
            return OverTime {
                step,
                starts: Vec::new(),
                series: Vec::new(),
            };
        };
        let starts = step.starts(start, end);
        let series = self
            .series
            .iter()
            .map(|(&(category, phase), series)| CategoryOverTime {
                category,
                phase,
                values: sums(series, &starts),
            });
        OverTime {
            step,
            series: series.collect(),
            starts: starts.into_iter().map(written).collect(),
        }
    }

    /// Bytes of memory that it takes.
    pub fn size(&self) -> usize {
        let series = self.series.values().map(|series| series.size());
        let objects = self
            .objects
            .iter()
            .map(|object| object.id.len() + object.name.len() + 64);
        let objects = objects.sum::<usize>() + size_of_val(&*self.objects);
        let problems = self.problems.iter().map(|problem| problem.size());
        size_of::<Self>() + series.sum::<usize>() + objects + problems.sum::<usize>()
    }
}

/// A time as it is written in results.
pub fn written(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The sums of a series from each of `starts` to the next.
pub fn sums(series: &Series, starts: &[DateTime]) -> Vec<f64> {
    // Of the series, before the first that begins at that time or later.
    let hours_until = |time: DateTime| {
        let seconds = time.duration_since(series.start).as_secs();
        seconds.div_euclid(3600) + i64::from(seconds.rem_euclid(3600) > 0)
    };
    let mut totals = vec![0.0; starts.len()];
    let mut step = 0;
    let mut until = 0;
    for (hour, &value) in series.by_hour().iter().enumerate() {
        while hour >= until {
            // The hour at which the next step begins, counted from the series' first.
            let after = starts.partition_point(|start| hours_until(*start) <= hour as i64);
            step = after.saturating_sub(1);
            until = starts
                .get(after)
                .map_or(usize::MAX, |next| hours_until(*next) as usize);
        }
        totals[step] += f64::from(value);
    }
    totals
}

impl Step {
    /// When the steps from `start` to `end` begin, the first with `start`.
    pub fn starts(self, start: DateTime, end: DateTime) -> Vec<DateTime> {
        let next = |time: &DateTime| self.next(*time).filter(|next| *next < end);
        std::iter::successors(Some(start), next).collect()
    }

    /// When the step after the one with `time` begins.
    fn next(self, time: DateTime) -> Option<DateTime> {
        let date = match self {
            Self::Hour => return time.checked_add(jiff::SignedDuration::from_hours(1)).ok(),
            Self::Day => time.date().tomorrow().ok()?,
            Self::Month => time.date().last_of_month().tomorrow().ok()?,
            Self::Year => Date::new(time.year().checked_add(1)?, 1, 1).ok()?,
        };
        Some(date.to_datetime(jiff::civil::Time::midnight()))
    }
}
