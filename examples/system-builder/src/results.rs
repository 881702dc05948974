//! Results of computing systems: on threads of their own, a few at once, and each only once for as
//! long as there is room to keep it.

use crate::{
    problem::Problem,
    store::{Content, System},
};
use axum::http::StatusCode;
use bytesize::ByteSize;
use efootprint::{Attribution, Cancel, Engine, Failure, footprint::Footprint};
use quick_cache::{Weighter, sync::Cache};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::{Instant, timeout, timeout_at},
};
use tower_memory::heap::CurrentRequest;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a system may be computed. The largest that anybody has shown took a second.
const LONGEST: Duration = Duration::from_secs(60);

/// Computes systems and keeps what came out.
#[derive(Debug)]
pub(crate) struct Results {
    turns: Arc<Semaphore>,
    footprints: Cache<Content, Arc<Footprint>, Size>,
    attributions: Cache<Content, Arc<Attribution>, Size>,
}

/// What a kept result takes, in bytes.
#[derive(Clone, Debug)]
struct Size;

/// A result's entry, beside the result.
const ENTRY: u64 = 256;

impl Weighter<Content, Arc<Footprint>> for Size {
    fn weight(&self, _: &Content, footprint: &Arc<Footprint>) -> u64 {
        ENTRY + footprint.size() as u64
    }
}

impl Weighter<Content, Arc<Attribution>> for Size {
    fn weight(&self, _: &Content, attribution: &Arc<Attribution>) -> u64 {
        ENTRY + attribution.size() as u64
    }
}

impl Results {
    /// Computes `at_once` systems at once, and keeps results of so many bytes.
    pub(crate) fn new(at_once: usize, limit: ByteSize) -> Self {
        // Footprints have series, attributions just rows.
        let (footprints, attributions) = (limit.as_u64() / 4 * 3, limit.as_u64() / 4);
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
            footprints: Cache::with_weighter(256, footprints, Size),
            attributions: Cache::with_weighter(256, attributions, Size),
        }
    }

    /// The footprint of a system.
    pub(crate) async fn footprint(&self, system: &Arc<System>) -> Result<Arc<Footprint>, Problem> {
        self.kept(&self.footprints, system, Footprint::of).await
    }

    /// The attribution of a system's footprint.
    pub(crate) async fn attribution(
        &self,
        system: &Arc<System>,
    ) -> Result<Arc<Attribution>, Problem> {
        self.kept(&self.attributions, system, Attribution::of).await
    }

    /// What is kept, or else computed and kept.
    async fn kept<T: Send + Sync + 'static>(
        &self,
        results: &Cache<Content, Arc<T>, Size>,
        system: &Arc<System>,
        compute: fn(&Engine) -> Result<T, Failure>,
    ) -> Result<Arc<T>, Problem>
    where
        Size: Weighter<Content, Arc<T>>,
    {
        // Requests for the same results share one computation. When the request that started it goes away, it
        // stops, and the next in line starts again, unless that has waited long enough.
        let until = Instant::now() + PATIENCE;
        let computing = async || self.compute_by(until, system, compute).await.map(Arc::new);
        let result = results.get_or_insert_async(system.content(), computing());
        let waited = timeout_at(until + LONGEST, result).await;
        waited.unwrap_or_else(|_| Err(not_yet()))
    }

    /// Drops what is kept of a system.
    pub(crate) fn forget(&self, system: &System) {
        self.footprints.remove(system.content());
        self.attributions.remove(system.content());
    }

    /// Computes something of a system, when its turn comes and until nobody waits for it any more.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        system: &Arc<System>,
        compute: impl FnOnce(&Engine) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        self.compute_by(Instant::now() + PATIENCE, system, compute)
            .await
    }

    /// The same, if its turn comes until then.
    async fn compute_by<T: Send + 'static>(
        &self,
        until: Instant,
        system: &Arc<System>,
        compute: impl FnOnce(&Engine) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = self.turn(until).await?;
        let stop = CancelOnDrop(Cancel::default());
        let (system, cancel) = (Arc::clone(system), stop.0.clone());
        let computing = in_turn(turn, move || compute(&Engine::new(system.model(), cancel)?));
        match timeout(LONGEST, computing).await {
            Ok(result) => result?.map_err(Problem::from),
            Err(_) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                format!(
                    "The system takes longer than {} s to compute: split it, or use \
                     `system-builder compute`.",
                    LONGEST.as_secs()
                ),
            )),
        }
    }

    async fn turn(&self, until: Instant) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout_at(until, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(not_yet()),
        }
    }
}

