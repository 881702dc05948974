//! The engine, against the reference implementation and against itself.

mod attribution;
mod cases;
mod computed;
mod expected;
mod properties;
mod versions;
