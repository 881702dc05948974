//! The procedure: rest, warm-up, idle control, and stages that double.

use super::{
    figures::{Look, Source},
    judgement::{Judgement, RouteGrowth, Stage},
    series::{Progress, Round, Series},
    shape::Shape,
    traffic::Batch,
    verdict::Verdict,
};
use std::{
    collections::BTreeMap,
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

/// A soak that is under way.
pub(super) struct Run {
    pub(super) source: Source,
    pub(super) batch: Batch,
    pub(super) size: u64,
    pub(super) deadline: Instant,
    pub(super) progress: Option<Progress>,
    pub(super) last: Look,
    pub(super) first: Look,
    pub(super) series: Series,
    pub(super) grown: BTreeMap<String, i64>,
}

/// Why a run doesn't count, or ends early.
pub(super) type Ended = Verdict;

pub(super) fn invalid(reason: impl Into<String>) -> Ended {
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
        let mut decided = None;
        for stage in 0..STAGES {
            for _ in 0..1 << stage {
                self.round(self.size).await?;
            }
            self.series.end_stage();
            decided = self.shape();
            if decided.is_some() {
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
        let Some((shape, rate)) = decided else {
            return Ok(Verdict::Inconclusive {
                more: 2 * self.series.sent(),
                reason: "memory neither settles nor grows with each request".to_owned(),
            });
        };
        self.conclude(shape, rate).await
    }

    /// The shape, if there are enough stages to tell, and bytes a request in the last one.
    ///
    /// Routes own none of the memory of connections and of work in the background, which is noise here. So growth
    /// shows first in what they own.
    fn shape(&self) -> Option<(Shape, f64)> {
        let of = |series: &Series| Some((series.shape()?, *series.rates().last()?));
        let owned = self.series.of_routes().and_then(|series| of(&series));
        owned
            .filter(|(shape, _)| matches!(shape, Shape::Grows | Shape::Doubles { .. }))
            .or_else(|| of(&self.series))
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

    pub(super) async fn round(&mut self, requests: u64) -> Result<(), Ended> {
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
            owned: grown(|look| look.owned),
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
    pub(super) async fn rest(&self) -> Result<Look, Ended> {
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
        let owned = series.of_routes().map(|series| series.rates());
        let stages = (0..series.stages()).map(|stage| {
            let rounds = series.stage(stage);
            Stage {
                requests: rounds.iter().map(|round| round.requests).sum(),
                grown: rounds.iter().map(|round| round.grown).sum(),
                per_request: rates[stage],
                of_routes: owned.as_ref().map(|rates| rates[stage]),
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
