//! Computed values, and what formulas may result in.

use std::borrow::Cow;
use std::sync::Arc;

use super::{At, Failure};
use crate::hours::HOURS_OF_WEEK;
use crate::objects::Target;
use crate::series::Series;
use crate::units::Measure;

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
pub(crate) fn value_of<'e, T: Target, V: IntoValue<'e>>(
    this: At<'e, T>,
    compute: impl FnOnce(At<'e, T>) -> V,
    unit: Measure,
) -> Result<Value<'e>, Failure> {
    compute(this).into_value(unit)
}
