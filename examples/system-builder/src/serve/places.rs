//! Places for connections, shared between clients.

use crate::peer::Peer;
use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::{sync::Notify, time::Instant};

/// Descriptors for everything that is not a connection.
const OTHER_FILES: usize = 32;

/// How many connections may be open: as many as asked for, or as the limit of open files allows.
pub(super) fn most(asked: NonZeroUsize) -> usize {
    match open_files() {
        Some(files) => asked
            .get()
            .min(files.saturating_sub(OTHER_FILES).max(files / 2))
            .max(1),
        None => asked.get(),
    }
}

#[cfg(unix)]
fn open_files() -> Option<usize> {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current.and_then(|files| files.try_into().ok())
}

#[cfg(not(unix))]
fn open_files() -> Option<usize> {
    None
}

#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    // Nothing panics while it holds the lock.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    connections: BTreeMap<u64, Connection>,
    next: u64,
}

#[derive(Debug)]
struct Connection {
    client: Peer,
    state: Arc<State>,
}

/// What a connection and the others know of each other.
#[derive(Debug)]
struct State {
    busy: AtomicBool,
    idle_since: Mutex<Instant>,
    leave: Notify,
}

impl State {
    fn idle_since(&self) -> Option<Instant> {
        let idle = || {
            *self
                .idle_since
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        (!self.busy.load(Relaxed)).then(idle)
    }
}

impl Places {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: Mutex::default(),
        })
    }

    /// A place for a connection of this client, if need be that of one that waits for a request.
    pub(super) fn take(places: &Arc<Self>, client: Peer) -> Option<Place> {
        let mut open = places.open();
        let own = open.of(client);
        if own >= places.most.div_ceil(2) {
            open.send_idle_away(client)?;
        } else if open.connections.len() >= places.most {
            let largest = open.largest()?;
            open.send_idle_away(largest)
                .or_else(|| open.send_any_idle_away())?;
        }
        let state = Arc::new(State {
            busy: AtomicBool::new(false),
            idle_since: Mutex::new(Instant::now()),
            leave: Notify::new(),
        });
        let number = open.next;
        open.next += 1;
        let connection = Connection {
            client,
            state: Arc::clone(&state),
        };
        open.connections.insert(number, connection);
        Some(Place {
            number,
            state,
            places: Arc::clone(places),
        })
    }

    /// Ends an eighth of the idle connections, and tells how many those are.
    pub(super) fn free_some(&self) -> usize {
        let mut open = self.open();
        let count = open.connections.len().div_ceil(8);
        (0..count).map_while(|_| open.send_any_idle_away()).count()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn of(&self, client: Peer) -> usize {
        let connections = self.connections.values();
        connections.filter(|one| one.client == client).count()
    }

    /// The client with most connections.
    fn largest(&self) -> Option<Peer> {
        let mut counts = HashMap::new();
        for connection in self.connections.values() {
            *counts.entry(connection.client).or_insert(0) += 1;
        }
        let largest = counts.into_iter().max_by_key(|(_, count)| *count);
        largest.map(|(client, _)| client)
    }

    fn send_any_idle_away(&mut self) -> Option<()> {
        self.send_away(|_| true)
    }

    fn send_idle_away(&mut self, client: Peer) -> Option<()> {
        self.send_away(|connection| connection.client == client)
    }

    /// Ends the connection that has been idle longest, and has its place at once.
    fn send_away(&mut self, which: impl Fn(&Connection) -> bool) -> Option<()> {
        let connections = self.connections.iter();
        let idle = connections
            .filter(|(_, connection)| which(connection))
            .filter_map(|(number, connection)| Some((connection.state.idle_since()?, *number)));
        let (_, longest) = idle.min()?;
        let connection = self.connections.remove(&longest)?;
        connection.state.leave.notify_one();
        Some(())
    }
}

/// The place of one connection.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    state: Arc<State>,
    places: Arc<Places>,
}

impl Place {
    /// Resolves once the connection has to make room.
    pub(super) async fn sent_away(&self) {
        self.state.leave.notified().await;
    }

    pub(super) fn is_busy(&self) -> bool {
        self.state.busy.load(Relaxed)
    }

    /// Marks the connection as busy with a request until this is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.state.busy.store(true, Relaxed);
        Busy(Arc::clone(&self.state))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.open().connections.remove(&self.number);
    }
}

#[derive(Debug)]
pub(super) struct Busy(Arc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        *self
            .0
            .idle_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use std::{net::IpAddr, time::Duration};
    use tokio::time::advance;

    fn address(last: u8) -> Peer {
        IpAddr::from([203, 0, 113, last]).into()
    }

    fn is_sent_away(place: &Place) -> bool {
        place.sent_away().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_half_of_the_places_gives_up_the_one_idle_longest_for_the_next() {
        let places = Places::new(4);
        let first = Places::take(&places, address(1)).unwrap();
        advance(Duration::from_secs(1)).await;
        let second = Places::take(&places, address(1)).unwrap();
        let third = Places::take(&places, address(1)).unwrap();
        assert!(is_sent_away(&first) && !is_sent_away(&second) && !is_sent_away(&third));
        assert_eq!(places.open().connections.len(), 2);
    }

    #[tokio::test]
    async fn busy_connections_stay_and_their_client_gets_no_more() {
        let places = Places::new(4);
        let taken: Vec<_> = (0..2)
            .map(|_| Places::take(&places, address(1)).unwrap())
            .collect();
        let busy: Vec<_> = taken.iter().map(Place::busy).collect();
        assert!(Places::take(&places, address(1)).is_none());
        assert!(Places::take(&places, address(2)).is_some());
        drop(busy);
        assert!(Places::take(&places, address(1)).is_some());
    }

    #[tokio::test]
    async fn a_new_client_has_a_place_while_others_hold_all_of_them_idle() {
        let places = Places::new(4);
        let taken: Vec<_> = [1, 1, 2, 3]
            .map(|last| Places::take(&places, address(last)).unwrap())
            .into();
        let place = Places::take(&places, address(4)).unwrap();
        assert!(is_sent_away(&taken[0]), "of the client that has most");
        drop((taken, place));
        assert_eq!(places.open().connections.len(), 0);
    }
}
