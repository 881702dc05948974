//! How memory grew over the stages of a soak: numbers in, a shape out.

use super::series::{Round, Series, median};

/// Bytes a request below which growth counts as none, however quiet the service is.
const LEAST: f64 = 4.0;
/// Steps must be this share of all growth for it to count as growth in steps.
const MOSTLY: f64 = 0.8;

/// The way in which memory grew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Growth fades, or there is none.
    Settled,
    /// Each request adds about the same.
    Grows,
    /// Steps that double, each about twice as late as the last, as tables that are never emptied grow.
    Doubles { step: i64, at: u64, next: u64 },
    /// One step, and nothing since.
    Stepped { step: i64, at: u64 },
    /// The same growth comes without requests.
    Idle,
}

impl Series {
    /// The shape, or `None` while it takes more stages to tell.
    pub(super) fn shape(&self) -> Option<Shape> {
        if self.stages() < 4 {
            return None;
        }
        if self.is_by_time() {
            return Some(Shape::Idle);
        }
        self.steps()
            .or_else(|| self.is_settled().then_some(Shape::Settled))
            .or_else(|| self.grows().then_some(Shape::Grows))
    }

    /// Growth of each stage in bytes a request, less what the process grows by itself meanwhile.
    pub(super) fn rates(&self) -> Vec<f64> {
        (0..self.stages()).map(|stage| self.rate(stage)).collect()
    }

    fn rate(&self, stage: usize) -> f64 {
        let rounds = self.stage(stage);
        let grown: i64 = rounds.iter().map(|round| round.grown).sum();
        let idle = self.idle * rounds.iter().map(|round| round.seconds).sum::<f64>();
        (grown as f64 - idle) / requests(rounds) as f64
    }

    /// Bytes a request up to which a stage counts as level. Noise is of the process, not of requests, so the more there
    /// are the less of it is each one's.
    pub(super) fn floor(&self, stage: usize) -> f64 {
        LEAST.max(3.0 * self.noise() / requests(self.stage(stage)) as f64)
    }

    /// The median absolute deviation of what a round of the stages grows.
    fn noise(&self) -> f64 {
        let grown: Vec<_> = self.all_stages().iter().map(|it| it.grown as f64).collect();
        let middle = median(&grown);
        let away: Vec<_> = grown.iter().map(|grown| (grown - middle).abs()).collect();
        median(&away)
    }

    fn is_level(&self, stage: usize) -> bool {
        self.rate(stage) <= self.floor(stage)
    }

    /// Growth faded twice in a row, or was undone.
    fn is_settled(&self) -> bool {
        let fades =
            |stage: usize| self.is_level(stage) || self.rate(stage) <= self.rate(stage - 1) / 2.0;
        let last = self.stages() - 1;
        fades(last) && fades(last - 1) || self.falls_back()
    }

    /// Whether memory, after its highest of the last stage, falls as low as it was in the stages before. That of a
    /// saw-tooth does.
    fn falls_back(&self) -> bool {
        let last = self.stages() - 1;
        let levels = self.levels();
        let (before, levels) = levels.split_at(levels.len() - self.stage(last).len());
        let highest = levels.iter().map(|level| level.1).max().unwrap_or(0);
        let since = levels.iter().skip_while(|level| level.1 < highest).skip(1);
        match (lowest(before), lowest(since)) {
            (Some(before), Some(since)) => since.1 - before.1 <= self.counted(before.0, since.0),
            _ => false,
        }
    }

    /// Whether the lowest of each of the last stages is above that of the stage before, by about the same a request.
    /// A leak shows there however memory moves within a stage.
    fn rises(&self) -> bool {
        let mut levels = &*self.levels();
        let mut valleys = Vec::new();
        for stage in 0..self.stages() {
            let (of_stage, rest) = levels.split_at(self.stage(stage).len());
            levels = rest;
            valleys.extend(lowest(of_stage));
        }
        let [.., first, second, third] = valleys[..] else {
            return false;
        };
        let rate =
            |from: (u64, i64), to: (u64, i64)| (to.1 - from.1) as f64 / (to.0 - from.0) as f64;
        let (early, late) = (rate(first, second), rate(second, third));
        late > LEAST && (late / 2.0..late * 2.0).contains(&early)
    }

