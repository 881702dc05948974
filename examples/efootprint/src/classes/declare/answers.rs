//! What a class answers for itself, beside its inputs and formulas.

use serde::{Deserialize, Serialize};

use crate::engine::Attribute;
use crate::objects::{AttributeFault, Model, Target};

/// What each class says of itself. A class that leaves one out doesn't compile.
pub(crate) trait Answers: Target + Sized {
    /// What its objects are counted under, if they have a footprint of their own.
    const CATEGORY: Option<Category>;

    /// The column of the diagram that its objects stand in, if they are on the way from the system
    /// to what has a footprint.
    const COLUMN: Option<Column>;

    /// What has to hold that takes more than one attribute to see.
    const CHECKS: Checks<Self>;

    /// Its computed attributes, in tables that it may have in common with others.
    const TABLES: Tables<Self>;
}

/// A model of objects such as `T`.
pub(crate) type ModelOf<T> = Model<<T as Target>::Object>;

/// Tables of computed attributes.
pub(crate) type Tables<T> = &'static [&'static [Attribute<<T as Target>::Object>]];

/// A check of one object, with all others at hand.
type Check<T> = fn(&T, &ModelOf<T>) -> Result<(), AttributeFault>;

/// A check of all objects of a class together.
type CheckOfAll<T> =
    for<'m> fn(&'m ModelOf<T>) -> Result<(), (&'m <T as Target>::Object, AttributeFault)>;

/// The checks of a class. Those of [`each`](Self::each) object of the file come first, then those of
/// all together.
pub(crate) struct Checks<T: Target> {
    pub(in crate::classes) each: Check<T>,
    pub(in crate::classes) all: CheckOfAll<T>,
}

impl<T: Target> Checks<T> {
    /// Nothing to check.
    pub(crate) const NONE: Self = Self {
        each: |_, _| Ok(()),
        all: |_| Ok(()),
    };

    pub(crate) const fn each(check: Check<T>) -> Self {
        Self {
            each: check,
            ..Self::NONE
        }
    }

    pub(crate) const fn all(check: CheckOfAll<T>) -> Self {
        Self {
            all: check,
            ..Self::NONE
        }
    }
}

/// What objects with a footprint are counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[allow(missing_docs)]
pub enum Category {
    Servers,
    Storage,
    ExternalAPIs,
    Network,
    Devices,
    EdgeDevices,
}

impl Category {
    /// All of them, in the order of the specification.
    pub const ALL: [Self; 6] = [
        Self::Servers,
        Self::Storage,
        Self::ExternalAPIs,
        Self::Network,
        Self::Devices,
        Self::EdgeDevices,
    ];
}

/// A phase of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[allow(missing_docs)]
pub enum Phase {
    Manufacturing,
    Use,
}

impl Phase {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Manufacturing, Self::Use];
}

/// A column of a diagram, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// All of it.
    System,
    /// Manufacturing and use.
    Phase,
    /// Countries.
    Country,
    /// Usage patterns.
    Pattern,
    /// Journeys.
    Journey,
    /// Steps of journeys, functions of devices.
    Step,
    /// Needs of devices and servers.
    Need,
    /// Jobs, needs of components.
    Job,
    /// Kinds of objects.
    Category,
    /// Objects that emit.
    Object,
    /// Parts of them.
    Component,
}
