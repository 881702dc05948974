//! Hourly series and their arithmetic (sections 2.4 and 3 of the web specification).
//!
//! Everything is 32-bit, hour by hour, as in the reference implementation: where a number of
//! instances is rounded up, the last bit of what it is made of decides about a whole instance.

mod ages;
mod over_time;
mod pairs;
mod spanned;
mod spans;
mod sum;
#[cfg(test)]
mod tests;
mod too_long;
mod totals;
mod weeks;

pub(crate) use self::spanned::Hours;
pub use self::spanned::Series;
pub(crate) use self::sum::{increase, sum};
pub(crate) use self::too_long::TooLong;
