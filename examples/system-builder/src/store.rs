use crate::model::Model;
use indexmap::IndexMap;
use std::sync::{Arc, PoisonError, RwLock};
use uuid::Uuid;

/// The systems that were loaded, in upload order. They live in memory until they are removed.
#[derive(Debug, Default)]
pub(crate) struct Store {
    // Nothing panics while it holds the lock, so a poisoned one still guards a whole map.
    systems: RwLock<IndexMap<Uuid, Arc<Model>>>,
}

impl Store {
    pub(crate) fn insert(&self, model: Arc<Model>) -> Uuid {
        let id = Uuid::new_v4();
        self.systems
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, model);
        id
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Arc<Model>> {
        self.systems
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    pub(crate) fn remove(&self, id: Uuid) -> Option<Arc<Model>> {
        self.systems
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .shift_remove(&id)
    }

    pub(crate) fn all(&self) -> Vec<(Uuid, Arc<Model>)> {
        let systems = self.systems.read().unwrap_or_else(PoisonError::into_inner);
        systems
            .iter()
            .map(|(id, model)| (*id, Arc::clone(model)))
            .collect()
    }
}
