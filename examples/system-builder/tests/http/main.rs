//! The application over real sockets.

mod cases;
mod downloads;
mod monitoring;
mod problems;
mod results;
mod server;
mod shutdown;
mod store_limit;
mod systems;
mod uploads;
