//! Computed values: every attribute that the specifications derive from a system's inputs.
//!
//! An [`Engine`] computes on demand. The formulas stand beside the inputs of their
//! [classes](crate::classes), as methods of an object in its place (`At`), and what several of them
//! need is computed once. Tables of [`Attribute`]s list the results for whoever shows them.

mod at;
mod attributes;
mod failure;
mod memo;
mod output;
mod referrers;

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

pub(crate) use self::at::At;
pub use self::attributes::{Attribute, Entries, Guard, Value, Week};
pub(crate) use self::attributes::{Computed, Measured, attributes, computed, value_of};
pub use self::failure::{Failure, Problem, ProblemKind};
use self::memo::Memo;
pub use self::output::{HoursInShort, Summary, write_computed};
use self::referrers::Referrers;
pub use crate::attribution::{Attribution, Component, Row, Stream, Way};
use crate::classes::{
    AnyEdgeDevice, AnyJob, AnyServer, Class, EdgeFunction, EdgeUsageJourney, EdgeUsagePattern,
    Emitter, Object, System, UsageJourney, UsageJourneyStep, UsagePattern,
};
use crate::objects::{Model, Ref, Target};
pub use crate::series::Series;
pub use crate::units::Measure;

/// Computes the values of a model.
///
/// It keeps what it computed for as long as there is room. Making one costs a walk over the objects.
pub struct Engine {
    model: Arc<Model>,
    referrers: Referrers,
    /// What a job's formulas have in common: they come one after the other.
    passing: Memo,
    /// What is asked for once more when all jobs are done.
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

/// Most ways in which patterns may reach jobs and needs. Each costs a few series.
const MOST_WAYS: u64 = 250_000;

/// Stops a computation from elsewhere.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Makes the computation end with [`Failure::Cancelled`] at its next series.
    pub fn cancel(&self) {
        self.0.store(true, Relaxed);
    }
}

impl Engine {
    /// An engine for that model, that computes until it is told to stop.
    ///
    /// # Errors
    ///
    /// [`Failure::TooManyWays`]: a small file can describe a usage tree of billions of branches.
    pub fn new(model: Arc<Model>, cancel: Cancel) -> Result<Self, Failure> {
        let hours = model.objects.iter().map(|object| match object {
            Object::UsagePattern(pattern) => pattern.hourly_occurrences.values.len(),
            Object::EdgeUsagePattern(pattern) => pattern.hourly_deployment_starts.values.len(),
            _ => 0,
        });
        let hours = hours.max().unwrap_or(0);
        let engine = Self {
            referrers: Referrers::of(&model),
            passing: Memo::new(room(PASSING, hours)),
            lasting: Memo::new(room(FEW, hours)),
            hours,
            model,
            cancel,
            threads: 1,
        };
        if engine.ways() > MOST_WAYS {
            return Err(Failure::TooManyWays);
        }
        Ok(engine)
    }

    /// Keeps all footprints as far as there is room, for who comes back to them: two of each object
    /// that emits, and what each job moves over networks. Some are longer than the inputs.
    pub(crate) fn keep_footprints(&self) {
        let series = 3 * self.emitters().len() + self.all::<AnyJob>().count();
        self.lasting.widen(room(series, self.hours));
    }

    /// Computes on so many threads what many objects are asked for; one if nothing is said.
    pub fn threads(self, threads: usize) -> Self {
        let threads = threads.max(1);
        Self { threads, ..self }
    }

