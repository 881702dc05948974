//! Results of computing systems: on threads of their own, a few at once, and each only once for as
//! long as there is room to keep it.

use crate::{
    model::{
        compute::{Attribution, Cancel, Engine, Failure},
        footprint::Footprint,
    },
    problem::Problem,
    store::{Content, System},
};
use axum::http::StatusCode;
use bytesize::ByteSize;
use quick_cache::{Weighter, sync::Cache};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};
use tower_memory::heap::CurrentRequest;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

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
        // Who asks for what is being computed waits for it; who stops asking stops it, and the next
        // one who waits begins anew.
        let computing = async || {
            self.compute(system, |engine| Footprint::of(engine))
                .await
                .map(Arc::new)
        };
        self.footprints
            .get_or_insert_async(system.content(), computing())
            .await
    }

    /// Who causes the footprint of a system.
    pub(crate) async fn attribution(
        &self,
        system: &Arc<System>,
    ) -> Result<Arc<Attribution>, Problem> {
        let computing = async || {
            self.compute(system, |engine| Attribution::of(engine))
                .await
                .map(Arc::new)
        };
        self.attributions
            .get_or_insert_async(system.content(), computing())
            .await
    }

    /// Computes something of a system, when its turn comes and until nobody waits for it any more.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        system: &Arc<System>,
        compute: impl FnOnce(&Engine) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Problem> {
        // The turn goes with the thread, which may outlive the request.
        let turn = self.turn().await?;
        let stop = CancelOnDrop(Cancel::default());
        let (system, cancel) = (Arc::clone(system), stop.0.clone());
        let computing = spawn_blocking(CurrentRequest::carry_fn(move || {
            let _turn = turn;
            compute(&Engine::new(system.model(), cancel)?)
        }));
        match computing.await {
            Ok(result) => result.map_err(Problem::from),
            Err(error) => {
                tracing::error!(%error, "computing a system failed");
                Err(Problem::internal())
            }
        }
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        match timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Others' systems are being computed, and it was not this one's turn for a while: \
                 ask again in some seconds, or start the server with a higher `--compute-at-once`.",
            )
            .retry_after(PATIENCE)),
        }
    }
}

/// Stops a computation that nobody waits for any more.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
