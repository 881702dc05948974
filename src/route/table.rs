use crate::route::Route;
use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// How many routes have an entry of their own; the rest share one.
const ROUTES: usize = 512;

/// Twice as many, so a search soon meets an empty slot.
const SLOTS: usize = 2 * ROUTES;

/// The longest label that gets an entry of its own, in bytes. Bounds the memory that labels take.
const LONGEST: usize = 128;

/// One `T` per route, bounded. Finding that of a known route takes no lock and allocates nothing.
/// Entries are never removed.
#[derive(Debug)]
pub(crate) struct RouteTable<T> {
    slots: Box<[Slot<T>]>,
    other: Slot<T>,
    known: AtomicUsize,
    hasher: RandomState,
}

/// Filled once, by the first to come.
type Slot<T> = OnceLock<Box<(Route, T)>>;

impl<T> RouteTable<T> {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| OnceLock::new()).collect(),
            other: OnceLock::new(),
            known: AtomicUsize::new(0),
            hasher: RandomState::new(),
        }
    }

    /// The entry for `route`, created with `new` on first use, and the label it is kept under: that of
    /// `route`, or `other`.
    pub(crate) fn of(&self, route: &Route, new: impl Fn(&Route) -> T) -> &(Route, T) {
        let name = route.as_str();
        self.named(name, || (route.clone(), new(route)), || new(&Route::OTHER))
    }

    /// The same, given only a name; the route is created on first use.
    pub(crate) fn named(
        &self,
        name: &str,
        new: impl Fn() -> (Route, T),
        other: impl FnOnce() -> T,
    ) -> &(Route, T) {
        let first = self.hasher.hash_one(name) as usize;
        for slot in (first..first.saturating_add(SLOTS)).map(|at| &self.slots[at % SLOTS]) {
            let entry = match slot.get() {
                Some(entry) => entry,
                None if name.len() > LONGEST || !self.reserve() => break,
                None => {
                    // Another thread may have been first, with this route or another.
                    let mut ours = false;
                    let entry = slot.get_or_init(|| {
                        ours = true;
                        Box::new(new())
                    });
                    if !ours {
                        self.known.fetch_sub(1, Ordering::Relaxed);
                    }
                    entry
                }
            };
            if entry.0.as_str() == name {
                return entry;
            }
        }
        self.other.get_or_init(|| Box::new((Route::OTHER, other())))
    }

    /// All entries, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Route, &T)> {
        let entries = self.slots.iter().chain([&self.other]);
        entries
            .filter_map(OnceLock::get)
            .map(|entry| (&entry.0, &entry.1))
    }

    /// Takes one of the remaining places.
    fn reserve(&self) -> bool {
        let one_more = |known| (known < ROUTES).then_some(known + 1);
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        self.known.fetch_update(success, failure, one_more).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Arc, thread};

    fn label(text: String) -> Route {
        Route::from(Arc::from(text))
    }

    #[test]
    fn a_route_finds_its_own_entry_again_and_no_other() {
        let table = RouteTable::new();
        let entry = |name: &'static str| table.of(&Route::from(name), |route| route.to_string());
        assert_eq!(entry("/a").1, "/a");
        assert_eq!(entry("/b").1, "/b");
        assert!(std::ptr::eq(entry("/a"), entry("/a")));
        assert_eq!(table.iter().count(), 2);
    }

    #[test]
    fn routes_beyond_the_cap_and_overlong_labels_share_one_entry() {
        let table = RouteTable::new();
        let (told, ()) = table.of(&label("x".repeat(LONGEST + 1)), |_| ());
        assert_eq!(*told, Route::OTHER);
        assert_eq!(table.iter().count(), 1);
        for n in 0..10 * ROUTES {
            table.of(&label(n.to_string()), |_| ());
        }
        assert_eq!(table.iter().count(), ROUTES + 1);
    }

    #[test]
    fn threads_that_bring_the_same_routes_at_once_share_their_entries() {
        let table = RouteTable::new();
        let count = || {
            for n in 0..2 * ROUTES {
                let (_, counter) = table.of(&label(n.to_string()), |_| AtomicUsize::new(0));
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(count))));
        let counts = || {
            table
                .iter()
                .map(|(_, counter)| counter.load(Ordering::Relaxed))
        };
        assert_eq!(counts().sum::<usize>(), 4 * 2 * ROUTES);
        assert_eq!(counts().count(), ROUTES + 1);
        assert_eq!(table.known.load(Ordering::Relaxed), ROUTES);
    }
}
