//! Atomics, in one place so that `tests/loom` can put loom's in theirs.

pub(crate) use std::sync::atomic;
