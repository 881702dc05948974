//! The procedure: rest, warm-up, idle control, stages that double, and the control that shows the soak would see.

use super::{
    coarse::{self, SAMPLES, Trend},
    figures::{Look, Source},
    judgement::{Judgement, RouteGrowth, Stage},
    series::{Progress, Round, Series},
    shape::Shape,
    traffic::{Batch, FORGOTTEN, Forgotten},
    verdict::Verdict,
};
use crate::{MIB, reclaim::reclaim};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// Between two looks.
const BREATH: Duration = Duration::from_millis(10);
/// How long requests may take to settle after their responses were read.
const SETTLING: Duration = Duration::from_secs(10);
/// How long memory may move before it is taken as it is.
const RESTLESS: Duration = Duration::from_secs(1);
/// How long the idle control lasts at least.
const IDLE: Duration = Duration::from_secs(1);
/// Four to begin with, then three more if it takes them.
const STAGES: u32 = 7;
/// Resident memory beyond live heap that is worth a word.
const HELD: u64 = 8 * MIB;
/// Connections that a server's figures must show.
const CONNECTIONS: u64 = 8;

/// A soak that is under way.
pub(super) struct Run {
    pub(super) source: Source,
    pub(super) batch: Batch,
    pub(super) size: u64,
    pub(super) deadline: Instant,
    pub(super) progress: Option<Progress>,
    last: Look,
    first: Look,
    series: Series,
    grown: BTreeMap<String, i64>,
}

/// Why a run doesn't count, or ends early.
type Ended = Verdict;

fn invalid(reason: impl Into<String>) -> Ended {
    Verdict::Invalid {
        reason: reason.into(),
    }
}

impl Run {
    pub(super) fn new(source: Source, batch: Batch, size: u64, most: Duration) -> Self {
        Self {
            source,
            batch,
            size,
            deadline: Instant::now() + most,
            progress: None,
            last: Look::default(),
            first: Look::default(),
            series: Series::new(size),
            grown: BTreeMap::new(),
        }
    }

    pub(super) async fn judge(mut self) -> Judgement {
        let mut is_exact = true;
        let verdict = match self.rest().await {
            Err(ended) => ended,
            Ok(look) => {
                is_exact = look.live.is_some();
                (self.first, self.last) = (look.clone(), look);
                let judged = match is_exact {
                    true => self.exact().await,
                    false => self.coarse().await,
                };
                judged.unwrap_or_else(|ended| ended)
            }
        };
        self.judgement(verdict, is_exact)
    }

    /// By live heap.
    async fn exact(&mut self) -> Result<Verdict, Ended> {
        while !self.series.is_warm() {
            self.round(self.size).await?;
        }
        let before = self.source.routes().await.map_err(invalid)?;
        self.idle().await?;
        self.series.begin_stages();
        let mut shape = None;
        for stage in 0..STAGES {
            for _ in 0..1 << stage {
                self.round(self.size).await?;
            }
            self.series.end_stage();
            shape = self.series.shape();
            if shape.is_some() {
                break;
            }
        }
        let after = self.source.routes().await.map_err(invalid)?;
        self.grown = after
            .into_iter()
            .map(|(route, live)| {
                let before = before.get(&route).copied().unwrap_or(0);
                (route, live as i64 - before as i64)
            })
            .collect();
        let Some(shape) = shape else {
            return Ok(Verdict::Inconclusive {
                more: 2 * self.series.sent(),
                reason: "memory neither settles nor grows with each request".to_owned(),
            });
        };
        self.verdict(shape).await
    }

