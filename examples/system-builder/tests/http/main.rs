//! The application over real sockets.

mod problems;
mod server;
mod shutdown;
mod systems;
mod uploads;
