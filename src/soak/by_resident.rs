//! The procedure where only resident memory is known: many samples, and their trend.

use super::{
    coarse::{self, SAMPLES, Trend},
    run::{Ended, Run},
    series::Round,
    verdict::Verdict,
};

impl Run {
    /// By resident memory alone.
    pub(super) async fn coarse(&mut self) -> Result<Verdict, Ended> {
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
}
