use crate::resident::Resident;
use bytesize::ByteSize;
use std::fmt;

/// The explanation of one growth.
///
/// [`Display`](fmt::Display) gives it as a sentence without the final stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Growth below the threshold, or none: nothing to explain.
    WithinThreshold,
    /// At least half of the growth is files or shared memory that became resident, not heap.
    #[non_exhaustive]
    Mapped {
        /// Growth of the shared part, in bytes.
        shared_growth: u64,
    },
    /// Other requests shared the window, and nothing tells whose growth it is.
    Overlapped,
    /// No other request of this layer shared the window, but no heap meter tells live heap from pages
    /// the allocator keeps.
    Unmetered,
    /// The resident set could not be read at the window's start or end.
    Unreadable,
}

impl Verdict {
    /// The name in the log: `within_threshold`, `mapped`, `overlapped`, `unmetered` or
    /// `unreadable`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::WithinThreshold => "within_threshold",
            Self::Mapped { .. } => "mapped",
            Self::Overlapped => "overlapped",
            Self::Unmetered => "unmetered",
            Self::Unreadable => "unreadable",
        }
    }

    /// Whether there is growth at or above the threshold to explain.
    pub const fn is_warning(&self) -> bool {
        !matches!(self, Self::WithinThreshold | Self::Unreadable)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WithinThreshold => f.write_str("growth is within the threshold"),
            Self::Mapped { shared_growth } => write!(
                f,
                "files or shared memory that became resident account for it (+{}), not heap",
                ByteSize(*shared_growth)
            ),
            Self::Overlapped => f.write_str(
                "other requests shared the window, and nothing tells whose growth it is",
            ),
            Self::Unmetered => f.write_str(
                "no heap meter tells whether this is live heap or pages the allocator keeps",
            ),
            Self::Unreadable => f.write_str("the resident set could not be read"),
        }
    }
}

/// The explanation that the numbers allow. `threshold` in bytes; growth of 0 is never above it.
pub(crate) fn judge(
    before: Option<Resident>,
    after: Option<Resident>,
    overlap: u32,
    threshold: u64,
) -> Verdict {
    let (Some(before), Some(after)) = (before, after) else {
        return Verdict::Unreadable;
    };
    let growth = after.total.saturating_sub(before.total);
    if growth < threshold.max(1) {
        return Verdict::WithinThreshold;
    }
    let shared_growth = after.shared.saturating_sub(before.shared);
    if shared_growth >= growth.div_ceil(2) {
        return Verdict::Mapped { shared_growth };
    }
    if overlap > 0 {
        return Verdict::Overlapped;
    }
    Verdict::Unmetered
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOTHING: Resident = Resident::new(0, 0);

    fn verdict(after: Resident, overlap: u32) -> Verdict {
        judge(Some(NOTHING), Some(after), overlap, 100)
    }

    #[test]
    fn growth_at_the_threshold_is_a_warning_and_one_byte_less_is_not() {
        assert_eq!(verdict(Resident::new(99, 0), 0), Verdict::WithinThreshold);
        assert_eq!(verdict(Resident::new(100, 0), 0), Verdict::Unmetered);
    }

    #[test]
    fn a_threshold_of_zero_warns_of_any_growth_but_not_of_none() {
        let judge = |after| judge(Some(NOTHING), Some(Resident::new(after, 0)), 0, 0);
        assert_eq!(judge(0), Verdict::WithinThreshold);
        assert_eq!(judge(1), Verdict::Unmetered);
    }

    #[test]
    fn growth_that_others_overlapped_says_so() {
        assert_eq!(verdict(Resident::new(100, 49), 1), Verdict::Overlapped);
    }

    #[test]
    fn growth_that_is_half_files_or_more_is_mapped_even_when_others_overlapped() {
        let mapped = Verdict::Mapped { shared_growth: 50 };
        assert_eq!(verdict(Resident::new(100, 50), 0), mapped);
        assert_eq!(verdict(Resident::new(100, 50), 1), mapped);
    }

    #[test]
    fn a_missing_reading_is_unreadable_whatever_the_other_says() {
        let huge = Some(Resident::new(u64::MAX, 0));
        for (before, after) in [(None, huge), (Some(NOTHING), None), (None, None)] {
            assert_eq!(judge(before, after, 3, 100), Verdict::Unreadable);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_numbers_a_warning_means_growth_at_or_above_the_threshold(
            before in any::<(u64, u64)>(),
            after in any::<(u64, u64)>(),
            overlap: u32,
            threshold: u64,
        ) {
            let before = Resident::new(before.0, before.1);
            let after = Resident::new(after.0, after.1);
            let verdict = judge(Some(before), Some(after), overlap, threshold);
            let grown = after.total > before.total && after.total - before.total >= threshold;
            prop_assert_eq!(verdict.is_warning(), grown);
        }
    }
}
