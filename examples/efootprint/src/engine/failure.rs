//! What keeps a value from being computed.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::error::shown;
use crate::objects::{AnyClass, AnyObject};
use crate::series::TooLong;

/// Why a value has no number.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The system asks for something impossible.
    Problem(Arc<Problem>),
    /// The value is infinite, or no number.
    BeyondNumbers,
    /// A series would span more than two centuries.
    TooLong,
    /// Patterns reach jobs and needs in more ways than can be computed.
    TooManyWays,
    /// The computation was told to stop.
    Cancelled,
}

/// What a system asks for and can't have: the object, and in words what to change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// The kind, for programs.
    pub kind: ProblemKind,
    /// The object's id.
    pub object: String,
    /// The object's class.
    pub class: &'static str,
    /// The object's name.
    pub name: String,
    /// The computed attribute that found it.
    pub attribute: &'static str,
    /// The sentence for people: the need, what there is, and the way out.
    pub detail: String,
    /// What the object has, where that is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<f64>,
    /// The need, where that is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested: Option<f64>,
    /// The unit of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Cow<'static, str>>,
}

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// An object needs more than it has.
    InsufficientCapacity,
    /// A load outside 0 to 1.
    WorkloadOutOfBounds,
    /// More is deleted from a storage than was written.
    NegativeStorage,
    /// A division by an input that is zero.
    DivisionByZero,
    /// An amount in a unit that has no meaning there.
    WrongUnit,
    /// Objects are linked in a way that has no meaning.
    WrongLink,
    /// A result that is infinite, or no number.
    BeyondNumbers,
    /// A name that is not, or no longer, in a catalogue.
    NotInCatalogue,
}

impl Problem {
    /// What inputs lead to that multiply, or divide, beyond what numbers can tell.
    pub(crate) fn beyond_numbers<O: AnyObject>(
        object: &O,
        attribute: &'static str,
        what: &str,
    ) -> Self {
        let (class, name) = (object.class().name(), object.name());
        Self {
            kind: ProblemKind::BeyondNumbers,
            object: object.id().to_owned(),
            class,
            name: name.to_owned(),
            attribute,
            detail: format!(
                "{class} “{}” has {what} beyond all numbers; look for an input that is far too \
                 large, or far too close to zero.",
                shown(name)
            ),
            available: None,
            requested: None,
            unit: None,
        }
    }

    /// Bytes of memory that it takes.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.object.len() + self.name.len() + self.detail.len()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => f.write_str(&problem.detail),
            Self::BeyondNumbers => f.write_str(
                "The value is beyond all numbers: look for an input that is far too large, or far too \
                 close to zero.",
            ),
            Self::TooLong => f.write_str(
                "A series would span more than 200 years: bring the patterns' dates closer together, \
                 or shorten durations.",
            ),
            Self::TooManyWays => f.write_str(
                "The patterns reach their jobs and needs in more than a quarter of a million ways: \
                 split the system.",
            ),
            Self::Cancelled => f.write_str("The computation was cancelled."),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Arc::new(problem))
    }
}

impl From<TooLong> for Failure {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}
