use crate::problem::Problem;
use axum::http::StatusCode;
use bytesize::ByteSize;
use efootprint::Model;
use std::{
    collections::BTreeMap,
    iter,
    ops::{
        Bound::{Excluded, Unbounded},
        Deref,
    },
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use uuid::{ContextV7, Timestamp, Uuid};

/// What a system takes beside its model: its entry in the store, whose nodes are half full at
/// worst.
const ENTRY: u64 = 128;

/// The systems that were loaded, in upload order. They live in memory until they are removed.
#[derive(Debug, Default)]
pub(crate) struct Store {
    // Ids of version 7 grow in the order they are made. Nothing panics while it holds the lock, so
    // a poisoned one still guards a whole map.
    systems: RwLock<BTreeMap<Uuid, Arc<System>>>,
}

/// An id that is larger than all before it, whatever the clock says: where it was set back, time
/// stands still until it has caught up.
fn id_at(time: SystemTime) -> Uuid {
    static LAST: Mutex<(Duration, ContextV7)> = Mutex::new((Duration::ZERO, ContextV7::new()));
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    last.0 = last.0.max(time);
    let (time, context) = (last.0, &last.1);
    Uuid::new_v7(Timestamp::from_unix(
        context,
        time.as_secs(),
        time.subsec_nanos(),
    ))
}

impl Store {
    pub(crate) fn insert(&self, system: Arc<System>) -> Uuid {
        let id = id_at(SystemTime::now());
        self.systems
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, system);
        id
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Arc<System>> {
        self.systems
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    pub(crate) fn remove(&self, id: Uuid) -> Option<Arc<System>> {
        self.systems
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id)
    }

    /// The systems in upload order, each looked up when its turn comes: none is held meanwhile.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Uuid, Arc<System>)> {
        let mut last = Uuid::nil();
        iter::from_fn(move || {
            let systems = self.systems.read().unwrap_or_else(PoisonError::into_inner);
            let (id, system) = systems.range((Excluded(last), Unbounded)).next()?;
            last = *id;
            Some((last, Arc::clone(system)))
        })
    }
}

/// The memory that systems may take, all together.
#[derive(Debug)]
pub(crate) struct Room {
    limit: ByteSize,
    /// In bytes, and never more than the limit.
    taken: AtomicU64,
}

impl Room {
    pub(crate) fn new(limit: ByteSize) -> Self {
        Self {
            limit,
            taken: AtomicU64::new(0),
        }
    }

    /// Takes the room that a model needs.
    ///
    /// # Errors
    ///
    /// Where there isn't as much, drops the model and says so.
    pub(crate) fn admit(
        self: Arc<Self>,
        model: Model,
        content: Content,
    ) -> Result<System, Problem> {
        let size = ENTRY + model.size() as u64;
        let limit = self.limit.as_u64();
        let taken = self.taken.fetch_update(Relaxed, Relaxed, |taken| {
            taken.checked_add(size).filter(|taken| *taken <= limit)
        });
        match taken {
            Ok(_) => Ok(System {
                model: Arc::new(model),
                content,
                _taken: Taken { size, room: self },
            }),
            Err(taken) => Err(self.full(ByteSize(taken), ByteSize(size))),
        }
    }

    fn full(&self, taken: ByteSize, size: ByteSize) -> Problem {
        let limit = self.limit;
        let way_out = if size > limit {
            "send a smaller system"
        } else {
            "delete a system"
        };
        Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            format!(
                "Systems take {taken} of the {limit} kept for them, and this one needs {size}: \
                 {way_out}, or start the server with a higher `--store-limit`."
            ),
        )
    }
}

/// A model with the room it takes.
#[derive(Debug)]
pub(crate) struct System {
    model: Arc<Model>,
    content: Content,
    // Fields are dropped in order: the room is free once the memory is.
    _taken: Taken,
}

/// What tells the content of one file from that of another: a hash of its bytes.
pub(crate) type Content = [u8; 32];

impl System {
    /// The model, for a computation: it holds the room until that has ended.
    pub(crate) fn model(&self) -> Arc<Model> {
        Arc::clone(&self.model)
    }

    /// What tells it from systems of other content.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}

impl Deref for System {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.model
    }
}

