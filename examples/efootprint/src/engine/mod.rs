//! The engine: computes attributes of objects on demand.
//!
//! The formulas are methods of an object in its place (`At`), which the classes have; what several
//! of them need is computed once. Tables of [`Attribute`]s list the results for whoever shows them.
//! Nothing here names a class.

mod at;
mod attributes;
mod cancel;
mod failure;
mod memo;
mod query;
mod referrers;
mod summary;
mod threads;
mod value;

use std::sync::Arc;

pub(crate) use self::at::At;
pub use self::attributes::{Attribute, Computed, Guard};
pub use self::cancel::Cancel;
pub use self::failure::{Failure, Problem, ProblemKind};
use self::memo::Memo;
pub use self::query::Query;
use self::referrers::Referrers;
pub use self::summary::{HoursInShort, Summary};
pub use self::value::{Entries, Value, Week};
pub(crate) use self::value::{Measured, value_of};
use crate::objects::{AnyObject, Model, Ref, Target, is_a};

/// Computes the values of a model.
///
/// It keeps what it computed for as long as there is room. Making one costs a walk over the objects.
pub struct Engine<O> {
    model: Arc<Model<O>>,
    referrers: Referrers,
    /// For each object, whether a system leads to it.
    reached: Vec<bool>,
    /// What a job's formulas have in common: they come one after the other.
    passing: Memo,
    /// What is needed once more when all jobs are done.
    lasting: Memo,
    cancel: Cancel,
    threads: usize,
    /// Of the longest series of the inputs.
    hours: usize,
}

/// Series that are kept for formulas that follow: those of four jobs, on each of two threads.
const PASSING: usize = 32;

/// Footprints that are kept for who looks at them by and by.
const FEW: usize = 12;

/// Bytes of so many series of that many hours, within what a computer may spare.
fn room(series: usize, hours: usize) -> usize {
    (series * hours * size_of::<f32>()).clamp(1 << 20, 128 << 20)
}

impl<O: AnyObject> Engine<O> {
    /// An engine for that model, however much there is to compute, until it is told to stop.
    pub(crate) fn of(model: Arc<Model<O>>, cancel: Cancel) -> Self {
        let hours = model.objects.iter().map(O::hours).max().unwrap_or(0);
        Self {
            referrers: Referrers::of(&model),
            reached: Referrers::reached(&model),
            passing: Memo::new(room(PASSING, hours)),
            lasting: Memo::new(room(FEW, hours)),
            hours,
            model,
            cancel,
            threads: 1,
        }
    }

    /// Keeps so many footprints as far as there is room, for who comes back to them.
    pub(crate) fn keep(&self, footprints: usize) {
        self.lasting.widen(room(footprints, self.hours));
    }

    /// Computes on so many threads what many objects are asked for; one if nothing is said.
    pub fn threads(self, threads: usize) -> Self {
        let threads = threads.max(1);
        Self { threads, ..self }
    }

    /// Whether to go on.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`] from when on the computation was told to stop.
    pub fn check(&self) -> Result<(), Failure> {
        self.cancel.check()
    }

    /// The inputs.
    pub fn model(&self) -> &Model<O> {
        &self.model
    }

    /// Whether a system leads to the object in that place.
    pub(crate) fn reaches(&self, place: usize) -> bool {
        self.reached[place]
    }

    /// An object in its place.
    pub(crate) fn at<T: Target<Object = O>>(&self, object: Ref<T>) -> At<'_, T> {
        At {
            engine: self,
            this: object,
        }
    }

    /// The objects of a class or family, in the order of the file.
    pub(crate) fn all<T: Target<Object = O>>(&self) -> impl Iterator<Item = At<'_, T>> {
        let objects = self.model.objects.iter().enumerate();
        objects
            .filter(|(_, object)| is_a::<T>(object))
            .map(|(place, _)| self.at(Ref::new(place as u32)))
    }
}
