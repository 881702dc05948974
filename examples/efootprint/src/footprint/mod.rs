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
use crate::classes::Model;
pub use crate::classes::{Category, Phase};
use crate::engine::{Failure, Problem};
use crate::series::{Series, increase};

/// What a file's systems emit, in kilograms of CO2 equivalents.
#[derive(Debug)]
pub struct Footprint {
    /// By category and phase, by the hour.
    series: BTreeMap<(Category, Phase), Arc<Series>>,
    /// By object, those of a category together.
    pub objects: Vec<ObjectFootprint>,
    /// What the systems ask for and can't have, and so what values are missing for.
    pub problems: Vec<Arc<Problem>>,
    /// What else keeps a footprint from being computed.
    pub failure: Option<String>,
    /// What is worth knowing besides.
    pub remarks: Vec<Remark>,
    /// Problems of all objects, those that no value is missing for too.
    noticed: Vec<Arc<Problem>>,
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

/// What is worth knowing of a result that is as it is: what was changed while the file was read, and
/// what is wrong with objects although no number is missing for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Remark {
    /// The object's id, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The sentence.
    pub detail: String,
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
                    *sum = Some(hours.sum());
                    match total {
                        Entry::Vacant(total) => drop(total.insert(hours)),
                        Entry::Occupied(mut total) => {
                            if let Err(failure) = increase(total.get_mut(), &hours) {
                                *sum = None;
                                self.miss(failure.into());
                            }
                        }
                    }
                }
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                Err(failure) => self.miss(failure),
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
        self.noticed.extend(problems?);
        Ok(())
    }

    /// A value is missing for this.
    fn miss(&mut self, failure: Failure) {
        match failure {
            Failure::Problem(problem) if self.problems.contains(&problem) => {}
            Failure::Problem(problem) => self.problems.push(problem),
            other => self.failure = Some(other.to_string()),
        }
    }

    /// Makes remarks of the problems that no value is missing for.
    fn remark(&mut self, model: &Model) {
        let said = model.remarks().iter().map(|detail| Remark {
            object: None,
            detail: detail.clone(),
        });
        self.remarks.splice(0..0, said);
        for problem in std::mem::take(&mut self.noticed) {
            if self.problems.contains(&problem) {
                continue;
            }
            let remark = Remark {
                object: Some(problem.object.clone()),
                detail: problem.detail.clone(),
            };
            if !self.remarks.contains(&remark) {
                self.remarks.push(remark);
            }
        }
    }

    /// Whether it is that of all objects, and no value is missing.
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.failure.is_none()
    }

    /// Of all objects in both phases, in kg.
    pub fn total(&self) -> f64 {
        self.series.values().map(|series| series.sum()).sum()
    }

    /// The same, if any of it is known.
    pub fn known_total(&self) -> Option<f64> {
        let total = self.total();
        (self.is_complete() || total != 0.0).then_some(total)
    }

    /// Of a category in a phase, in kg.
    pub fn part(&self, category: Category, phase: Phase) -> f64 {
        let series = self.series.get(&(category, phase));
        series.map_or(0.0, |series| series.sum())
    }

    /// The same, if no object of the category lacks it.
    pub fn known(&self, category: Category, phase: Phase) -> Option<f64> {
        let mut objects = self.objects.iter();
        let known = objects.all(|object| {
            object.category != category
                || match phase {
                    Phase::Manufacturing => object.manufacturing.is_some(),
                    Phase::Use => object.r#use.is_some(),
                }
        });
        known.then(|| self.part(category, phase))
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
        let remarks = self.remarks.iter().map(|remark| {
            size_of::<Remark>()
                + remark.detail.len()
                + remark.object.as_ref().map_or(0, String::len)
        });
        size_of::<Self>()
            + series.sum::<usize>()
            + objects
            + problems.sum::<usize>()
            + remarks.sum::<usize>()
    }
}