/// Works on a thread for it. The turn goes with the thread, which may outlive the request.
async fn in_turn<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let working = spawn_blocking(CurrentRequest::carry_fn(move || {
        let _turn = turn;
        work()
    }));
    working.await.map_err(|error| {
        tracing::error!(%error, "computing a system failed");
        Problem::internal()
    })
}

fn not_yet() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The server is busy; try again in a few seconds, or start it with a higher `--compute-at-once`.",
    )
    .retry_after(PATIENCE)
}

/// Stops a computation that nobody waits for any more.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Room;
    use std::sync::mpsc;
    use tokio::time::advance;

    fn system() -> Arc<System> {
        let file = include_bytes!("../../efootprint/tests/systems/web-101.json");
        let room = Arc::new(Room::new(ByteSize::gib(1)));
        Arc::new(
            room.admit(efootprint::read(&file[..]).unwrap(), [0; 32])
                .unwrap(),
        )
    }

    #[tokio::test]
    async fn a_computation_stops_when_nobody_waits_for_it_any_more() {
        let results = Results::new(1, ByteSize::mib(1));
        let (begun, has_begun) = mpsc::channel();
        let (ended, has_ended) = mpsc::channel();
        let endless = move |engine: &Engine| -> Result<(), Failure> {
            begun.send(()).unwrap();
            while engine.check().is_ok() {}
            ended.send(()).unwrap();
            Err(Failure::Cancelled)
        };
        let system = system();
        let asking = tokio::spawn(async move { results.compute(&system, endless).await });
        spawn_blocking(move || has_begun.recv())
            .await
            .unwrap()
            .unwrap();
        asking.abort();
        spawn_blocking(move || has_ended.recv())
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_a_turn_is_told_when_to_ask_again() {
        let results = Results::new(1, ByteSize::mib(1));
        let system = system();
        let turn = results.turn(Instant::now()).await.unwrap();
        // Both want the same: one waits for a turn, the other one for what the first will have.
        let began = Instant::now();
        let both = async { tokio::join!(results.footprint(&system), results.footprint(&system)) };
        tokio::pin!(both);
        let (first, second) = loop {
            tokio::select! {
                // They look at the clock at every step of it.
                biased;
                answers = &mut both => break answers,
                () = advance(Duration::from_secs(1)) => {}
            }
        };
        assert!(began.elapsed() < PATIENCE + Duration::from_secs(3));
        for refused in [first.unwrap_err(), second.unwrap_err()] {
            let answer = serde_json::to_value(&refused).unwrap();
            assert_eq!(answer["status"], 503);
            let detail = answer["detail"].as_str().unwrap();
            assert!(detail.contains("--compute-at-once"), "{detail}");
        }
        drop(turn);
        assert!(results.turn(Instant::now()).await.is_ok());
    }

    #[tokio::test]
    async fn the_same_content_is_computed_once() {
        let results = Results::new(1, ByteSize::mib(1));
        let (first, again) = (system(), system());
        let footprint = results.footprint(&first).await.unwrap();
        assert!(Arc::ptr_eq(
            &footprint,
            &results.footprint(&again).await.unwrap()
        ));
        results.forget(&first);
        assert_eq!(results.footprints.len(), 0);
    }

    #[tokio::test]
    async fn results_without_room_are_given_and_not_kept() {
        let results = Results::new(1, ByteSize::b(100));
        let footprint = results.footprint(&system()).await.unwrap();
        assert!(footprint.total() > 0.0);
        assert_eq!(results.footprints.len(), 0);
    }
}
