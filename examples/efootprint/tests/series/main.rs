//! Hourly and weekly series: how files give them, and what is wrong with them.

#![allow(clippy::unwrap_used)]

mod edit;
mod hourly;
mod weekly;
