//! Which objects refer to which: the relations of a file, the other way round.

use crate::objects::{AnyClass, AnyObject, Model};

/// For each object, the places of those that refer to it, each once and in the order of the file.
pub(crate) struct Referrers {
    /// Where the referrers of each object begin in `places`, and the end.
    begins: Vec<u32>,
    places: Vec<u32>,
}

impl Referrers {
    pub(crate) fn of<O: AnyObject>(model: &Model<O>) -> Self {
        let mut links = Vec::new();
        for (place, object) in model.objects.iter().enumerate() {
            object.references(&mut |target| links.push((target, place as u32)));
        }
        links.sort_unstable();
        links.dedup();
        let mut begins = vec![0; model.objects.len() + 1];
        for &(target, _) in &links {
            begins[target as usize + 1] += 1;
        }
        for i in 1..begins.len() {
            begins[i] += begins[i - 1];
        }
        Self {
            begins,
            places: links.into_iter().map(|(_, place)| place).collect(),
        }
    }

    /// For each object, whether the roots of the model lead to it.
    pub(crate) fn reached<O: AnyObject>(model: &Model<O>) -> Vec<bool> {
        let mut reached = vec![false; model.objects.len()];
        let roots = model.objects.iter().enumerate();
        let roots = roots.filter(|(_, object)| object.class() == O::Class::ROOT);
        let mut open: Vec<u32> = roots.map(|(place, _)| place as u32).collect();
        while let Some(place) = open.pop() {
            if !std::mem::replace(&mut reached[place as usize], true) {
                model.objects[place as usize].references(&mut |target| open.push(target));
            }
        }
        reached
    }

    pub(crate) fn of_object(&self, place: usize) -> &[u32] {
        &self.places[self.begins[place] as usize..self.begins[place + 1] as usize]
    }
}
