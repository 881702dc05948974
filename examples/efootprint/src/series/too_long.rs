//! The bound on the length of series.

use crate::hours::LONGEST_SERIES;

/// A series would span more than two centuries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// So many hours, unless that is more than a series may have.
pub(super) fn checked(hours: usize) -> Result<usize, TooLong> {
    if hours > LONGEST_SERIES {
        return Err(TooLong);
    }
    Ok(hours)
}
