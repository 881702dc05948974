//! Bodies that are read and written while they pass, without being held.

mod download;
mod feed;
mod limits;
mod upload;

pub(crate) use self::download::Downloads;
pub(crate) use self::limits::{OVERDUE, STALLED};
pub(crate) use self::upload::Uploads;