    /// Growth between two numbers of requests from which on it counts, in bytes.
    fn counted(&self, from: u64, to: u64) -> i64 {
        (LEAST * (to - from) as f64) as i64
    }

    /// Requests sent and bytes above the begin, at the end of each round of the stages.
    fn levels(&self) -> Vec<(u64, i64)> {
        let rounds = self.all_stages().iter();
        let sum = |level: &mut i64, round: &Round| {
            *level += round.grown;
            Some((round.sent, *level))
        };
        rounds.scan(0, sum).collect()
    }

    fn grows(&self) -> bool {
        let last = self.stages() - 1;
        let rates = self.rates();
        let highest = rates[last - 3..].iter().copied().fold(0.0, f64::max);
        let is_high = |stage: usize| !self.is_level(stage) && rates[stage] >= highest / 2.0;
        is_high(last) && (last - 3..=last).filter(|stage| is_high(*stage)).count() >= 3
            || self.falls() && self.rises()
    }

    /// Whether memory ever fell by what counts in a round.
    fn falls(&self) -> bool {
        let counted = LEAST * self.size as f64;
        self.all_stages()
            .iter()
            .any(|round| (round.grown as f64) < -counted)
    }

    /// At least 70 % of a growth that counts would have come without requests.
    fn is_by_time(&self) -> bool {
        let rounds = self.all_stages();
        let seconds: f64 = rounds.iter().map(|round| round.seconds).sum();
        let grown: i64 = rounds.iter().map(|round| round.grown).sum();
        let counts = LEAST * requests(rounds) as f64;
        let idle = self.idle * seconds;
        grown as f64 > counts && idle > counts && idle >= 0.7 * grown as f64
    }

    /// Whether growth came in steps: a last one that was twice the one before, or a single one.
    fn steps(&self) -> Option<Shape> {
        // The first round starts everything up.
        let rounds = self.rounds.get(1..)?;
        let level = (LEAST * self.size as f64).max(3.0 * self.noise()) as i64;
        let grown: i64 = rounds.iter().map(|round| round.grown.max(0)).sum();
        let steps: Vec<_> = rounds
            .iter()
            .filter(|round| round.grown > level && round.grown > grown / 20)
            .collect();
        let in_steps: i64 = steps.iter().map(|round| round.grown).sum();
        let in_stages = |round: &Round| round.sent > self.warm_up_sent();
        let last = *steps.last().filter(|last| in_stages(last))?;
        let is_mostly = in_steps as f64 >= MOSTLY * grown as f64;
        // One that comes with most rounds is no step.
        if !is_mostly || steps.len() * 3 > rounds.len() {
            return None;
        }
        let sent = rounds.last()?.sent;
        let doubled = steps.iter().rev().nth(1).is_some_and(|before| {
            let times = last.grown as f64 / before.grown as f64;
            let later = last.sent as f64 / before.sent as f64;
            (1.6..2.6).contains(&times) && (1.5..2.7).contains(&later)
        });
        if doubled && sent < last.sent * 27 / 10 {
            return Some(Shape::Doubles {
                step: last.grown,
                at: last.sent,
                next: last.sent * 2,
            });
        }
        let stages = self.all_stages().iter();
        let of_stages: i64 = stages.map(|round| round.grown.max(0)).sum();
        let is_one = last.grown as f64 > 0.6 * of_stages as f64;
        // Had it been the first of two that double, the second would have come.
        (is_one && sent >= last.sent * 22 / 10).then_some(Shape::Stepped {
            step: last.grown,
            at: last.sent,
        })
    }
}

/// The first of the lowest levels.
fn lowest<'a>(levels: impl IntoIterator<Item = &'a (u64, i64)>) -> Option<(u64, i64)> {
    levels.into_iter().copied().min_by_key(|level| level.1)
}

