//! Growth where only resident memory is known, which is noise for the most part.
//!
//! A leak must pass every one of these: the floors of blocks of samples rise
//! ([Mann and Kendall](https://doi.org/10.2307/1907187)), by more than nothing with 95 % confidence
//! ([Theil and Sen](https://doi.org/10.1080/01621459.1968.10480934)), by enough a request, not in one jump, and as fast in
//! the second half as in the first.

use super::series::median;

/// Bytes a request below which growth can't be told from noise.
pub(super) const LEAST: f64 = 1024.0;
/// Samples that it takes.
pub(super) const SAMPLES: usize = 60;
const BLOCKS: usize = 20;

/// Requests so far, and bytes.
pub(super) type Sample = (f64, f64);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trend {
    /// Bytes a request.
    Rises(f64),
    /// Bytes of one jump, and the requests before it.
    Jumped(f64, f64),
    Level,
}

/// The trend of samples of which the first third is warm-up.
pub(super) fn trend(samples: &[Sample]) -> Trend {
    trend_of_warm(&samples[samples.len() / 3..])
}

/// The trend of samples that are all of a warm process.
pub(super) fn trend_of_warm(samples: &[Sample]) -> Trend {
    let floors = floors(samples);
    let (Some(first), Some(last)) = (floors.first(), floors.last()) else {
        return Trend::Level;
    };
    let span = last.0 - first.0;
    let (slope, lowest) = slope(&floors);
    let grown = slope * span;
    let jump = floors
        .windows(2)
        .max_by(|a, b| f64::total_cmp(&(a[1].1 - a[0].1), &(b[1].1 - b[0].1)))
        .map_or((0.0, 0.0), |pair| (pair[1].1 - pair[0].1, pair[1].0));
    let whole = last.1 - first.1;
    if whole >= LEAST * span && jump.0 > 0.6 * whole {
        return Trend::Jumped(jump.0, jump.1);
    }
    let (first_half, second_half) = floors.split_at(floors.len() / 2);
    let (early, late) = (self::slope(first_half).0, self::slope(second_half).0);
    let rises =
        rises(&floors) && lowest > 0.0 && grown >= LEAST * span && late >= 0.4 * early.max(slope);
    if rises {
        Trend::Rises(slope)
    } else {
        Trend::Level
    }
}

/// The 25th percentile of each block, at its last request: below what is in flight and the teeth of a saw.
fn floors(samples: &[Sample]) -> Vec<Sample> {
    let blocks = BLOCKS.min(samples.len());
    (0..blocks)
        .map(|block| {
            let of = |block: usize| block * samples.len() / blocks;
            let block = &samples[of(block)..of(block + 1)];
            let mut bytes: Vec<_> = block.iter().map(|sample| sample.1).collect();
            bytes.sort_by(f64::total_cmp);
            (block[block.len() - 1].0, bytes[bytes.len() / 4])
        })
        .collect()
}

/// Whether there is a rising trend, wrong in one of 100 cases without any.
fn rises(floors: &[Sample]) -> bool {
    let score: f64 = pairs(floors)
        .map(|(a, b)| (b.1 - a.1).partial_cmp(&0.0))
        .map(|order| match order {
            Some(std::cmp::Ordering::Greater) => 1.0,
            Some(std::cmp::Ordering::Less) => -1.0,
            _ => 0.0,
        })
        .sum();
    score > 0.0 && (score - 1.0) / variance(floors).sqrt() > 2.326
}

/// That of Kendall's score, less for ties.
fn variance(floors: &[Sample]) -> f64 {
    let term = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let mut bytes: Vec<_> = floors.iter().map(|floor| floor.1).collect();
    bytes.sort_by(f64::total_cmp);
    let ties = bytes
        .chunk_by(|a, b| a == b)
        .map(|tied| term(tied.len() as f64));
    (term(floors.len() as f64) - ties.sum::<f64>()) / 18.0
}

/// The median of the slopes between all pairs, in bytes a request, and the lower bound of 95 % confidence.
fn slope(floors: &[Sample]) -> (f64, f64) {
    let mut slopes: Vec<_> = pairs(floors)
        .map(|(a, b)| (b.1 - a.1) / (b.0 - a.0).max(1.0))
        .collect();
    if slopes.is_empty() {
        return (0.0, 0.0);
    }
    slopes.sort_by(f64::total_cmp);
    let away = 1.96 * variance(floors).sqrt();
    let lower = ((slopes.len() as f64 - away) / 2.0).max(0.0) as usize;
    (median(&slopes), slopes[lower.min(slopes.len() - 1)])
}

fn pairs(floors: &[Sample]) -> impl Iterator<Item = (&Sample, &Sample)> {
    floors
        .iter()
        .enumerate()
        .flat_map(|(number, a)| floors[number + 1..].iter().map(move |b| (a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;

    /// 600 samples of 100 requests each, of a process of 100 MiB with noise of 1 MiB, and `more` by share of the run.
    fn run(seed: u64, more: impl Fn(f64) -> f64) -> Vec<Sample> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut noise = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        (0..600)
            .map(|sample| {
                let share = f64::from(sample) / 600.0;
                (
                    f64::from(sample) * 100.0,
                    MIB * (100.0 + noise()) + more(share),
                )
            })
            .collect()
    }

    fn rise(seed: u64, more: impl Fn(f64) -> f64) -> bool {
        matches!(trend(&run(seed, more)), Trend::Rises(_))
    }

    #[test]
    fn noise_warm_ups_steps_and_teeth_do_not_rise() {
        for seed in 0..100 {
            assert!(!rise(seed, |_| 0.0), "noise {seed}");
            assert!(
                !rise(seed, |at| 100.0 * MIB * (1.0 - (-at * 10.0).exp())),
                "warm-up {seed}"
            );
            assert!(
                !rise(seed, |at| if at > 0.6 { 80.0 * MIB } else { 0.0 }),
                "step {seed}"
            );
            assert!(
                !rise(seed, |at| (at * 20.0).fract() * 40.0 * MIB),
                "teeth {seed}"
            );
        }
    }

    #[test]
    fn a_leak_rises_through_noise_warm_ups_and_teeth() {
        // 2 KiB a request.
        let leak = |at: f64| at * 60_000.0 * 2048.0;
        for seed in 0..100 {
            assert!(rise(seed, leak), "alone {seed}");
            let warms_up = |at: f64| leak(at) + 100.0 * MIB * (1.0 - (-at * 10.0).exp());
            assert!(rise(seed, warms_up), "after a warm-up {seed}");
            let teeth = |at: f64| leak(at) + (at * 20.0).fract() * 10.0 * MIB;
            assert!(rise(seed, teeth), "among teeth {seed}");
        }
    }

    #[test]
    fn one_jump_is_told_with_its_place() {
        let Trend::Jumped(bytes, at) = trend(&run(7, |at| if at > 0.7 { 90.0 * MIB } else { 0.0 }))
        else {
            panic!("no jump");
        };
        assert!((80.0 * MIB..100.0 * MIB).contains(&bytes), "{bytes}");
        assert!((40_000.0..46_000.0).contains(&at), "{at}");
    }

    #[test]
    fn too_few_samples_are_level() {
        assert_eq!(trend(&[]), Trend::Level);
        assert_eq!(trend(&[(1.0, 1.0)]), Trend::Level);
    }
}