/// Room that is given back when nobody holds the system any more: one that was removed may still
/// be on its way to a client.
#[derive(Debug)]
struct Taken {
    size: u64,
    room: Arc<Room>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.size, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn model(name: &str) -> Model {
        let system = json!({
            "id": "s", "name": name, "usage_patterns": [], "edge_usage_patterns": [],
        });
        let file = json!({"efootprint_version": "27.0.0", "System": {"s": system}});
        efootprint::read(file.to_string().as_bytes()).unwrap()
    }

    fn size(name: &str) -> u64 {
        ENTRY + model(name).size() as u64
    }

    #[test]
    fn a_system_that_just_fits_is_admitted_and_one_byte_less_is_too_little() {
        let just = size("x");
        let room = |limit| Arc::new(Room::new(ByteSize(limit)));
        assert!(room(just).admit(model("x"), [0; 32]).is_ok());
        assert!(room(just - 1).admit(model("x"), [0; 32]).is_err());
    }

    #[test]
    fn ids_grow_while_the_clock_is_set_back_to_before_1970_and_forward_again() {
        let now = SystemTime::now();
        let before = UNIX_EPOCH - Duration::from_secs(300_000_000);
        let ids = [now, before, before, now].map(id_at);
        assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    }

    #[test]
    fn a_removed_system_takes_room_until_nobody_holds_it() {
        let room = Arc::new(Room::new(ByteSize(size("x"))));
        let store = Store::default();
        let id = store.insert(Arc::new(
            Arc::clone(&room).admit(model("x"), [0; 32]).unwrap(),
        ));
        let download = store.get(id);
        drop(store.remove(id));
        assert!(Arc::clone(&room).admit(model("x"), [0; 32]).is_err());
        drop(download);
        assert!(room.admit(model("x"), [0; 32]).is_ok());
    }

    #[test]
    fn threads_that_insert_and_remove_at_once_never_take_more_than_there_is() {
        let limit = 3 * size("x") + 1;
        let room = Arc::new(Room::new(ByteSize(limit)));
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    for _ in 0..500 {
                        let system = Arc::clone(&room).admit(model("x"), [0; 32]);
                        assert!(room.taken.load(Relaxed) <= limit);
                        drop(system);
                    }
                });
            }
        });
        assert_eq!(room.taken.load(Relaxed), 0);
    }

    #[test]
    fn many_small_systems_take_no_more_than_is_counted() {
        let room = Arc::new(Room::new(ByteSize::gib(1)));
        let store = Store::default();
        // The first one fills what all models share.
        drop(model("x"));
        let counted = allocation_counter::measure(|| {
            for _ in 0..1000 {
                store.insert(Arc::new(
                    Arc::clone(&room).admit(model("x"), [0; 32]).unwrap(),
                ));
            }
            // Leaves the nodes with gaps.
            for (id, _) in store.all().step_by(2) {
                store.remove(id);
            }
        });
        let taken = room.taken.load(Relaxed);
        let counted = u64::try_from(counted.bytes_current).unwrap();
        assert!(
            counted <= taken,
            "{counted} bytes, of which {taken} are counted"
        );
    }

    proptest! {
        #[test]
        fn what_is_taken_is_the_sum_of_what_is_stored(
            steps in prop::collection::vec((any::<bool>(), 0..2000_usize), 0..50),
        ) {
            let room = Arc::new(Room::new(ByteSize(10_000)));
            let store = Store::default();
            for (insert, number) in steps {
                let stored: Vec<_> = store.all().collect();
                let before: u64 = stored.iter().map(|(_, system)| size(system.name())).sum();
                if insert {
                    let name = "x".repeat(number);
                    let admitted = Arc::clone(&room).admit(model(&name), [0; 32]);
                    prop_assert_eq!(admitted.is_ok(), before + size(&name) <= 10_000);
                    if let Ok(system) = admitted {
                        store.insert(Arc::new(system));
                    }
                } else if !stored.is_empty() {
                    store.remove(stored[number % stored.len()].0);
                }
                drop(stored);
                let stored: Vec<_> = store.all().collect();
                let sum: u64 = stored.iter().map(|(_, system)| size(system.name())).sum();
                prop_assert_eq!(room.taken.load(Relaxed), sum);
            }
        }
    }
}
