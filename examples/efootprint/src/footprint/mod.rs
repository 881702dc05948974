//! The footprint of a file's systems: in all, by category, phase and object, and over time.

mod compute;
mod groups;
mod over_time;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use jiff::civil::DateTime;
use serde::Serialize;

use self::groups::Emitted;
pub use self::over_time::{CategoryOverTime, OverTime, Step, sums, written};
use crate::classes::Object;
pub use crate::classes::{Category, Phase};
use crate::engine::{Failure, Problem, ProblemKind};
use crate::series::{Series, increase};

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
