//! Whether memory rises over the whole period. One request proves nothing; this may.

use super::steps::{Join, Steps};

/// Steps with readings that a trend takes in all, and in each third of the period.
pub(crate) const STEPS: usize = 6;
const STEPS_OF_A_THIRD: usize = 2;

/// Changes below this share of the first low are no trend.
const SHARE: u64 = 20;

/// Bytes that are chance where the whole process is read, and in an exact account: there it is mostly the table of
/// response headers that the server keeps on each open connection.
pub(crate) const PROCESS_NOISE: u64 = 8 << 20;
pub(crate) const ROUTE_NOISE: u64 = 256 << 10;

/// The lowest reading of one step, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Low {
    /// The minute since 1970 with which the step begins.
    pub(crate) at: i64,
    pub(crate) bytes: u64,
    /// Requests of the step.
    pub(crate) requests: u64,
}

/// How the lows move from the first third of the period to the last. Highs come and go with the traffic; what rises
/// beneath them is not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    /// Each third is above the one before it, and requests at the end add to it as those before them did.
    Rises(Thirds),
    Falls(Thirds),
    /// Neither.
    Level(Thirds),
    /// So many steps have readings, which are too few in all or in one third.
    TooShort(usize),
}

/// The lows of the three thirds, in bytes, and the minutes from the middle of the first to the middle of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thirds {
    pub(crate) lows: [u64; 3],
    minutes: i64,
}

impl Thirds {
    /// Bytes by which it rose, of which time.
    pub(crate) fn rate(&self) -> (u64, &'static str) {
        let rise = self.lows[2].saturating_sub(self.lows[0]);
        let minutes = self.minutes.max(1).unsigned_abs();
        match minutes {
            // No longer than it was watched.
            0..60 => (rise / minutes, "a minute"),
            _ => (rise.saturating_mul(60) / minutes, "an hour"),
        }
    }
}

impl Trend {
    /// Of figures that have a low in some of their steps.
    pub(crate) fn of<T: Join>(
        steps: &Steps<T>,
        noise: u64,
        low: impl Fn(&T) -> Option<(u64, u64)>,
    ) -> Self {
        let lows = steps.iter().filter_map(|(at, figures)| {
            let (bytes, requests) = low(figures)?;
            Some(Low {
                at,
                bytes,
                requests,
            })
        });
        Self::of_lows(&lows.collect::<Vec<_>>(), steps.width(), noise)
    }

    /// Of lows in order of time, in steps of so many minutes.
    pub(crate) fn of_lows(lows: &[Low], width: i64, noise: u64) -> Self {
        let (Some(first), Some(last)) = (lows.first(), lows.last()) else {
            return Self::TooShort(0);
        };
        let span = last.at - first.at + width;
        let mut thirds = [(0, u64::MAX); 3];
        for low in lows {
            // Below three, because it is before the end.
            if let Some((steps, lowest)) = thirds.get_mut(((low.at - first.at) * 3 / span) as usize)
            {
                *steps += 1;
                *lowest = low.bytes.min(*lowest);
            }
        }
        if lows.len() < STEPS || thirds.iter().any(|(steps, _)| *steps < STEPS_OF_A_THIRD) {
            return Self::TooShort(lows.len());
        }
        let [early, middle, late] = thirds.map(|(_, lowest)| lowest);
        let thirds = Thirds {
            lows: [early, middle, late],
            minutes: span * 2 / 3,
        };
        let noise = noise.max(early / SHARE);
        let is_above = |later: u64, earlier: u64| later >= earlier.saturating_add(noise);
        if is_above(middle, early) && is_above(late, middle) && !is_full(lows, noise) {
            Self::Rises(thirds)
        } else if is_above(early, late) {
            Self::Falls(thirds)
        } else {
            Self::Level(thirds)
        }
    }
}

/// Whether what rose has stopped, though requests went on: a bounded cache does when it is full. By requests and not by
/// time, because a leak pauses at night.
fn is_full(lows: &[Low], noise: u64) -> bool {
    let end = lows.len() - 1;
    let tail = end - (lows.len() / 6).max(1);
    let requests = |from: usize| {
        let requests = lows[from..end].iter().map(|low| u128::from(low.requests));
        requests.sum::<u128>()
    };
    let rise = |from: u64| u128::from(lows[end].bytes.saturating_sub(from));
    let before_the_end = lows[tail..end].iter().map(|low| low.bytes).min();
    let rises = rise(before_the_end.unwrap_or(0));
    let expected = rise(lows[0].bytes) * requests(tail) / requests(0).max(1);
    expected >= u128::from(noise / 4) && rises < expected / 4
}
