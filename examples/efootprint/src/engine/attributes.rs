//! Tables of computed attributes.

use super::{Engine, Failure, Value};
use crate::objects::AnyObject;

/// A computed attribute of a class.
pub struct Attribute<O> {
    /// The name.
    pub name: &'static str,
    /// The section of the specification that defines it: of the web part, or of the edge and
    /// services part where it begins with an E.
    pub section: &'static str,
    /// The formula in words.
    pub formula: &'static str,
    /// Whether computing it finds out if the system asks for something impossible.
    pub guard: Guard,
    pub(super) compute: for<'e> fn(&'e Engine<O>, u32) -> Result<Value<'e>, Failure>,
}

/// Whether an attribute finds out if the system asks for something impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// It just has a value.
    No,
    /// It has a value only if the system is possible.
    Yes,
    /// It has no value, and says no more than whether the system is possible.
    Only,
}

/// Objects with computed attributes, in tables that classes may have in common.
pub trait Computed: AnyObject {
    /// The tables of a class.
    fn attributes(class: Self::Class) -> &'static [&'static [Attribute<Self>]];
}

impl<O> Attribute<O> {
    pub(crate) const fn of(
        name: &'static str,
        section: &'static str,
        formula: &'static str,
        guard: Guard,
        compute: for<'e> fn(&'e Engine<O>, u32) -> Result<Value<'e>, Failure>,
    ) -> Self {
        Self {
            name,
            section,
            formula,
            guard,
            compute,
        }
    }
}