    /// Does the work for all items, on the engine's threads, and takes what comes out in the order
    /// of the items.
    pub(crate) fn for_all<T: Sync, R: Send, E>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.threads == 1 {
            return items.iter().map(work).try_for_each(take);
        }
        let (give, given) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let given = Mutex::new(given);
        let next = || given.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let work = |i: usize| catch_unwind(AssertUnwindSafe(|| work(&items[i])));
        std::thread::scope(|threads| {
            for _ in 0..self.threads.min(items.len()) {
                let tell = tell.clone();
                threads.spawn(move || {
                    while let Ok(i) = next() {
                        // Where nobody listens any more, nothing is given any more either.
                        tell.send((i, work(i))).ok();
                    }
                });
            }
            // The threads end when this is gone, whatever happens.
            let give = give;
            let mut left = 0..items.len();
            let mut give_next = || left.next().is_some_and(|i| give.send(i).is_ok());
            // What is done waits for what is before it: a few for each thread, not all.
            (0..self.threads * 4).all(|_| give_next());
            let mut done = BTreeMap::new();
            for i in 0..items.len() {
                let result = loop {
                    if let Some(result) = done.remove(&i) {
                        break result;
                    }
                    let news = told.recv();
                    let (other, result) =
                        news.unwrap_or_else(|_| unreachable!("`tell` is there until the end"));
                    done.insert(other, result);
                };
                give_next();
                take(result.unwrap_or_else(|panic| resume_unwind(panic)))?;
            }
            Ok(())
        })
    }

    /// In how many ways the patterns reach jobs and needs.
    fn ways(&self) -> u64 {
        // From the leaves up: what an object leads to is known before it is asked for.
        let count = |ways: &[u64], to: &mut dyn Iterator<Item = usize>| {
            to.fold(0_u64, |sum, place| sum.saturating_add(ways[place]))
        };
        let mut ways = vec![0_u64; self.model.objects.len()];
        for step in self.all::<UsageJourneyStep>() {
            // Its own occurrences are told for each way, with jobs or without.
            ways[step.index()] = step.get().jobs.len().max(1) as u64;
        }
        for journey in self.all::<UsageJourney>() {
            let steps = &mut journey.get().uj_steps.iter().map(|(step, _)| step.index());
            ways[journey.index()] = count(&ways, steps);
        }
        for function in self.all::<EdgeFunction>() {
            let inputs = function.get();
            let needs = inputs.recurrent_edge_device_needs.iter();
            let needs = needs.map(|need| self.at(*need).component_needs().len() as u64);
            let jobs = inputs.recurrent_server_needs.iter();
            let jobs = jobs.map(|need| self.at(*need).get().jobs.len() as u64);
            ways[function.index()] = needs.chain(jobs).fold(0, u64::saturating_add);
        }
        for journey in self.all::<EdgeUsageJourney>() {
            let functions = &mut journey.get().edge_functions.iter().map(|of| of.index());
            ways[journey.index()] = count(&ways, functions);
        }
        let web = self.all::<UsagePattern>();
        let web = web.flat_map(|pattern| pattern.journeys().map(|(journey, _)| journey.index()));
        let edge = self.all::<EdgeUsagePattern>();
        let edge = edge.flat_map(|pattern| pattern.journeys().map(At::index));
        count(&ways, &mut web.chain(edge))
    }

    /// Whether to go on.
    ///
    /// # Errors
    ///
    /// [`Failure::Cancelled`] from when on the computation was told to stop.
    pub fn check(&self) -> Result<(), Failure> {
        if self.cancel.0.load(Relaxed) {
            return Err(Failure::Cancelled);
        }
        Ok(())
    }

    /// The inputs.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// An object in its place.
    pub(crate) fn at<T>(&self, object: Ref<T>) -> At<'_, T> {
        At {
            engine: self,
            this: object,
        }
    }

    /// The objects of a class or family, in the order of the file.
    pub(crate) fn all<T: Target>(&self) -> impl Iterator<Item = At<'_, T>> {
        let objects = self.model.objects.iter().enumerate();
        objects
            .filter(|(_, object)| T::CLASSES.contains(&object.class()))
            .map(|(place, _)| self.at(Ref::new(place as u32)))
    }

    /// The computed attributes of an object, each computed when it is asked for.
    pub fn attributes(
        &self,
        place: usize,
    ) -> impl Iterator<Item = (&'static Attribute, Asked<'_>)> {
        let tables = self.model.objects[place].class().attributes();
        tables.iter().copied().flatten().map(move |attribute| {
            let asked = Asked {
                engine: self,
                attribute,
                place: place as u32,
            };
            (attribute, asked)
        })
    }

    /// What of the file's systems has a footprint, each object once.
    pub(crate) fn emitters(&self) -> Vec<Emitter<'_>> {
        let mut known = HashSet::new();
        let emitters = self.all::<System>().flat_map(At::<System>::emitters);
        emitters
            .filter(|emitter| known.insert(emitter.index()))
            .collect()
    }

    /// The objects in groups that are best computed one by one, and in an order in which groups
    /// find what they need of others: servers with their jobs, devices with their components and
    /// what is asked of those, then what is left, then systems.
    fn groups(&self) -> Vec<Vec<usize>> {
        let servers = self.all::<AnyServer>().map(|server| {
            let jobs = server.jobs().map(At::index);
            jobs.chain([server.index(), server.storage().index()])
                .collect::<Vec<_>>()
        });
        let devices = self.all::<AnyEdgeDevice>();
        let devices = devices.map(|device| Emitter::EdgeDevice(device).with_parts());
        let others = 0..self.model.objects.len();
        let is_system = |place: &usize| self.model.objects[*place].class() == Class::System;
        let (systems, others): (Vec<_>, Vec<_>) = others.partition(is_system);
        let others = others.into_iter().map(|place| vec![place]);
        let mut seen = vec![false; self.model.objects.len()];
        let mut groups: Vec<_> = servers
            .chain(devices)
            .chain(others)
            .chain([systems])
            .collect();
        for group in &mut groups {
            group.retain(|&place| !std::mem::replace(&mut seen[place], true));
        }
        groups.retain(|group| !group.is_empty());
        groups
    }

    /// Computes what is best computed now that the object's values are known.
    fn leave(&self, place: usize) {
        if AnyJob::CLASSES.contains(&self.model.objects[place].class()) {
            // What is in the way is told where the network's values are asked for.
            self.at(Ref::<AnyJob>::new(place as u32)).move_data().ok();
        }
    }

    /// What an object is asked for and doesn't have.
    pub(crate) fn problems_of(&self, place: usize) -> Result<Vec<Arc<Problem>>, Failure> {
        let mut problems = Vec::new();
        for (attribute, asked) in self.attributes(place) {
            if attribute.guard == Guard::No {
                continue;
            }
            match asked.compute().and_then(Value::settle) {
                Err(Failure::Problem(problem)) => problems.push(problem),
                Err(Failure::Cancelled) => return Err(Failure::Cancelled),
                _ => {}
            }
        }
        Ok(problems)
    }
}

/// A computed attribute of one object, not computed yet.
pub struct Asked<'e> {
    engine: &'e Engine,
    attribute: &'static Attribute,
    place: u32,
}

impl<'e> Asked<'e> {
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

/// How often a list has what `is` tells.
pub(crate) fn occurrences_in<T>(list: &[Ref<T>], is: impl Fn(Ref<T>) -> bool) -> f64 {
    list.iter().filter(|&&of| is(of)).count() as f64
}
