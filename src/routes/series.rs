use crate::{report::Report, resident::Resident};
use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

/// The process at one step of time. Each figure is the largest of the step, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// When the step began, counted from the creation of the listener.
    pub at: Duration,
    /// The resident set; `None` when no reading succeeded.
    pub resident: Option<u64>,
    /// The live heap; `None` without a heap meter.
    pub live: Option<u64>,
    /// Anonymous resident memory beyond the live heap: pages that the allocator holds, stacks, and
    /// memory outside Rust's allocator. `None` when either is unknown.
    pub held: Option<u64>,
    /// Warnings about requests and their background work in this step.
    pub warnings: u32,
    /// Requests in flight, as of the last one that ended; 0 when none did.
    pub in_flight: u32,
}

/// The process at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Process {
    /// The resident set; `None` when it could not be read.
    pub resident: Option<Resident>,
    /// The live heap in bytes; `None` without a heap meter.
    pub live: Option<u64>,
}

impl Process {
    /// Bytes of anonymous resident memory beyond the live heap: pages that the allocator holds, stacks,
    /// and memory outside Rust's allocator. `None` when either is unknown.
    pub fn held(&self) -> Option<u64> {
        Some(self.resident?.anonymous().saturating_sub(self.live?))
    }
}

/// One moment's contribution to its step.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment {
    pub(super) process: Process,
    pub(super) in_flight: u32,
    pub(super) is_warned: bool,
}

impl Moment {
    pub(super) fn of(report: &Report) -> Self {
        let process = Process {
            resident: report.after,
            live: report.live_after,
        };
        Self {
            process,
            in_flight: report.in_flight,
            is_warned: report.verdict.is_warning(),
        }
    }
}

/// The last steps of one length, in a ring that is written without a lock.
#[derive(Debug)]
pub(super) struct Series {
    step: u64,
    slots: Box<[Slot]>,
}

#[derive(Debug, Default)]
struct Slot {
    /// The number of the step, plus one; 0 means none yet.
    number: AtomicU64,
    resident: AtomicU64,
    live: AtomicU64,
    held: AtomicU64,
    warnings: AtomicU32,
    in_flight: AtomicU32,
}

/// A slot that is changing from one step to the next. Samples that meet it are lost, at most those of a
/// few nanoseconds.
const CHANGING: u64 = u64::MAX;

impl Series {
    /// The last `steps` steps of `seconds` each.
    pub(super) fn new(steps: usize, seconds: u64) -> Self {
        Self {
            step: seconds,
            slots: (0..steps).map(|_| Slot::default()).collect(),
        }
    }

    pub(super) fn record(&self, second: u64, moment: &Moment) {
        let step = second / self.step;
        let slot = &self.slots[step as usize % self.slots.len()];
        slot.turn_to(step + 1);
        if slot.number.load(Ordering::Acquire) == step + 1 {
            let Process { resident, live } = moment.process;
            raise(
                &slot.resident,
                stored(resident.map(|resident| resident.total)),
            );
            raise(&slot.live, stored(live));
            raise(&slot.held, stored(moment.process.held()));
            if moment.in_flight > slot.in_flight.load(Ordering::Relaxed) {
                slot.in_flight
                    .fetch_max(moment.in_flight, Ordering::Relaxed);
            }
            if moment.is_warned {
                slot.warnings.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Oldest first. Steps without a sample are left out.
    pub(super) fn samples(&self, now: u64) -> Vec<Sample> {
        let last = now / self.step;
        let first = (last + 1).saturating_sub(self.slots.len() as u64);
        let sample = |step: u64| {
            let slot = &self.slots[step as usize % self.slots.len()];
            let load = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
            (slot.number.load(Ordering::Acquire) == step + 1).then(|| Sample {
                at: Duration::from_secs(step * self.step),
                resident: load(&slot.resident).checked_sub(1),
                live: load(&slot.live).checked_sub(1),
                held: load(&slot.held).checked_sub(1),
                warnings: slot.warnings.load(Ordering::Relaxed),
                in_flight: slot.in_flight.load(Ordering::Relaxed),
            })
        };
        (first..=last).filter_map(sample).collect()
    }
}

impl Slot {
    fn turn_to(&self, number: u64) {
        let found = self.number.load(Ordering::Acquire);
        // `CHANGING` is larger than all, so whoever comes then, or late with an earlier step, moves on.
        let turn = |found| {
            let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
            self.number
                .compare_exchange(found, CHANGING, success, failure)
        };
        if found < number && turn(found).is_ok() {
            for figure in [&self.resident, &self.live, &self.held] {
                figure.store(0, Ordering::Relaxed);
            }
            for figure in [&self.warnings, &self.in_flight] {
                figure.store(0, Ordering::Relaxed);
            }
            self.number.store(number, Ordering::Release);
        }
    }
}

/// With 0 for none, so the largest of a step is one comparison.
fn stored(figure: Option<u64>) -> u64 {
    figure.map_or(0, |figure| figure.saturating_add(1))
}

/// `fetch_max` for a figure that is rarely the largest: usually a single load.
pub(super) fn raise(largest: &AtomicU64, figure: u64) {
    if figure > largest.load(Ordering::Relaxed) {
        largest.fetch_max(figure, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(total: u64) -> Moment {
        Moment {
            process: Process {
                resident: Some(Resident::new(total, 10)),
                live: Some(30),
            },
            in_flight: 2,
            is_warned: total > 60,
        }
    }

    #[test]
    fn a_step_tells_the_largest_of_its_samples() {
        let series = Series::new(3, 60);
        for (second, total) in [(60, 50), (61, 90), (119, 70)] {
            series.record(second, &moment(total));
        }
        let [sample] = series.samples(130)[..] else {
            panic!("one step")
        };
        assert_eq!(sample.at, Duration::from_secs(60));
        let figures = [sample.resident, sample.live, sample.held];
        assert_eq!(figures, [Some(90), Some(30), Some(50)]);
        assert_eq!([sample.in_flight, sample.warnings], [2, 2]);
    }

    #[test]
    fn steps_that_are_over_for_good_make_room_and_quiet_ones_are_left_out() {
        let series = Series::new(3, 1);
        for second in [0, 1, 2, 4] {
            series.record(second, &moment(second + 40));
        }
        let seconds = |now| {
            let samples = series.samples(now).into_iter();
            samples
                .map(|sample| sample.at.as_secs())
                .collect::<Vec<_>>()
        };
        assert_eq!(seconds(4), [2, 4]);
        assert_eq!(seconds(6), [4]);
        series.record(1, &moment(99));
        assert_eq!(
            seconds(4),
            [2, 4],
            "a sample that comes late changes nothing"
        );
    }

    #[test]
    fn what_could_not_be_read_is_none_and_never_zero() {
        let series = Series::new(3, 1);
        series.record(0, &Moment::default());
        let [sample] = series.samples(0)[..] else {
            panic!("one step")
        };
        assert_eq!([sample.resident, sample.live, sample.held], [None; 3]);
    }
}
