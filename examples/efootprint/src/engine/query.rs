//! Computed attributes of objects, by their tables.

use std::sync::Arc;

use super::{Attribute, Computed, Engine, Failure, Guard, Problem, Summary, Value};
use crate::objects::AnyObject;

/// A computed attribute of one object, not computed yet.
pub struct Query<'e, O: 'static> {
    engine: &'e Engine<O>,
    attribute: &'static Attribute<O>,
    place: u32,
}

impl<'e, O: AnyObject> Query<'e, O> {
    /// Computes it.
    ///
    /// # Errors
    ///
    /// What keeps it from having a value.
    pub fn compute(&self) -> Result<Value<'e>, Failure> {
        let engine = self.engine;
        Ok(match (self.attribute.compute)(engine, self.place)? {
            // There may be many, and none of them long.
            Value::Entries(entries) => Value::Entries(Box::new(
                entries.map(|(key, value)| (key, engine.check().and(value))),
            )),
            value => value,
        })
    }
}

impl<O: AnyObject> Query<'_, O> {
    /// Computes it, for a summary.
    ///
    /// # Errors
    ///
    /// What keeps it from having a value.
    pub fn summary(&self) -> Result<Summary, Failure> {
        match self.compute().and_then(Summary::of) {
            Err(Failure::BeyondNumbers) => {
                let object = &self.engine.model.objects[self.place as usize];
                let (name, what) = (self.attribute.name, format!("a `{}`", self.attribute.name));
                Err(Problem::beyond_numbers(object, name, &what).into())
            }
            summary => summary,
        }
    }
}

impl<O: Computed> Engine<O> {
    /// The computed attributes of an object, each computed when it is asked for.
    pub fn attributes(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (&'static Attribute<O>, Query<'_, O>)> {
        let tables = O::attributes(self.model.objects[place].class());
        tables.iter().copied().flatten().map(move |attribute| {
            let query = Query {
                engine: self,
                attribute,
                place: place as u32,
            };
            (attribute, query)
        })
    }

    /// What an object is asked for and doesn't have.
    pub(crate) fn problems_of(&self, place: usize) -> Result<Vec<Arc<Problem>>, Failure> {
        let mut problems = Vec::new();
        for (attribute, query) in self.attributes(place) {
            if attribute.guard == Guard::No {
                continue;
            }
            match query.compute().and_then(Value::settle) {
                Err(Failure::Problem(problem)) => problems.push(problem),
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                _ => {}
            }
        }
        Ok(problems)
    }
}
