//! Whether memory rises over the whole period. One request proves nothing; this may.

use super::hours::{Extremes, Hour, Hours};

/// Steps with readings that a trend takes.
const STEPS: usize = 6;

/// Bytes between thirds of the period, and share of the first, that are no trend.
const NOISE: u64 = 8 << 20;
const SHARE: u64 = 20;

/// How the lows move from the first third of the period to the last. Highs come and go with the traffic; what rises
/// beneath them is not given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    /// Each third is above the one before it.
    Rises(Thirds),
    Falls(Thirds),
    /// Neither.
    Level(Thirds),
    /// So many steps have readings, and there are none in one third, or too few at all.
    TooShort(usize),
}

/// The lows of the three thirds, in bytes, and the hours from the middle of the first to the middle of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thirds {
    pub(crate) lows: [u64; 3],
    hours: u64,
}

impl Thirds {
    /// Bytes an hour by which it rose.
    pub(crate) fn rise_an_hour(&self) -> u64 {
        self.lows[2].saturating_sub(self.lows[0]) / self.hours.max(1)
    }
}

impl Trend {
    pub(crate) fn of(hours: &Hours, what: impl Fn(&Hour) -> Extremes) -> Self {
        let lows = hours
            .iter()
            .filter_map(|(at, hour)| Some((at, what(hour).low()?)));
        let lows: Vec<_> = lows.collect();
        let (Some((first, _)), Some((last, _))) = (lows.first(), lows.last()) else {
            return Self::TooShort(0);
        };
        let span = last - first + hours.width();
        let mut thirds = [None::<u64>; 3];
        for (at, low) in &lows {
            // Below three, because it is before the end.
            if let Some(third) = thirds.get_mut(((at - first) * 3 / span) as usize) {
                *third = Some(third.map_or(*low, |lowest| lowest.min(*low)));
            }
        }
        let (true, [Some(early), Some(middle), Some(late)]) = (lows.len() >= STEPS, thirds) else {
            return Self::TooShort(lows.len());
        };
        let thirds = Thirds {
            lows: [early, middle, late],
            hours: (span * 2 / 3).unsigned_abs(),
        };
        let noise = NOISE.max(early / SHARE);
        if middle >= early.saturating_add(noise) && late >= middle.saturating_add(noise) {
            Self::Rises(thirds)
        } else if early >= late.saturating_add(noise) {
            Self::Falls(thirds)
        } else {
            Self::Level(thirds)
        }
    }
}
