//! Units of measure: the registry, expressions over it, and conversion factors.

mod expression;
pub(crate) mod measure;
mod registry;
mod scale;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use self::expression::Expression;
pub use self::measure::Measure;
pub use self::registry::Dimension;
use self::scale::Scale;
use crate::bytes::{block, text};

/// A unit as a file writes it, with what it measures and how large it is.
///
/// Cheap to clone. Two units are equal when they are written alike; see [`Unit::canonical`] to
/// compare meanings.
#[derive(Clone, PartialEq)]
pub struct Unit(Arc<Definition>);

#[derive(Debug, PartialEq)]
struct Definition {
    written: Box<str>,
    canonical: Box<str>,
    dimension: Dimension,
    scale: Scale,
    has_factor: bool,
}

/// The part of a unit's text that means nothing.
#[derive(Debug, PartialEq)]
pub struct UnknownUnit(pub String);

impl Unit {
    /// Reads `kWh/GB`, `kilogram / terabyte_stored`, `cpu_core * second`, `1 / hour`,
    /// `hour ** 2`...
    ///
    /// # Errors
    ///
    /// Names the word that is no unit, or the whole text where it is no expression.
    pub fn parse(written: &str) -> Result<Self, UnknownUnit> {
        let expression = Expression::parse(written)?;
        Ok(Self(Arc::new(Definition {
            written: written.into(),
            canonical: expression.canonical().into(),
            dimension: expression.dimension,
            scale: expression.scale,
            has_factor: expression.has_factor,
        })))
    }

    /// The text of the file.
    pub fn as_str(&self) -> &str {
        &self.0.written
    }

    /// Full names in alphabetical order: `kilowatt_hour / gigabyte`.
    pub fn canonical(&self) -> &str {
        &self.0.canonical
    }

    /// What the unit measures.
    pub fn dimension(&self) -> Dimension {
        self.0.dimension
    }

    /// Whether the text holds a number other than 1, as `2 kg` does. Such numbers count for
    /// nothing.
    pub fn has_factor(&self) -> bool {
        self.0.has_factor
    }

    /// What one of its owners has of its definition: together they have the whole of it.
    pub(super) fn heap(&self) -> usize {
        let Definition {
            written, canonical, ..
        } = &*self.0;
        let counts = 2 * size_of::<usize>();
        let whole = block(counts + size_of::<Definition>()) + text(written) + text(canonical);
        whole.div_ceil(Arc::strong_count(&self.0))
    }

    /// What to multiply an amount in this unit with to have it in `other`; `None` where they
    /// measure different things.
    ///
    /// `occurrence`, `concurrent` and `billion` are pure numbers of size 1.
    pub fn factor_to(&self, other: &Unit) -> Option<f64> {
        (self.0.dimension == other.0.dimension).then(|| self.0.scale.over(other.0.scale))
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.written)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unit({:?})", self.as_str())
    }
}
