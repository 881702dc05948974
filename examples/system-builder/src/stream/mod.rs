//! Bodies that are read and written while they pass, without being held.

mod declared;
mod download;
mod hashed;
mod head;
mod limits;
mod places;
mod spool;
mod upload;

pub(crate) use self::download::Downloads;
pub(crate) use self::limits::{OVERDUE, STALLED};
pub(crate) use self::spool::Spool;
pub(crate) use self::upload::Uploads;
