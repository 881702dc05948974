//! Hours that series are counted in.

/// Hours of a week.
pub const HOURS_OF_WEEK: usize = 168;

/// Most hours of one series: two hundred years.
pub(crate) const LONGEST_SERIES: usize = 200 * 8766;
