//! Sums of series.

use std::sync::Arc;

use super::spanned::{Hours, Series};
use super::too_long::TooLong;

/// Adds to a total, which stays as it is for others who have it.
pub(crate) fn increase(total: &mut Arc<Series>, by: &Series) -> Result<(), TooLong> {
    match Arc::get_mut(total) {
        Some(own) => own.add(by)?,
        None => *total = Arc::new(total.with(by, |a, b| a + b)?),
    }
    Ok(())
}

/// Sums series, in their order. The sum of none is none, and that of one is the same.
pub(crate) fn sum<S: Into<Arc<Series>>, E: From<TooLong>>(
    series: impl IntoIterator<Item = Result<Option<S>, E>>,
) -> Result<Hours, E> {
    let mut total: Hours = None;
    for one in series {
        let Some(one) = one?.map(Into::into) else {
            continue;
        };
        match &mut total {
            Some(total) => increase(total, &one)?,
            None => total = Some(one),
        }
    }
    Ok(total)
}
