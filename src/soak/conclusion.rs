//! From the shape of growth to a verdict: whose it is, whether growth would be seen, and what is not live heap.

use super::{
    coarse,
    figures::{Look, Source},
    run::{Ended, Run, invalid},
    shape::Shape,
    traffic::{FORGOTTEN, Forgotten},
    verdict::Verdict,
};
use crate::{MIB, reclaim::reclaim};
use http::Request;
use std::sync::{Arc, Mutex};
use tower_service::Service;

/// Resident memory beyond live heap that is worth a word.
const HELD: u64 = 8 * MIB;
/// Connections that a server's figures must show.
const CONNECTIONS: u64 = 8;

impl Run {
    /// The verdict on growth of that shape, and of so many bytes a request.
    pub(super) async fn conclude(&mut self, shape: Shape, rate: f64) -> Result<Verdict, Ended> {
        Ok(match shape {
            Shape::Grows => self.grows(rate),
            Shape::Doubles { step, at, next } => Verdict::GrowsByDoubling {
                step: step.max(0) as u64,
                at,
                next,
            },
            Shape::Idle => Verdict::NotByRequests {
                per_second: self.series.idle,
            },
            Shape::Stepped { step, at } => {
                self.control().await?;
                let stepped = Verdict::Stepped {
                    step: step.max(0) as u64,
                    at,
                };
                self.outside_of_live_heap().await.unwrap_or(stepped)
            }
            Shape::Settled => {
                self.control().await?;
                let settled = Verdict::Settled { per_request: rate };
                self.outside_of_live_heap().await.unwrap_or(settled)
            }
        })
    }

    fn grows(&self, per_request: f64) -> Verdict {
        let stages = self.series.all_stages().iter();
        let all: i64 = stages.map(|round| round.grown).sum();
        let of_routes: i64 = self
            .grown
            .values()
            .copied()
            .filter(|grown| *grown > 0)
            .sum();
        let most = self.grown.iter().max_by_key(|(_, grown)| **grown);
        let share = (of_routes as f64 / all.max(1) as f64).min(1.0);
        Verdict::Grows {
            per_request,
            explained: (!self.grown.is_empty()).then_some(share),
            route: most
                .filter(|(_, grown)| **grown as f64 >= 0.1 * all as f64)
                .map(|(route, _)| route.clone()),
        }
    }

    /// Shows that growth would be seen, or else nothing that looks settled is.
    async fn control(&mut self) -> Result<(), Ended> {
        let Source::Dashboard(remote, _) = &self.source else {
            return self.forget().await;
        };
        // Nothing can be forgotten in another process, but connections cost it some memory.
        let others: Vec<_> = (0..CONNECTIONS)
            .map(|_| remote.with_connections_of_its_own())
            .collect();
        let before = self.rest().await?.live.unwrap_or(0);
        for other in &others {
            let mut other = other.clone();
            let request = Request::get("/").body(String::new());
            let request = request.map_err(|error| invalid(error.to_string()))?;
            // Any answer will do.
            let _ = other.call(request).await;
        }
        let after = self.rest().await?.live.unwrap_or(0);
        drop(others);
        self.last = self.rest().await?;
        match after >= before + CONNECTIONS * 256 {
            true => Ok(()),
            false => Err(invalid(format!(
                "{CONNECTIONS} more connections don't show in the figures ({before} -> {after} B): they are old, or of another process"
            ))),
        }
    }

    /// Forgets some bytes for each request and looks whether that is seen.
    async fn forget(&mut self) -> Result<(), Ended> {
        let requests = 2 * self.size;
        let forgotten: Forgotten = Arc::new(Mutex::new(Vec::with_capacity(requests as usize)));
        self.batch.forget = Some(Arc::clone(&forgotten));
        self.last = self.rest().await?;
        let sent = self.series.sent();
        let before = self.last.bytes().unwrap_or(0);
        let answered = self.batch.run(sent, sent + requests).await;
        self.batch.forget = None;
        answered.map_err(invalid)?;
        let after = self.rest().await?.bytes().unwrap_or(0);
        drop(forgotten);
        self.last = self.rest().await?;
        let seen = (after as f64 - before as f64) / requests as f64;
        let usual = self.series.rates().last().copied().unwrap_or(0.0);
        match seen - usual >= FORGOTTEN as f64 / 2.0 {
            true => Ok(()),
            false => Err(invalid(format!(
                "{FORGOTTEN} B a request that the soak itself forgot were seen as {seen:.1}: growth would not be noticed"
            ))),
        }
    }

    /// The verdict on resident memory that is not live heap, if there is something to say.
    async fn outside_of_live_heap(&mut self) -> Option<Verdict> {
        let grown =
            |of: fn(&Look) -> Option<u64>| Some(of(&self.last)? as i64 - of(&self.first)? as i64);
        let resident = grown(|look| look.resident)?;
        let held = (resident - grown(|look| look.live)?.max(0)).max(0) as u64;
        if held < HELD {
            return None;
        }
        let given_back = match self.source.is_own() {
            true => tokio::task::spawn_blocking(|| reclaim().bytes())
                .await
                .ok()?,
            false => None,
        };
        if given_back.is_some_and(|bytes| bytes >= held / 2) {
            return Some(Verdict::HeldByAllocator { held, given_back });
        }
        if let Some(per_request) = self.resident_rises() {
            return Some(Verdict::Elsewhere { per_request });
        }
        Some(match given_back {
            Some(given_back) => Verdict::Pinned { held, given_back },
            None => Verdict::HeldByAllocator { held, given_back },
        })
    }

    /// Bytes a request by which resident memory rose in each of the last two stages.
    fn resident_rises(&self) -> Option<f64> {
        let rate = |stage: usize| {
            let rounds = self.series.stage(stage);
            let grown: Option<i64> = rounds.iter().map(|round| round.resident).sum();
            let requests: u64 = rounds.iter().map(|round| round.requests).sum();
            Some(grown? as f64 / requests as f64)
        };
        let last = self.series.stages().checked_sub(1)?;
        let (before, last) = (rate(last.checked_sub(1)?)?, rate(last)?);
        (last >= coarse::LEAST && last >= before / 2.0 && before >= coarse::LEAST).then_some(last)
    }
}
