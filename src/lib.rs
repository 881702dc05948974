//! Tower middleware that tells which request grew your process's memory.

#![warn(clippy::expect_used, clippy::unwrap_used)]

pub mod heap;
mod log;
mod middleware;
mod report;
pub mod resident;
mod route;
mod verdict;

pub use self::{
    heap::HeapFlow,
    log::Log,
    middleware::{MemoryLayer, MemoryService, ResponseBody, ResponseFuture},
    report::{OnReport, Outcome, Report},
    resident::{MIB, ReadResident, Resident},
    route::Route,
    verdict::Verdict,
};
