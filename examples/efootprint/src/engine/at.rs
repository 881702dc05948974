//! Objects in their place.

use std::sync::Arc;

use super::memo::Memo;
use super::{Engine, Failure, Problem, ProblemKind};
use crate::catalogues::Unknown;
use crate::error::{quoted, shown};
use crate::objects::{AnyClass, AnyObject, Ref, Target, is_a};
use crate::series::{Hours, Series};
use crate::units::measure::Told;

/// An object in its place: with its inputs, what it refers to and what refers to it.
///
/// The formulas of a class are methods of this.
pub(crate) struct At<'e, T: Target> {
    pub(super) engine: &'e Engine<T::Object>,
    pub(super) this: Ref<T>,
}

impl<T: Target> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Target> Copy for At<'_, T> {}

impl<T: Target> PartialEq for At<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.this == other.this
    }
}

impl<'e, T: Target> At<'e, T> {
    /// The object's inputs; of a family, the class to match on.
    pub(crate) fn get(self) -> T::Found<'e> {
        self.engine.model.get(self.this)
    }

    /// Another object.
    pub(crate) fn at<U: Target<Object = T::Object>>(self, other: Ref<U>) -> At<'e, U> {
        self.engine.at(other)
    }

    /// The object as one of its family.
    pub(crate) fn of<F: Target<Object = T::Object>>(self) -> At<'e, F>
    where
        Ref<F>: From<Ref<T>>,
    {
        self.engine.at(self.this.into())
    }

    /// The objects of class or family `U` that refer to this one, each once.
    pub(crate) fn referrers<U: Target<Object = T::Object>>(
        self,
    ) -> impl Iterator<Item = At<'e, U>> {
        let engine = self.engine;
        let referrers = engine.referrers.of_object(self.this.index()).iter();
        referrers
            .filter(|&&place| is_a::<U>(&engine.model.objects[place as usize]))
            .map(|&place| engine.at(Ref::new(place)))
    }

    /// Those of them that a system leads to; all, where it leads to none.
    pub(crate) fn users<U: Target<Object = T::Object>>(self) -> impl Iterator<Item = At<'e, U>> {
        let reached = |user: &At<'e, U>| user.engine.reaches(user.index());
        let any = self.referrers::<U>().any(|user| reached(&user));
        self.referrers().filter(move |user| !any || reached(user))
    }

    /// What this object adds to a sum: nothing, where it fails and no system leads to it. It then
    /// says so itself, and decides about no other object.
    pub(crate) fn adding<V>(
        self,
        addend: Result<Option<V>, Failure>,
    ) -> Result<Option<V>, Failure> {
        match addend {
            Err(failure) if failure != Failure::Cancelled && !self.engine.reaches(self.index()) => {
                Ok(None)
            }
            addend => addend,
        }
    }

    /// Whether to go on with a long computation.
    pub(crate) fn check_cancelled(self) -> Result<(), Failure> {
        self.engine.check()
    }

    /// The objects of class or family `U`.
    pub(crate) fn all<U: Target<Object = T::Object>>(self) -> impl Iterator<Item = At<'e, U>> {
        self.engine.all()
    }

    /// The id of the object in that place of the file.
    pub(crate) fn id_at(self, place: usize) -> &'e str {
        self.engine.model.objects[place].id()
    }

    /// The engine.
    pub(crate) fn engine(self) -> &'e Engine<T::Object> {
        self.engine
    }

    pub(crate) fn object(self) -> &'e T::Object {
        &self.engine.model.objects[self.index()]
    }

    pub(crate) fn class(self) -> <T::Object as AnyObject>::Class {
        self.object().class()
    }

    pub(crate) fn id(self) -> &'e str {
        self.object().id()
    }

    pub(crate) fn name(self) -> &'e str {
        self.object().name()
    }

    pub(crate) fn index(self) -> usize {
        self.this.index()
    }

    /// A series that other formulas need soon: computed once, while there is room to keep it.
    pub(crate) fn shared<S: Into<Arc<Series>>>(
        self,
        attribute: &'static str,
        compute: impl FnOnce() -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        self.shared_for(attribute, self.index(), compute)
    }

    /// The same, of a series that there is one of for each of some objects.
    pub(crate) fn shared_for<S: Into<Arc<Series>>>(
        self,
        attribute: &'static str,
        of: usize,
        compute: impl FnOnce() -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        self.kept_in(&self.engine.passing, attribute, of, compute)
    }

    /// A footprint, which is needed until all are summed up.
    pub(crate) fn footprint<S: Into<Arc<Series>>>(
        self,
        attribute: &'static str,
        compute: impl FnOnce() -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        self.footprint_for(attribute, self.index(), compute)
    }

    /// The same, of a footprint that there is one of for each of some objects.
    pub(crate) fn footprint_for<S: Into<Arc<Series>>>(
        self,
        attribute: &'static str,
        of: usize,
        compute: impl FnOnce() -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        self.kept_in(&self.engine.lasting, attribute, of, compute)
    }

    fn kept_in<S: Into<Arc<Series>>>(
        self,
        memo: &Memo,
        attribute: &'static str,
        of: usize,
        compute: impl FnOnce() -> Result<Option<S>, Failure>,
    ) -> Result<Hours, Failure> {
        let key = (self.index() as u32, attribute, of as u32);
        if let Some(known) = memo.get(&key) {
            return Ok(known);
        }
        self.engine.check()?;
        let hours = compute()?.map(Into::into);
        memo.keep(key, hours.clone());
        Ok(hours)
    }

    /// What this object asks for and can't have.
    pub(crate) fn problem(
        self,
        kind: ProblemKind,
        attribute: &'static str,
        detail: impl std::fmt::Display,
    ) -> Problem {
        Problem {
            kind,
            object: self.id().to_owned(),
            class: self.class().name(),
            name: self.name().to_owned(),
            attribute,
            detail: format!("{} “{}” {detail}", self.class(), shown(self.name())),
            available: None,
            requested: None,
            unit: None,
        }
    }

    /// This object needs more than it has.
    pub(crate) fn shortage(
        self,
        attribute: &'static str,
        what: &str,
        (requested, available): (f64, f64),
        unit: impl Into<Told>,
        way_out: &str,
    ) -> Failure {
        let unit = unit.into();
        let (requested, available) = (requested * unit.factor, available * unit.factor);
        let (asked, has) = (short(requested), short(available));
        let amount = match &*unit.name {
            "" | "dimensionless" | "concurrent" => what.to_owned(),
            name => format!("{} of {what}", quoted(name)),
        };
        let detail = format!("has {has} {amount}, needs {asked}; {way_out}.");
        let problem = self.problem(ProblemKind::InsufficientCapacity, attribute, detail);
        Failure::from(Problem {
            available: Some(available),
            requested: Some(requested),
            unit: Some(unit.name),
            ..problem
        })
    }

    /// What a catalogue has of the object, or that it hasn't.
    pub(crate) fn known<R>(
        self,
        found: Result<R, Unknown>,
        provider: &str,
        attribute: &'static str,
        name: &str,
    ) -> Result<R, Failure> {
        found.map_err(|unknown| {
            let (attribute, detail) = unknown.told(provider, attribute, name);
            let kind = ProblemKind::NotInCatalogue;
            self.problem(kind, attribute, detail).into()
        })
    }

    /// The input `name`, which a formula divides by.
    pub(crate) fn divisor(self, name: &'static str, value: f64) -> Result<f64, Failure> {
        if value == 0.0 {
            let detail = format!(
                "has a `{name}` of zero, which values are divided by; give it one above zero."
            );
            let problem = self.problem(ProblemKind::DivisionByZero, name, detail);
            return Err(problem.into());
        }
        Ok(value)
    }
}

/// A number as short as it can be told without losing what matters.
fn short(number: f64) -> String {
    let digits = (5 - number.abs().max(1.0).log10().ceil() as i32).max(0) as usize;
    let text = format!("{number:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
