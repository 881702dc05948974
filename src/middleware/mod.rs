//! The path of a request through this crate.
//!
//! A request's *window* opens in `call`, before the inner service is called. It closes when the
//! response body ends, fails or is dropped, or, without a response, when the future fails or is
//! dropped. A [`Visit`](visit::Visit) stands for the open window. It moves from the future into the
//! body and reports when it is dropped, which makes exactly one report whatever happens.

mod body;
mod config;
mod ending;
mod future;
mod in_flight;
mod layer;
mod nesting;
mod open;
mod pieces;
mod request_body;
mod service;
mod settling;
mod spare;
mod visit;

pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::MemoryLayer, request_body::RequestBody,
    service::MemoryService, settling::flush,
};