fn requests(rounds: &[Round]) -> u64 {
    rounds.iter().map(|round| round.requests).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A soak of a service that holds `live(n)` bytes after `n` requests.
    fn soaked(live: impl Fn(u64) -> i64) -> (Option<Shape>, Series) {
        let mut series = Series::new(250);
        let mut sent = 0;
        let mut round = |series: &mut Series| {
            let before = live(sent);
            sent += 250;
            series.push(Round {
                requests: 250,
                sent,
                grown: live(sent) - before,
                ..Round::default()
            });
        };
        while !series.is_warm() {
            round(&mut series);
        }
        series.begin_stages();
        for stage in 0..7 {
            (0..1 << stage).for_each(|_| round(&mut series));
            series.end_stage();
            if let Some(shape) = series.shape() {
                return (Some(shape), series);
            }
        }
        (None, series)
    }

    fn shape(live: impl Fn(u64) -> i64) -> Option<Shape> {
        soaked(live).0
    }

    /// Bytes of noise, the same for the same `n`.
    fn noise(n: u64, most: i64) -> i64 {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) % 1_000;
        (mixed as i64 - 500) * most / 500
    }

    #[test]
    fn a_service_that_keeps_nothing_is_settled() {
        assert_eq!(shape(|_| 5_000_000), Some(Shape::Settled));
    }

    #[test]
    fn noise_of_the_process_is_no_growth_of_requests() {
        for most in [100, 1_000, 20_000] {
            assert_eq!(shape(|n| noise(n, most)), Some(Shape::Settled), "{most}");
        }
    }

    #[test]
    fn sixteen_bytes_a_request_are_seen_within_8000_requests() {
        for bytes in [16, 64, 4096] {
            let (shape, series) = soaked(|n| bytes * n as i64);
            assert_eq!(shape, Some(Shape::Grows), "{bytes}");
            assert!(series.sent() <= 8_000);
        }
    }

    #[test]
    fn a_leak_among_noise_and_one_of_a_hundred_requests_grows() {
        assert_eq!(
            shape(|n| 64 * n as i64 + noise(n, 1_000)),
            Some(Shape::Grows)
        );
        assert_eq!(shape(|n| 6_400 * (n / 100) as i64), Some(Shape::Grows));
    }

    #[test]
    fn a_cache_that_fills_is_settled() {
        for entries in [100, 700, 1_500] {
            let live = |n: u64| 500 * n.min(entries) as i64;
            assert_eq!(shape(live), Some(Shape::Settled), "{entries}");
        }
    }

    #[test]
    fn a_warm_up_of_ten_rounds_is_settled() {
        let live = |n: u64| (1e6 * (1.0 - (-(n as f64) / 500.0).exp())) as i64;
        assert_eq!(shape(live), Some(Shape::Settled));
    }

    #[test]
    fn a_saw_tooth_is_settled() {
        for period in [300, 700, 1_700] {
            let live = |n: u64| 300 * (n % period) as i64;
            assert_eq!(shape(live), Some(Shape::Settled), "{period}");
            let leaks = |n: u64| live(n) + 64 * n as i64;
            assert_eq!(shape(leaks), Some(Shape::Grows), "{period}");
        }
    }

    #[test]
    fn a_table_that_is_never_emptied_doubles() {
        // The capacity of a hash map: a power of two, full at 7/8.
        let table = |n: u64| 17 * (n * 8).div_ceil(7).next_power_of_two() as i64;
        let Some(Shape::Doubles { at, next, .. }) = shape(table) else {
            panic!("{:?}", shape(table));
        };
        assert_eq!(next, at * 2);
    }

    #[test]
    fn one_step_that_nothing_follows_is_a_step() {
        let live = |n: u64| if n > 2_500 { 1 << 20 } else { 0 };
        let Some(Shape::Stepped { step, at }) = shape(live) else {
            panic!("{:?}", shape(live));
        };
        assert_eq!((step, at), (1 << 20, 2_750));
    }

    #[test]
    fn a_staircase_grows() {
        let live = |n: u64| (n / 400) as i64 * 400_000;
        assert_eq!(shape(live), Some(Shape::Grows));
    }

    #[test]
    fn growth_that_comes_without_requests_is_not_theirs() {
        let mut series = Series::new(250);
        for number in 1..=17 {
            series.push(Round {
                requests: 250,
                sent: number * 250,
                grown: 10_000,
                seconds: 0.1,
                ..Round::default()
            });
            match number {
                2 => series.begin_stages(),
                3 | 5 | 9 | 17 => series.end_stage(),
                _ => {}
            }
        }
        assert_eq!(series.shape(), Some(Shape::Grows));
        series.idle = 100_000.0;
        assert_eq!(series.shape(), Some(Shape::Idle));
    }
}
