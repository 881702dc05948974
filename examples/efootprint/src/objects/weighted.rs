//! References with a number each.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::ids::one_of;
use super::input::InputSeed;
use super::references::{IdsOf, ReadingOf, Ref};
use super::{Input, Model, Target};
use crate::bytes::block;
use crate::error::{DefectKind, Fault, quoted};
use crate::values::{InputValue, Parts, Quantity, Scalar};

/// References with a number each, such as how often a step runs its jobs, in the order of the file.
#[derive(Debug, PartialEq)]
pub struct Weighted<T, W>(Vec<(Ref<T>, Scalar<W>)>);

impl<T, W> std::ops::Deref for Weighted<T, W> {
    type Target = [(Ref<T>, Scalar<W>)];

    fn deref(&self) -> &[(Ref<T>, Scalar<W>)] {
        &self.0
    }
}

impl<T: Target, W: Quantity> Input<T::Object> for Weighted<T, W> {
    fn read<'de, D: Deserializer<'de>>(
        json: D,
        reading: &mut ReadingOf<T>,
    ) -> Result<Self, D::Error> {
        json.deserialize_map(WeightedVisitor {
            reading,
            target: PhantomData,
        })
    }

    fn link(&mut self, ids: &IdsOf<T>) -> Result<(), Fault> {
        self.0
            .iter_mut()
            .try_for_each(|(reference, _)| reference.link(ids))
    }

    fn write<S: Serializer>(&self, model: &Model<T::Object>, json: S) -> Result<S::Ok, S::Error> {
        let mut map = json.serialize_map(Some(self.len()))?;
        for (reference, weight) in self.iter() {
            map.serialize_entry(model.id_at(reference.index), weight)?;
        }
        map.end()
    }

    fn references(&self, visit: &mut dyn FnMut(u32)) {
        self.iter()
            .for_each(|(reference, _)| visit(reference.index));
    }

    fn heap(&self) -> usize {
        let weights = self.iter().map(|(_, weight)| InputValue::heap(weight));
        block(size_of_val(&**self)) + weights.sum::<usize>()
    }
}

struct WeightedVisitor<'r, T: Target, W> {
    reading: &'r mut ReadingOf<T>,
    target: PhantomData<(T, W)>,
}

impl<'de, T: Target, W: Quantity> Visitor<'de> for WeightedVisitor<'_, T, W> {
    type Value = Weighted<T, W>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an object from ids of class {} to weights",
            one_of(T::CLASSES)
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Weighted<T, W>, A::Error> {
        let reading = self.reading;
        let mut seen = HashSet::new();
        let mut list = Vec::new();
        while let Some(reference) =
            json.next_key_seed(InputSeed::<T::Object, Ref<T>>::new(reading))?
        {
            if !seen.insert(reference.index) {
                let id = quoted(reading.ids.text(reference.index));
                let text = format!("has {id} twice; add the weights up in one entry");
                return Err(reading.refuse(Fault::new(DefectKind::DuplicateReference, text)));
            }
            let parts = json.next_value_seed(Parts::seed(&mut reading.values))?;
            let weight = Scalar::from_parts(parts, &mut reading.values).map_err(|fault| {
                let id = quoted(reading.ids.text(reference.index));
                let text = format!("has an entry {id} that {}", fault.text);
                reading.refuse(Fault::new(fault.kind, text))
            })?;
            list.push((reference, weight));
        }
        list.shrink_to_fit();
        Ok(Weighted(list))
    }
}
