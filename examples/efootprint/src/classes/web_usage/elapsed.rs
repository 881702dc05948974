//! Time that passes in a journey.

use crate::units::Unit;
use crate::values::{Scalar, Time};

/// Time that passes in a journey.
///
/// It adds up in the unit of its first step, and goes on in hours once it was asked for: the last
/// bit may decide about a whole hour (4.6).
#[derive(Default)]
pub(crate) struct Elapsed<'e> {
    amount: f64,
    unit: Option<&'e Unit>,
    /// How many hours one of the unit is.
    hours: f64,
}

impl<'e> Elapsed<'e> {
    pub(crate) fn add(&mut self, times: f64, time: &'e Scalar<Time>) {
        let amount = times * time.value;
        match self.unit {
            None if self.hours == 0.0 => {
                *self = Self {
                    amount,
                    unit: Some(&time.unit),
                    hours: time.amount_in("hour").factor,
                };
            }
            None => self.amount += amount * time.amount_in("hour").factor,
            Some(unit) => self.amount += amount * time.unit.factor_to(unit).unwrap_or(f64::NAN),
        }
    }

    pub(crate) fn hours(&mut self) -> f64 {
        if self.unit.take().is_some() {
            self.amount *= self.hours;
        }
        self.amount
    }
}
