//! The rounds of a soak, and how they make up its stages.

/// Rounds of warm-up after which the stages begin, warm or not.
const WARM_UP: usize = 16;
/// More than there can be, so that keeping them never allocates while memory is watched.
const ROUNDS: usize = WARM_UP + 192;

/// One round of requests, from rest to rest.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Round {
    /// Requests of the round.
    pub requests: u64,
    /// Requests of the soak up to its end.
    pub sent: u64,
    /// By how many bytes memory grew: live heap where it is known, else resident memory.
    pub grown: i64,
    /// By how many bytes the live heap of routes grew; `None` where blocks have no owner.
    pub owned: Option<i64>,
    /// By how many bytes resident memory grew; `None` where it could not be read.
    pub resident: Option<i64>,
    /// How long it took, the wait for rest included.
    pub seconds: f64,
}

/// Called after each round.
pub(super) type Progress = Box<dyn Fn(&Round) + Send + Sync>;

/// All rounds so far.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// Requests of a round.
    pub(super) size: u64,
    pub(super) rounds: Vec<Round>,
    /// Where each stage begins, and the last one ends.
    bounds: Vec<usize>,
    /// Bytes a second that the process grows without requests.
    pub(super) idle: f64,
}

impl Series {
    pub(super) fn new(size: u64) -> Self {
        Self {
            size,
            rounds: Vec::with_capacity(ROUNDS),
            bounds: Vec::with_capacity(ROUNDS),
            idle: 0.0,
        }
    }

    /// The same rounds with what routes own, if that is known.
    pub(super) fn of_routes(&self) -> Option<Self> {
        let owned = |round: &Round| {
            Some(Round {
                grown: round.owned?,
                ..*round
            })
        };
        Some(Self {
            rounds: self.rounds.iter().map(owned).collect::<Option<_>>()?,
            bounds: self.bounds.clone(),
            // Nothing of theirs grows without requests.
            idle: 0.0,
            ..*self
        })
    }

    pub(super) fn push(&mut self, round: Round) {
        self.rounds.push(round);
    }

    /// Whether two rounds in a row were level, or each grows as much as the last so that waiting longer changes
    /// nothing, or patience has ended.
    pub(super) fn is_warm(&self) -> bool {
        let is_level = |round: &Round| round.grown <= 4 * self.size as i64;
        let rounds = &self.rounds;
        let last = |count: usize| &rounds[rounds.len().saturating_sub(count)..];
        let is_steady = rounds.len() >= 6 && {
            let (least, most) = last(4).iter().fold((i64::MAX, 0), |(least, most), round| {
                (least.min(round.grown), most.max(round.grown))
            });
            least > 0 && most <= least + least / 10
        };
        rounds.len() >= WARM_UP || rounds.len() >= 2 && last(2).iter().all(is_level) || is_steady
    }

    pub(super) fn begin_stages(&mut self) {
        self.bounds.push(self.rounds.len());
    }

    pub(super) fn end_stage(&mut self) {
        self.bounds.push(self.rounds.len());
    }

    pub(super) fn stages(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    pub(super) fn stage(&self, stage: usize) -> &[Round] {
        &self.rounds[self.bounds[stage]..self.bounds[stage + 1]]
    }

    pub(super) fn all_stages(&self) -> &[Round] {
        match (self.bounds.first(), self.bounds.last()) {
            (Some(first), Some(last)) => &self.rounds[*first..*last],
            _ => &[],
        }
    }

    /// Rounds of warm-up.
    pub(super) fn warm_up(&self) -> usize {
        self.bounds.first().copied().unwrap_or(self.rounds.len())
    }

    pub(super) fn warm_up_sent(&self) -> u64 {
        self.rounds[..self.warm_up()]
            .last()
            .map_or(0, |round| round.sent)
    }

    /// Requests so far.
    pub(super) fn sent(&self) -> u64 {
        self.rounds.last().map_or(0, |round| round.sent)
    }
}

/// 0 of nothing.
pub(super) fn median(of: &[f64]) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}
