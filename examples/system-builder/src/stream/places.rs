//! Places that clients share.

use crate::{peer::Peer, problem::Problem};
use axum::http::StatusCode;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long somebody waits for a place.
const PATIENCE: Duration = Duration::from_secs(10);

/// Places of which no client has more than half.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    half: usize,
    // Nothing panics while it holds the lock.
    peers: Mutex<HashMap<Peer, Weak<Semaphore>>>,
}

/// A place among all, and one of the client's.
#[derive(Debug)]
pub(super) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_peer: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            half: all.div_ceil(2),
            peers: Mutex::default(),
        }
    }

    /// # Errors
    ///
    /// Where there is none for long.
    pub(super) async fn take(&self, peer: Peer) -> Result<Place, Problem> {
        let of_peer = self.of(peer);
        let taking = async {
            Some(Place {
                _of_peer: of_peer.acquire_owned().await.ok()?,
                _of_all: Arc::clone(&self.all).acquire_owned().await.ok()?,
            })
        };
        let place = timeout(PATIENCE, taking).await;
        place.ok().flatten().ok_or_else(|| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many answers wait to be read: read yours, or try again in a few seconds.",
            )
            .retry_after(PATIENCE)
        })
    }

    fn of(&self, peer: Peer) -> Arc<Semaphore> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = peers.get(&peer).and_then(Weak::upgrade) {
            return places;
        }
        peers.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(self.half));
        peers.insert(peer, Arc::downgrade(&places));
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn peer(last: u8) -> Peer {
        IpAddr::from([203, 0, 113, last]).into()
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_has_half_of_the_places_and_others_the_rest() {
        let places = Places::new(4);
        let first = places.take(peer(1)).await.unwrap();
        let _second = places.take(peer(1)).await.unwrap();
        assert!(places.take(peer(1)).await.is_err());
        assert!(places.take(peer(2)).await.is_ok());
        drop(first);
        assert!(places.take(peer(1)).await.is_ok());
    }
}
