//! Tables of computed attributes.

use std::borrow::Cow;
use std::sync::Arc;

use super::{At, Engine, Failure};
use crate::series::Series;
use crate::units::Measure;
use crate::values::HOURS_OF_WEEK;

/// A computed attribute of a class.
pub struct Attribute {
    /// The name.
    pub name: &'static str,
    /// The section of the specification that defines it: of the web part, or of the edge and
    /// services part where it begins with an E.
    pub section: &'static str,
    /// The formula in words.
    pub formula: &'static str,
    /// Whether computing it finds out if the system asks for something impossible.
    pub guard: Guard,
    pub(crate) compute: for<'e> fn(&'e Engine, u32) -> Result<Value<'e>, Failure>,
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

/// A class with computed attributes, in tables that it may have in common with others.
pub(crate) trait Computed {
    const ATTRIBUTES: &'static [&'static [Attribute]];
}

/// A computed value.
pub enum Value<'e> {
    /// Nothing.
    Empty,
    /// A number.
    Scalar(f64, Measure),
    /// A series.
    Hourly(Arc<Series>, Measure),
    /// A week, from Monday 00:00 on the clocks of the country on.
    Weekly(Week, Measure),
    /// Values by the object or path that they are about, each computed when its turn comes.
    Entries(Box<dyn Iterator<Item = (Cow<'e, str>, Result<Value<'e>, Failure>)> + 'e>),
}

impl Value<'_> {
    /// Computes what is not computed yet, for what may keep it from having a value.
    pub(crate) fn settle(self) -> Result<(), Failure> {
        match self {
            Self::Entries(mut entries) => entries.try_for_each(|(_, value)| value?.settle()),
            _ => Ok(()),
        }
    }
}

/// The hours of a week.
pub type Week = Box<[f32; HOURS_OF_WEEK]>;

/// Values by an object, or by the path to a place in the tree of usage.
pub struct Entries<I>(pub I);

/// A value in a unit of its own, for attributes whose unit is not that of their table.
pub(crate) struct Measured<V>(pub(crate) V, pub(crate) Measure);

/// What a formula may result in.
pub(crate) trait IntoValue<'e> {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure>;
}

impl<'e> IntoValue<'e> for () {
    fn into_value(self, _: Measure) -> Result<Value<'e>, Failure> {
        Ok(Value::Empty)
    }
}

impl<'e> IntoValue<'e> for f64 {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        Ok(Value::Scalar(self, unit))
    }
}

impl<'e> IntoValue<'e> for Arc<Series> {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        Ok(Value::Hourly(self, unit))
    }
}

impl<'e> IntoValue<'e> for Series {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        Arc::new(self).into_value(unit)
    }
}

impl<'e> IntoValue<'e> for Week {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        Ok(Value::Weekly(self, unit))
    }
}

impl<'e, V: IntoValue<'e>> IntoValue<'e> for Measured<V> {
    fn into_value(self, _: Measure) -> Result<Value<'e>, Failure> {
        self.0.into_value(self.1)
    }
}

impl<'e, V: IntoValue<'e>> IntoValue<'e> for Option<V> {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        self.map_or(Ok(Value::Empty), |value| value.into_value(unit))
    }
}

impl<'e, V: IntoValue<'e>> IntoValue<'e> for Result<V, Failure> {
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        self?.into_value(unit)
    }
}

impl<'e, K, V, I> IntoValue<'e> for Entries<I>
where
    K: Into<Cow<'e, str>>,
    V: IntoValue<'e>,
    I: Iterator<Item = (K, V)> + 'e,
{
    fn into_value(self, unit: Measure) -> Result<Value<'e>, Failure> {
        let entries = self.0;
        Ok(Value::Entries(Box::new(entries.map(
            move |(key, value)| (key.into(), value.into_value(unit)),
        ))))
    }
}

/// The value of an attribute that `compute` computes.
pub(crate) fn value_of<'e, T, V: IntoValue<'e>>(
    this: At<'e, T>,
    compute: impl FnOnce(At<'e, T>) -> V,
    unit: Measure,
) -> Result<Value<'e>, Failure> {
    compute(this).into_value(unit)
}

/// A table of attributes of a class or family: name, unit, section, formula in words and in code.
/// A `guard` finds out whether the system asks for something impossible.
macro_rules! attributes {
    ($(#[$doc:meta])* $table:ident of $class:ty {
        $($($guard:ident)? $section:literal $name:ident [$unit:expr] = $formula:literal => $compute:expr;)*
    }) => {
        $(#[$doc])*
        pub(crate) const $table: &[$crate::engine::Attribute] = &[$(
            $crate::engine::Attribute::of(
                stringify!($name),
                $section,
                $formula,
                attributes!(@guard $($guard)?),
                |engine, place| {
                    let this = engine.at($crate::Ref::<$class>::new(place));
                    $crate::engine::value_of(this, $compute, $unit)
                },
            ),
        )*];
    };
    (@guard) => { $crate::engine::Guard::No };
    (@guard guard) => { $crate::engine::Guard::Yes };
    (@guard only) => { $crate::engine::Guard::Only };
}

/// Says which tables list the computed attributes of a class.
macro_rules! computed {
    ($($class:ident: $($table:expr),*;)*) => {$(
        impl $crate::engine::Computed for $class {
            const ATTRIBUTES: &'static [&'static [$crate::engine::Attribute]] = &[$($table),*];
        }
    )*};
}

impl Attribute {
    pub(crate) const fn of(
        name: &'static str,
        section: &'static str,
        formula: &'static str,
        guard: Guard,
        compute: for<'e> fn(&'e Engine, u32) -> Result<Value<'e>, Failure>,
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

pub(crate) use {attributes, computed};
