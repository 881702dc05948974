//! The e-footprint system builder behind tower-memory's layer.
//!
//! An axum application that reads [e-footprint] systems from uploaded JSON files, keeps them in
//! memory and gives them back. Uploads are large, short-lived and uneven, which is what makes a
//! process grow; the layer tells which of them did.
//!
//! [e-footprint]: https://github.com/Boavizta/e-footprint

mod app;
mod budget;
mod command;
mod config;
mod monitoring;
mod origin;
mod page;
mod peer;
mod problem;
mod results;
mod routes;
mod serve;
mod store;
mod stream;
mod systems;

pub use app::app;
pub use command::Command;
pub use config::{Config, LogFormat, Who};
pub(crate) use serve::Pace;
pub use serve::{prepare_thread, serve};