    async fn verdict(&mut self, shape: Shape) -> Result<Verdict, Ended> {
        let last = self.series.rates().last().copied().unwrap_or(0.0);
        Ok(match shape {
            Shape::Grows => self.grows(last),
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
                match self.outside_of_live_heap().await {
                    Some(verdict) => verdict,
                    None => Verdict::Stepped {
                        step: step.max(0) as u64,
                        at,
                    },
                }
            }
            Shape::Settled => {
                self.control().await?;
                match self.outside_of_live_heap().await {
                    Some(verdict) => verdict,
                    None => Verdict::Settled { per_request: last },
                }
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
            let request = http::Request::get("/").body(String::new());
            let request = request.map_err(|error| invalid(error.to_string()))?;
            // Any answer will do.
            let _ = tower_service::Service::call(&mut other, request).await;
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

    /// By resident memory alone.
    async fn coarse(&mut self) -> Result<Verdict, Ended> {
        let size = self.size.max(200);
        self.samples(SAMPLES, size).await?;
        match coarse::trend(&self.levels(0)) {
            Trend::Jumped(step, at) => Ok(Verdict::Stepped {
                step: step as u64,
                at: at as u64,
            }),
            Trend::Level => match self.would_rise() {
                true => Ok(Verdict::Settled {
                    per_request: self.series.rates().last().copied().unwrap_or(0.0),
                }),
                false => Ok(Verdict::Inconclusive {
                    more: 2 * self.series.sent(),
                    reason: "resident memory moves so much that 1 KiB a request would not be seen"
                        .to_owned(),
                }),
            },
            Trend::Rises(first) => {
                // What rises by chance does not go on to.
                self.samples(2 * SAMPLES, size).await?;
                match coarse::trend_of_warm(&self.levels(SAMPLES)) {
                    Trend::Rises(again) if (first / 2.0..=first * 2.0).contains(&again) => {
                        Ok(Verdict::Grows {
                            per_request: again,
                            explained: None,
                            route: None,
                        })
                    }
                    _ => Ok(Verdict::Inconclusive {
                        more: 2 * self.series.sent(),
                        reason: "resident memory rose and did not go on to".to_owned(),
                    }),
                }
            }
        }
    }

    async fn samples(&mut self, count: usize, size: u64) -> Result<(), Ended> {
        if self.series.stages() == 0 {
            self.series.begin_stages();
        }
        for _ in 0..count {
            self.round(size).await?;
        }
        self.series.end_stage();
        Ok(())
    }

    /// Whether the same samples would rise if each request kept twice what counts.
    fn would_rise(&self) -> bool {
        let mut samples = self.levels(0);
        for (requests, bytes) in &mut samples {
            *bytes += *requests * 2.0 * coarse::LEAST;
        }
        matches!(coarse::trend(&samples), Trend::Rises(_))
    }

    /// Requests and bytes from a round on.
    fn levels(&self, from: usize) -> Vec<coarse::Sample> {
        let sum = |level: &mut i64, round: &Round| {
            *level += round.grown;
            Some((round.sent as f64, *level as f64))
        };
        let rounds = self.series.rounds.iter().scan(0, sum);
        rounds.skip(from).collect()
    }

    /// How much the process grows by without requests.
    async fn idle(&mut self) -> Result<(), Ended> {
        let begin = self.rest().await?;
        let since = Instant::now();
        sleep(IDLE).await;
        let end = self.rest().await?;
        let grown = end.bytes().unwrap_or(0) as f64 - begin.bytes().unwrap_or(0) as f64;
        self.series.idle = (grown / since.elapsed().as_secs_f64()).max(0.0);
        self.last = end;
        Ok(())
    }

    async fn round(&mut self, requests: u64) -> Result<(), Ended> {
        let begin = Instant::now();
        if begin > self.deadline {
            return Err(Verdict::Inconclusive {
                more: self.series.sent().max(self.size),
                reason: format!("time was up after {} requests", self.series.sent()),
            });
        }
        let sent = self.series.sent();
        self.batch
            .run(sent, sent + requests)
            .await
            .map_err(invalid)?;
        let look = self.rest().await?;
        self.same_process(&look, sent + requests)?;
        let grown = |of: fn(&Look) -> Option<u64>| Some(of(&look)? as i64 - of(&self.last)? as i64);
        let Some(bytes) = grown(Look::bytes) else {
            return Err(invalid("memory can't be read any more"));
        };
        let round = Round {
            requests,
            sent: sent + requests,
            grown: bytes,
            resident: grown(|look| look.resident),
            seconds: begin.elapsed().as_secs_f64(),
        };
        self.series.push(round);
        self.last = look;
        if let Some(progress) = &self.progress {
            progress(&round);
        }
        Ok(())
    }

    fn same_process(&self, look: &Look, sent: u64) -> Result<(), Ended> {
        if look.process != self.first.process {
            return Err(invalid(format!(
                "the service was restarted within its first {sent} requests"
            )));
        }
        let (Some(first), Some(now)) = (self.first.requests, look.requests) else {
            return Ok(());
        };
        let counted = now.saturating_sub(first);
        if counted < sent / 2 {
            return Err(invalid(format!(
                "of {sent} requests the dashboard counted {counted}: its figures are old, or of another process"
            )));
        }
        // The control and the figures themselves may be counted.
        if counted > sent + sent / 10 + 1_000 {
            return Err(invalid(format!(
                "{counted} requests were counted for the {sent} of the soak: others use the service"
            )));
        }
        Ok(())
    }

    /// A look once no request is open and memory stands still, or moves for longer than it should.
    async fn rest(&self) -> Result<Look, Ended> {
        let begin = Instant::now();
        let mut last = self.source.look().await.map_err(invalid)?;
        let mut same = 0;
        loop {
            sleep(BREATH).await;
            let look = self.source.look().await.map_err(invalid)?;
            let waited = begin.elapsed();
            if look.open > 0 {
                if waited > SETTLING {
                    return Err(invalid(format!(
                        "never at rest: {} requests are open after 10 s",
                        look.open
                    )));
                }
                (last, same) = (look, 0);
                continue;
            }
            same = if look.bytes() == last.bytes() {
                same + 1
            } else {
                0
            };
            last = look;
            let is_still = same >= 2;
            // Resident memory never stands quite still.
            if is_still || last.live.is_none() || waited > RESTLESS {
                return Ok(last);
            }
        }
    }

    fn judgement(self, verdict: Verdict, is_exact: bool) -> Judgement {
        let series = &self.series;
        let rates = series.rates();
        let stages = (0..series.stages()).map(|stage| {
            let rounds = series.stage(stage);
            Stage {
                requests: rounds.iter().map(|round| round.requests).sum(),
                grown: rounds.iter().map(|round| round.grown).sum(),
                per_request: rates[stage],
                floor: series.floor(stage),
                resident: rounds.iter().map(|round| round.resident).sum(),
                seconds: rounds.iter().map(|round| round.seconds).sum(),
            }
        });
        let stages: Vec<_> = stages.collect();
        let requests = stages
            .iter()
            .map(|stage| stage.requests)
            .sum::<u64>()
            .max(1);
        let mut routes: Vec<_> = self
            .grown
            .iter()
            .map(|(route, grown)| RouteGrowth {
                route: route.clone(),
                grown: *grown,
                per_request: *grown as f64 / requests as f64,
            })
            .collect();
        routes.sort_by_key(|route| -route.grown);
        let warm_up = series.warm_up();
        Judgement {
            verdict,
            stages,
            routes,
            warm_up,
            requests: series.sent(),
            is_exact,
            rounds: self.series.rounds,
        }
    }
}
