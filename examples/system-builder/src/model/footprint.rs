//! The footprint of a file's systems: in all, by category, phase and object, and over time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

pub use super::classes::{Category, Phase};
use super::compute::{Engine, Failure, Problem, Series};

/// What a file's systems emit, in kilograms of CO2 equivalents.
#[derive(Debug)]
pub struct Footprint {
    /// By category and phase, by the hour.
    series: BTreeMap<(Category, Phase), Series>,
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
        let mut looked_at = vec![false; engine.model().len()];
        for emitter in engine.emitters() {
            let category = emitter.category();
            let mut sums = [None; 2];
            for (sum, phase) in sums.iter_mut().zip(Phase::ALL) {
                let added = emitter.footprint_in_turn(phase).and_then(|hours| {
                    let Some(hours) = hours else { return Ok(0.0) };
                    match footprint.series.entry((category, phase)) {
                        std::collections::btree_map::Entry::Occupied(mut total) => {
                            total.get_mut().add(&hours)?;
                        }
                        std::collections::btree_map::Entry::Vacant(total) => {
                            total.insert((*hours).clone());
                        }
                    }
                    Ok(hours.sum())
                });
                match added {
                    Ok(added) => *sum = Some(added),
                    Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                    Err(failure) => footprint.note(failure),
                }
            }
            footprint.look_at(engine, emitter.index())?;
            looked_at[emitter.index()] = true;
            let object = &engine.model().objects[emitter.index()];
            footprint.objects.push(ObjectFootprint {
                id: object.id().to_owned(),
                name: object.name().to_owned(),
                class: object.class().name(),
                category,
                manufacturing: sums[0],
                r#use: sums[1],
            });
        }
        footprint
            .objects
            .sort_by(|a, b| (a.category, &a.name).cmp(&(b.category, &b.name)));
        for (place, _) in looked_at
            .iter()
            .enumerate()
            .filter(|(_, looked_at)| !**looked_at)
        {
            footprint.look_at(engine, place)?;
        }
        Ok(footprint)
    }

    /// Notes what is asked of an object that it doesn't have.
    fn look_at(&mut self, engine: &Engine, place: usize) -> Result<(), Failure> {
        let problems = engine.problems_of(place)?;
        problems
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

    /// Of all objects in both phases, in kg.
    pub fn total(&self) -> f64 {
        self.series.values().map(Series::sum).sum()
    }

    /// Of a category in a phase, in kg.
    pub fn part(&self, category: Category, phase: Phase) -> f64 {
        self.series.get(&(category, phase)).map_or(0.0, Series::sum)
    }

    /// The first hour and the end of the last, UTC.
    pub fn period(&self) -> Option<(DateTime, DateTime)> {
        let start = self.series.values().map(|series| series.start).min()?;
        let end = self.series.values().map(Series::end).max()?;
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
        size_of::<Self>() + series.sum::<usize>() + objects + self.problems.len() * 512
    }
}

/// A time as it is written in results.
pub fn written(time: DateTime) -> String {
    time.strftime("%Y-%m-%dT%H:%M").to_string()
}

/// The sums of a series from each of `starts` to the next.
pub fn sums(series: &Series, starts: &[DateTime]) -> Vec<f64> {
    let mut totals = vec![0.0; starts.len()];
    let mut step = 0;
    let mut until = 0;
    for (hour, &value) in series.values.iter().enumerate() {
        while hour >= until {
            // The hour at which the next step begins, counted from the series' first.
            let after = starts.partition_point(|start| {
                start.duration_since(series.start).as_hours() <= hour as i64
            });
            step = after.saturating_sub(1);
            until = match starts.get(after) {
                Some(next) => next.duration_since(series.start).as_hours() as usize,
                None => usize::MAX,
            };
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
