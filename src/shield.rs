//! Keeps what isn't ours from hurting the request.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What `foreign` code returns, or `None` when it panicked, which the panic hook has printed.
pub(crate) fn shielded<T>(foreign: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(foreign))
        // The payload stays: its own drop could panic once more.
        .map_err(mem::forget)
        .ok()
}
